"""``forebay reference``: the pages of ``docs/reference`` that are made from the code."""

from pathlib import Path
from typing import Annotated

import typer

from forebay.cli.terminal.saying import refusal, say

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Write or check the generated reference pages.")

Folder = Annotated[Path | None, typer.Option(help="Folder of the pages; by default docs/reference of this checkout.")]


@app.command(help="Bring the pages up to date with the code.")
def write(folder: Folder = None) -> None:
    """Print the names of the pages that changed."""
    from forebay import reference

    for name in reference.write(_folder(folder)):
        say(name)


@app.command(help="Check that the pages say what the code says.")
def check(folder: Folder = None) -> None:
    """Exit status 1 with the names of the pages that do not."""
    from forebay import reference

    outdated = reference.outdated(_folder(folder))
    for name in outdated:
        say(f"{name} is not current: run `forebay reference write`", err=True)
    if outdated:
        raise typer.Exit(1)
    say("every reference page is current")


def _folder(folder: Path | None) -> Path:
    from forebay.reference import default_folder

    chosen = folder or default_folder()
    if not chosen.is_dir():
        raise refusal(f"there is no folder {chosen}: this works on a checkout")
    return chosen
