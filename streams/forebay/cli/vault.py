"""``forebay vault``: keys and the right to erasure."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from forebay.cli.explaining import explained
from forebay.cli.terminal.saying import complain, print_json, say

T = TypeVar("T")

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Rotate the vault's keys; erase a person's data.")

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a sentence.")]


@app.command(help="Seal every entry with the first key of the ring; the others can be removed after that.")
def rotate(as_json: Json = False) -> None:
    """Exit status 1 when an entry could not be opened with any key of the ring."""
    from forebay.operations import vault as operations

    done = _with_vault(operations.rotate)
    if as_json:
        print_json({"resealed": done.resealed, "unreadable": done.unreadable, "older": done.older})
    else:
        older = f", {done.older} of all from before the upgrade" if done.older else ""
        say(f"{done.resealed} entries sealed with the current key, {done.unreadable} that no key opens{older}")
    if done.unreadable:
        raise typer.Exit(1)


@app.command(help="Erase what is known of a user; answers that are still on their way to them get vault_expired.")
def forget(
    user: Annotated[str, typer.Option("--user", help="The user's id.")],
    tenant: Annotated[str, typer.Option("--tenant", help="The user's tenant.")] = "default",
    as_json: Json = False,
) -> None:
    """The right to erasure; topics forget by their retention (docs/how-to/redaction.md)."""
    from forebay.operations import vault as operations

    erased = _with_vault(lambda vault: operations.forget(vault, tenant=tenant, user=user))
    if as_json:
        print_json({"erased": erased})
    else:
        say(f"{erased} entries erased")


@app.command(help="Make a key: a line ID:BASE64 for FOREBAY_VAULT_KEYS or vault.keys_file; the newest goes first.")
def key(key_id: Annotated[str, typer.Argument(help="Name of the key.", metavar="ID")]) -> None:
    """To standard output only: it is stored nowhere."""
    from forebay.operations import vault as operations

    with explained():
        say(operations.new_key(key_id))


def _with_vault(work: Callable[[Any], Awaitable[T]]) -> T:
    import asyncio

    from forebay.contract.failures import Failure
    from forebay.embedded.installation import installation
    from forebay.privacy.vault_redis import open_vault

    async def run() -> T:
        async with open_vault(installation()) as vault:
            return await work(vault)

    try:
        return asyncio.run(run())
    except Failure as failure:
        complain(failure.message)
        raise typer.Exit(2) from None
