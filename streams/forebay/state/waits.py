"""How long does a record wait at each stage now? Stages tell it in Redis, so that the first one can look ahead.

A hint and nothing more: without Redis nobody knows, and nothing is turned away for it. Of several workers of a stage
whoever wrote last speaks for all; a topic's partitions are spread over them evenly.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from forebay.contract.clock import Clock, now_ms
from forebay.settings import RedisSettings, Settings
from forebay.state.keys import Common, Prefix, plain
from forebay.state.redis_client import open_redis, redis_errors

FRESH_MS = 10_000
"""What was told before that is of a worker that is gone, or of a stage that has nothing to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """What a record meets at a stage: ms before it is taken in hand, and until it is done."""

    queued_ms: int
    total_ms: int


class Waits(Protocol):
    """Where stages tell. Neither raises: who cannot tell or hear goes on."""

    async def tell(self, stage: str, wait: Wait) -> None:
        """Say how long records wait at ``stage``."""
        ...

    async def told(self) -> Mapping[str, Wait]:
        """What was told within ten seconds, by stage."""
        ...


class RedisWaits:
    """In Redis, which is opened when something is told or asked; ``client``: a ``redis.asyncio`` one that is open."""

    def __init__(self, settings: Settings, client: Any = None, clock_ms: Clock = now_ms) -> None:
        self._settings = settings
        self._key = Prefix(settings[RedisSettings].key_prefix) + plain(Common.STAGE_WAITS)
        self._stack = AsyncExitStack()
        self._client = client
        self._clock_ms = clock_ms

    async def tell(self, stage: str, wait: Wait) -> None:
        """See the protocol."""
        told = f"{wait.queued_ms} {wait.total_ms} {self._clock_ms()}"
        with suppress(*redis_errors()):
            await (await self._open()).hset(self._key, stage, told)

    async def told(self) -> Mapping[str, Wait]:
        """See the protocol."""
        try:
            found = await (await self._open()).hgetall(self._key)
        except redis_errors():
            return {}
        since = self._clock_ms() - FRESH_MS
        told = ((stage.decode(), [int(number) for number in value.split()]) for stage, value in found.items())
        return {stage: Wait(queued_ms=queued, total_ms=total) for stage, (queued, total, at) in told if at >= since}

    async def close(self) -> None:
        """Close the connection, if there was one."""
        await self._stack.aclose()

    async def _open(self) -> Any:
        if self._client is None:
            self._client = await self._stack.enter_async_context(open_redis(self._settings))
        return self._client
