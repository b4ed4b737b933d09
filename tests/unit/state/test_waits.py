"""What stages tell of their queues: by stage, for ten seconds, and never an error."""

from typing import Any

from redis.exceptions import ConnectionError as RedisGone

from forebay.settings import load
from forebay.state.waits import FRESH_MS, RedisWaits, Wait


class Redis:
    """One hash."""

    def __init__(self) -> None:
        self.fields: dict[bytes, bytes] = {}
        self.down = False

    async def hset(self, _key: str, field: str, value: str) -> None:
        self._check()
        self.fields[field.encode()] = value.encode()

    async def hgetall(self, _key: str) -> dict[bytes, bytes]:
        self._check()
        return self.fields

    def _check(self) -> None:
        if self.down:
            raise RedisGone


class Bench:
    def __init__(self) -> None:
        self.redis, self.now_ms = Redis(), 1_000_000
        self.waits = RedisWaits(load(), self.redis, lambda: self.now_ms)


WAIT: Any = Wait(queued_ms=20, total_ms=70)


async def test_what_a_stage_told_is_heard_until_it_is_old() -> None:
    bench = Bench()
    await bench.waits.tell("cache", WAIT)
    assert await bench.waits.told() == {"cache": WAIT}
    bench.now_ms += FRESH_MS
    await bench.waits.tell("response", WAIT)
    assert await bench.waits.told() == {"cache": WAIT, "response": WAIT}
    bench.now_ms += 1
    assert await bench.waits.told() == {"response": WAIT}


async def test_without_redis_nobody_knows_and_nobody_fails() -> None:
    bench = Bench()
    await bench.waits.tell("cache", WAIT)
    bench.redis.down = True
    await bench.waits.tell("cache", WAIT)
    assert await bench.waits.told() == {}
