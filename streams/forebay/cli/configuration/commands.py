"""``forebay config check|show``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.terminal.saying import print_json, say

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.operations.configuration import Checked

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Check the configuration, or show what counts and why."
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(help="Whether every section, key, variable and file is known and in bounds; all that is not, at once.")
def check(
    file: Annotated[Path | None, typer.Argument(help="Instead of the file that counts here.", metavar="FILE")] = None,
    *,
    audit: Annotated[
        bool, typer.Option("--audit", help="Write down in the audit trail that what counts here is about to be used.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Exit status 2 when something is wrong; each fault with its place, and the nearest right name.

    Whoever deploys runs it with --audit before the workers, which log the same hash at start.
    """
    from forebay.embedded.discovery import reached
    from forebay.operations import configuration

    found = configuration.check(file, reached())
    if audit and not found.faults:
        _record(file, found)
    if json_output:
        print_json(asdict(found), indent=True)
    else:
        for fault in found.faults:
            say(str(fault), err=True)
        if not found.faults:
            say(f"{found.file}: can be used, sha256 {found.fingerprint}")
        for value in found.unprotected:
            say(f"{value.key}: {value.value} ({value.origin})")
    if found.faults:
        raise typer.Exit(2)


def _record(file: Path | None, found: "Checked") -> None:
    from forebay.cli.explaining import explained
    from forebay.embedded.discovery import reached
    from forebay.operations.audit.opening import recorder
    from forebay.operations.configuration import record_start
    from forebay.settings import load

    with explained():
        record_start(found, recorder(load(file, reached=reached())))


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

    for one in effective(installation()):
        value = orjson.dumps(one.value, default=str).decode()
        if json_output:
            print_json(asdict(one))
        else:
            say(f"{one.key}: {value}{f'  # {one.origin}' if origin else ''}")
