"""Which entries are a tenant's, a person's, or have a text in them? Found by reading all of them."""

from collections.abc import AsyncIterator

from forebay.contract.records import RedactedRequest
from forebay.privacy.people.names import Names, forms
from forebay_agents.cache.store.address import person, tenant_wall, user_wall
from forebay_agents.cache.store.entry import CorruptEntryError, Entry, unpack
from forebay_agents.cache.store.store import Inventory, Place


async def matching(
    store: Inventory,
    names: Names | None,
    *,
    tenant: str | None = None,
    user: str | None = None,
    match: str | None = None,
) -> AsyncIterator[Entry]:
    """Entries for which everything that is given holds.

    Args:
        names: by which a user is found (:func:`forebay.privacy.people.names.forms`).
        user: whose they are, or who brought them in; of ``tenant``.
        match: a text in question or answer, in any case of letters.
    """
    wanted = match.casefold() if match else None
    of_user = set() if user is None else marks_of(names, tenant or "", user)
    async for entry, _ in entries(store):
        mine = tenant is None or entry.wall.startswith(tenant_wall(tenant)) or entry.tenant == tenant_wall(tenant)
        theirs = (
            user is None or entry.wall in of_user or entry.author in of_user or bool(of_user & set(entry.contributors))
        )
        if mine and theirs and (wanted is None or wanted in f"{entry.question}\n{entry.content}".casefold()):
            yield entry


async def removed(
    store: Inventory,
    names: Names | None,
    *,
    tenant: str | None = None,
    user: str | None = None,
    match: str | None = None,
) -> int:
    """Remove the entries of :func:`matching`; how many there were."""
    gone = 0
    async for entry in matching(store, names, tenant=tenant, user=user, match=match):
        gone += await store.forget(Place(wall=entry.wall, entry_id=entry.entry_id), entry.partition)
    return gone


def marks_of(names: Names | None, tenant: str, user: str) -> set[str]:
    """How entries say whose they are, or who brought them in: walls and hashes of the user, whatever he was called."""
    called = forms(names, tenant, user)
    authors = {person(RedactedRequest(tenant_id=tenant, user_id=one)) for one in called}
    return authors | {user_wall(tenant, one) for one in called}


async def entries(store: Inventory) -> AsyncIterator[tuple[Entry, int]]:
    """Every entry that can be read, with its packed bytes."""
    async for blob in store.scan():
        try:
            yield unpack(blob), len(blob)
        except CorruptEntryError:
            continue
