"""Erasure in a real Redis: whatever has a person in its key or its value is gone, and nothing of anybody else."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from forebay.operations.people.person import Person
from forebay.operations.people.redis_places import places
from forebay.privacy.people.names import Names
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.vault import Owner, Vault
from forebay.privacy.vault_redis import RedisVaultStore
from forebay.state.keys import Hashed, Owned, formerly, owned, plain
from forebay.testing import KEYRING
from forebay_agents.cache.store.address import user_wall
from forebay_agents.cache.store.entry import Entry
from forebay_agents.cache.store.people import CachePlace
from forebay_agents.cache.store.redis import RedisStore
from forebay_agents.cache.store.store import Place

pytestmark = pytest.mark.embedded

NAMES = Names(b"\2" * 32)
USER = "ann*[lee]@example.com"
ANN, BOB = NAMES.user("acme", USER), NAMES.user("acme", "bob")


async def fill(client: Any, prefix: str, vault: Vault, users: Sequence[str], requests: Sequence[str]) -> None:
    store = RedisStore(client, prefix)
    for user in users:
        await vault.store(PseudonymMap(originals={"<PERSON_1>": "Ann"}), Owner(tenant_id="acme", user_id=user), "r")
        for part in ("", ":amounts"):
            await client.hset(prefix + owned(Owned.USER_BUDGET, "acme", user, "day", "0") + part, "spent", 1)
        await client.set(prefix + owned(Owned.USER_RATE, "acme", user, "requests"), 1)
        await client.hset(prefix + formerly(Owned.USER_BUDGET, f"acme|{user}:day:0"), "spent", 1)
        wall = user_wall("acme", user)
        entry = Entry(entry_id=f"e-{user}", wall=wall, question="q", content="a")
        place = Place(wall=wall, entry_id=entry.entry_id)
        await store.put(place, entry.pack(), ttl_s=60, partition=None, vector=None, limit=1)
        await client.hset(prefix + plain(Hashed.CACHE_QUOTA, wall.partition(".")[2], "1"), "written", 1)
    for request in requests:
        for space in (Owned.FINGERPRINT, Owned.OUTCOME, Owned.CACHE_TRACE, Owned.CACHE_EXPLORED):
            await client.set(prefix + owned(space, "acme", request), "x")
        await client.hset(prefix + owned(Owned.ANSWER_CLAIM, "acme", request), mapping={"owner": "w", "outputs": "x"})
        await client.hset(prefix + owned(Owned.JUDGE_CLAIM, "acme", request), "owner", "w")


async def names_in(client: Any, prefix: str) -> set[str]:
    return {key.decode() async for key in client.scan_iter(match=f"{prefix}*")}


async def test_all_of_a_person_goes_and_nothing_of_anybody_else(redis_client: Any) -> None:
    prefix = f"{uuid4().hex}:"
    vault = Vault(RedisVaultStore(redis_client), KEYRING, prefix=prefix, ttl_s=60)
    await fill(redis_client, prefix, vault, [BOB, "annie[lee]@example.com"], ["r-3"])
    await redis_client.set(prefix + owned(Owned.FINGERPRINT, "globex", "r-1"), "x")
    others = await names_in(redis_client, prefix)
    await fill(redis_client, prefix, vault, [USER, ANN], ["r-1", "r-2"])
    person = Person(tenant_id="acme", given=USER, names=NAMES, requests=frozenset({"r-1", "r-2", "r-0"}))
    everywhere = [*places(redis_client, prefix, vault), CachePlace(redis_client, prefix)]
    told = {place.name: len(await place.told(person)) for place in everywhere}
    assert told == {
        "vault": 2,
        "fingerprints": 2,
        "recent answers": 2,
        "claims": 2,
        "budgets and rates": 8,
        "cache": 2,
    }
    removed = {place.name: (await place.erase(person)).removed for place in everywhere}
    assert removed == told | {"cache": 2 + 4 + 2}
    under_way = {prefix + owned(Owned.JUDGE_CLAIM, "acme", request) for request in ("r-1", "r-2")}
    assert await names_in(redis_client, prefix) == others | under_way  # whose work goes on: it ends with its lease
    assert [(await place.erase(person)).removed for place in everywhere] == [0] * 6
