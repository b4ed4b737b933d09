"""``forebay tenants key``."""

from pathlib import Path
from typing import Annotated

import typer

from forebay.cli.terminal.saying import refusal, say

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Keys by which tenants are believed.")


@app.callback()
def main() -> None:
    """A group, although it has one command."""


@app.command(help="Make a key of a tenant, for `tenants.identity: signed`.")
def key(
    key_id: Annotated[str, typer.Argument(help="A name that no other key has: letters, digits, - and _.")],
    tenant: Annotated[str, typer.Argument(help="Whose it is; * for a program that speaks for all tenants.")],
    file: Annotated[Path, typer.Argument(help="Where to; must not exist.")],
) -> None:
    """The file is readable by its owner only. The application names it in ``tenants.key_file``; its line goes into
    the stages' ``tenants.keys_file`` as well. That it was made is in the trail.
    """
    from forebay.cli.explaining import explained
    from forebay.embedded.files import write_private
    from forebay.embedded.installation import installation
    from forebay.operations.audit.opening import recorder
    from forebay.operations.tenants import new_key

    if file.exists():
        raise refusal(f"{file} is there already")
    with explained(), new_key(key_id, tenant, recorder(installation())) as line:
        write_private(file, line)
    say(f"{key_id}: {tenant}")
