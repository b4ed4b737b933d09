"""The vault on a real Redis: the scripts do there what the twin in memory does."""

import asyncio
from typing import Any

import pytest

from forebay.contract.failures import Permanent, Transient
from forebay.privacy.pseudonyms import Numbering, PseudonymMap
from forebay.privacy.sealing import Keyring
from forebay.privacy.vault import Owner, Vault
from forebay.privacy.vault_redis import RedisVaultStore
from forebay.state.redis_client import open_redis_at

pytestmark = pytest.mark.embedded
ANN = Owner(tenant_id="acme", user_id="ann")
MAP = PseudonymMap(originals={"<PERSON_1>": "Ann Lee"})


def _vault(client: object, keys: dict[str, bytes]) -> Vault:
    return Vault(RedisVaultStore(client), Keyring(keys), prefix="fb[*]:", ttl_s=60)


async def test_the_life_of_an_entry(redis_client: Any) -> None:
    old, new = {"a": b"\1" * 32}, {"b": b"\2" * 32}
    vault = _vault(redis_client, old)
    ref = await vault.store(MAP, ANN, "r1")
    assert await vault.extend(ANN, "c", await vault.conversation(ANN, "c"), MAP.originals)
    keys = [key.decode() for key in await redis_client.keys("*")]
    assert len(keys) == 6
    lives = {key: await redis_client.ttl(key) for key in keys}
    assert all(0 < life <= 3660 for key, life in lives.items() if not key.endswith(("pepper", "bound")))
    assert await _vault(redis_client, new | old).rotate() == (4, 0, 0)
    after = _vault(redis_client, new)
    assert await after.load(ref, ANN, "r1") == MAP
    [entry] = (key for key in keys if ":vault:r:" in key)
    assert 0 < await redis_client.ttl(entry) <= 60
    assert (await after.conversation(ANN, "c")).tags == MAP.originals
    assert await after.forget(ANN) == 2
    with pytest.raises(Permanent):
        await after.load(ref, ANN, "r1")
    assert {key.decode() for key in await redis_client.keys("*")} == {"fb[*]:vault:pepper", "fb[*]:vault:bound"}


async def test_concurrent_turns_lose_no_value(redis_client: Any) -> None:
    vault = _vault(redis_client, {"a": b"\1" * 32})

    async def turn(name: str) -> str:
        while True:
            seen = await vault.conversation(ANN, "c")
            numbering = Numbering(seen.tags)
            tag = numbering.tag_for("PERSON", name)
            if await vault.extend(ANN, "c", seen, numbering.all):
                return tag

    names = [f"name {i}" for i in range(25)]
    assert len(set(await asyncio.gather(*(turn(name) for name in names)))) == 25


async def test_a_dead_redis_is_transient() -> None:
    async with open_redis_at("unix:///nonexistent/socket", timeout_s=1.0) as client:
        with pytest.raises(Transient) as down:
            await _vault(client, {"a": b"\1" * 32}).store(MAP, ANN, "r1")
    assert down.value.code == "redis_unavailable"
    assert "Ann" not in down.value.message
