"""``forebay config check|show``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Check the configuration, or show what counts and why."
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(help="Whether every section, key, variable and file is known and in bounds; all that is not, at once.")
def check(
    file: Annotated[Path | None, typer.Argument(help="Instead of the file that counts here.", metavar="FILE")] = None,
    *,
    json_output: Json = False,
) -> None:
    """Exit status 2 when something is wrong; each fault with its place, and the nearest right name."""
    import orjson

    from forebay.embedded.discovery import reached
    from forebay.operations import configuration

    found = configuration.check(file, reached())
    if json_output:
        typer.echo(orjson.dumps(asdict(found), option=orjson.OPT_INDENT_2))
    else:
        for fault in found.faults:
            typer.echo(str(fault), err=True)
        if not found.faults:
            typer.echo(f"{found.file}: can be used, sha256 {found.fingerprint}")
        for value in found.unprotected:
            typer.echo(f"{value.key}: {value.value} ({value.origin})")
    if found.faults:
        raise typer.Exit(2)


@app.command(help="Every value that counts, a line each; secrets are masked.")
def show(
    *,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each comes from.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON lines: key, value, origin.")] = False,
) -> None:
    """Exit status 2 when the configuration cannot be used."""
    import orjson

    from forebay.embedded.installation import installation
    from forebay.settings.effective import effective
    from forebay.settings.faults import printable

    for one in effective(installation()):
        value = orjson.dumps(one.value, default=str).decode()
        if json_output:
            typer.echo(orjson.dumps(asdict(one)))
        else:
            typer.echo(printable(f"{one.key}: {value}{f'  # {one.origin}' if origin else ''}"))
