"""``forebay vault``: keys and the right to erasure."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from forebay.cli.explaining import explained
from forebay.cli.terminal.saying import complain, print_json, say

if TYPE_CHECKING:
    from forebay.privacy.vault import Vault
    from forebay.settings import Settings

T = TypeVar("T")

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Rotate the vault's keys; erase a person's data.")

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a sentence.")]


@app.command(help="Seal every entry with the first key of the ring; the others can be removed after that.")
def rotate(as_json: Json = False) -> None:
    """Exit status 1 when an entry could not be opened with any key of the ring."""
    from forebay.operations import vault as operations
    from forebay.operations.audit.opening import recorder

    done = _with_vault(lambda vault, settings: operations.rotate(vault, recorder(settings)))
    if as_json:
        print_json({"resealed": done.resealed, "unreadable": done.unreadable, "older": done.older})
    else:
        older = f", {done.older} of all from before the upgrade" if done.older else ""
        say(f"{done.resealed} entries sealed with the current key, {done.unreadable} that no key opens{older}")
    if done.unreadable:
        raise typer.Exit(1)


@app.command(help="Erase a user's mappings; answers on their way get vault_expired. `forebay erase` does more.")
def forget(
    user: Annotated[str, typer.Option("--user", help="The user, by id or pseudonym.")],
    tenant: Annotated[str, typer.Option("--tenant", help="The user's tenant.")] = "default",
    as_json: Json = False,
) -> None:
    """The right to erasure; topics forget by their retention (docs/how-to/redaction.md)."""
    from forebay.operations import vault as operations
    from forebay.operations.audit.opening import recorder
    from forebay.privacy.people.names import open_names
    from forebay.privacy.sealing import load_keyring
    from forebay.settings import VaultSettings

    def erase(vault: "Vault", settings: "Settings") -> Awaitable[int]:
        ring = load_keyring(settings[VaultSettings])
        names = open_names(settings)
        return operations.forget(vault, recorder(settings), ring, tenant=tenant, user=user, names=names)

    erased = _with_vault(erase)
    if as_json:
        print_json({"erased": erased})
    elif erased:
        say(f"{erased} entries erased")
    if not erased:
        complain(f"nothing is known of user {user} of tenant {tenant}")
        raise typer.Exit(3)


@app.command(help="Make a key: a line ID:BASE64 for FOREBAY_VAULT_KEYS or vault.keys_file; the newest goes first.")
def key(key_id: Annotated[str, typer.Argument(help="Name of the key.", metavar="ID")]) -> None:
    """To standard output only: it is stored nowhere. That it was made is in the audit trail, so brokers are needed."""
    from forebay.embedded.installation import installation
    from forebay.operations import vault as operations
    from forebay.operations.audit.opening import recorder

    with explained():
        say(operations.new_key(key_id, recorder(installation())))


@app.command(help="Print the key of users' pseudonyms, for identity.key_file: before the vault gets a second key.")
def identity(
    of: Annotated[str, typer.Option(help="Id of the vault's key that it is derived from, if there are several.")] = "",
) -> None:
    """To standard output only: whoever has it can tell which pseudonym is whose. Stages without vault keys need it."""
    from forebay.embedded.installation import installation
    from forebay.operations import vault as operations
    from forebay.operations.audit.opening import recorder

    settings = installation()
    with explained():
        say(operations.identity(settings, recorder(settings), of=of))


def _with_vault(work: "Callable[[Vault, Settings], Awaitable[T]]") -> T:
    import asyncio

    from forebay.contract.failures import Failure
    from forebay.embedded.installation import installation
    from forebay.privacy.vault_redis import open_vault

    settings = installation()

    async def run() -> T:
        async with open_vault(settings) as vault:
            return await work(vault, settings)

    try:
        with explained():
            return asyncio.run(run())
    except Failure as failure:
        complain(failure.message)
        raise typer.Exit(2) from None
