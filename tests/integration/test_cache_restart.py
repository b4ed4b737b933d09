"""What the cache keeps outlives Redis: answers and vectors are there again after a kill, from the append-only file."""

import numpy as np
import pytest

from forebay.state.redis_client import open_redis_at
from forebay_agents.cache.store.redis import RedisStore
from forebay_agents.cache.store.store import Place
from tests.integration.conftest import empty_redis
from tests.stack import Servers

pytestmark = pytest.mark.embedded

_ENTRIES = 60


async def test_vectors_and_answers_survive_a_killed_redis(redis_server: tuple[Servers, str], scratch_url: str) -> None:
    servers, _ = redis_server
    vectors = np.random.default_rng(1).standard_normal((_ENTRIES, 384)).astype(np.float32)
    async with empty_redis(scratch_url) as client:
        store = RedisStore(client, "fb:")
        for number, vector in enumerate(vectors):
            place = Place(wall="t.a", entry_id=f"e{number}")
            await store.put(place, b"kept", ttl_s=60, partition="p", vector=vector, limit=1_000)
        await client.execute_command("WAITAOF", 1, 0, 5_000)
    servers.kill("redis")
    # Redis 8.2 ends at once here when a vector was added with CAS: such a command cannot be read back.
    servers.start("redis")
    async with open_redis_at(scratch_url, timeout_s=10.0) as other:
        store = RedisStore(other, "fb:")
        for number, vector in enumerate(vectors):
            [nearest] = await store.nearest("t.a", "p", vector, count=1, effort=100)
            assert nearest.entry_id == f"e{number}"
        kept = await store.get_many("t.a", [f"e{number}" for number in range(_ENTRIES)])
        assert set(kept.values()) == {b"kept"}
        assert len(kept) == _ENTRIES
