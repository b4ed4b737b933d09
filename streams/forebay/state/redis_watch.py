"""May Redis throw away what we keep, and how full is it? Asked at start and every few seconds, and told by metrics.

An answer that was paid for cannot be given when its pseudonyms were evicted, and a claim that is evicted is paid again.
A policy of eviction holds for a whole server, so what may not be lost has a server of its own that refuses writes when
it is full (``noeviction``): redaction then holds requests back, and they wait in Kafka. The cache's server evicts what
has a time-out and was used longest ago (``volatile-lru``); its counters and epochs have none and stay.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from forebay.settings import ConfigurationError, RedisSettings, Settings
from forebay.state.cancelling import end
from forebay.state.metrics import METRICS, RedisMetrics
from forebay.state.redis_client import open_redis, redis_errors, refusals

log = structlog.get_logger(__name__)

STATE_POLICY = "noeviction"
CACHE_POLICY = "volatile-lru"
_PERIOD_S = 2.0
"""Seconds between two looks, each one command of 0.1 ms: a flood of 2 MB/s fills 4 MB in between."""


class Keeps(StrEnum):
    """What a Redis is there for."""

    STATE = "state"
    """Vault, claims, budgets, outcomes: nothing of it may be evicted."""
    CACHE = "cache"
    """Answers and questions: what has a time-out may be evicted."""
    SHARED = "shared"
    """Both; nothing may be evicted, and the cache stops storing first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What Redis says of its memory; ``limit`` 0: none. Sizes in bytes."""

    used: int
    limit: int
    policy: str
    evicted: int = 0

    @property
    def share(self) -> float:
        """Share of the limit that is used; 0 without a limit."""
        return self.used / self.limit if self.limit else 0.0

    def fault(self, keeps: Keeps) -> str | None:
        """What is wrong with the policy, in words with the mend; ``None`` if nothing is."""
        if keeps is Keeps.CACHE:
            if not self.policy.startswith("allkeys-"):
                return None
            return (
                f"the cache's Redis may evict every key (maxmemory-policy {self.policy}), also the epochs that say what"
                f" is purged; set maxmemory-policy {CACHE_POLICY}"
            )
        if self.policy == STATE_POLICY:
            return None
        return (
            f"Redis may evict vault entries and claims when it is full (maxmemory-policy {self.policy}): paid answers"
            f" would be lost; set maxmemory-policy {STATE_POLICY}, and give the cache a Redis of its own"
            " (redis.cache_url)"
        )


class RedisWatch:
    """Looks at one Redis.

    Args:
        info: ``INFO`` as a mapping; raises ``OSError`` or ``redis.exceptions.RedisError``.
    """

    def __init__(
        self,
        info: Callable[[], Awaitable[Mapping[str, Any]]],
        keeps: Keeps,
        metrics: RedisMetrics = METRICS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._info = info
        self._keeps = keeps
        self._metrics = metrics
        self._sleep = sleep
        self._fault: str | None = None
        self._blind = False
        self.memory: Memory | None = None

    def room(self, share: float) -> bool:
        """Whether less than ``share`` of the memory is used, as far as is known."""
        return self.memory is None or self.memory.share < share

    async def require_safe(self) -> None:
        """A first look. A Redis that does not answer is no fault here: whoever needs it will wait.

        Raises:
            ConfigurationError: the policy is unsafe, in words with the mend.
        """
        await self._look()
        if self._fault is not None:
            raise ConfigurationError(self._fault)

    async def run(self) -> None:
        """Look again and again, until cancelled. What becomes unsafe meanwhile is logged once and shown by a metric."""
        while True:
            await self._sleep(_PERIOD_S)
            await self._look()

    async def _look(self) -> None:
        try:
            memory = _memory_of(await self._info())
        except refusals() as error:  # no right to ask: said once, and nothing is refused for it
            if not self._blind:
                log.warning("redis_not_watched", keeps=self._keeps.value, error=type(error).__name__)
            self._blind = True
            return
        except redis_errors():
            return
        self.memory = memory
        fault = memory.fault(self._keeps)
        if fault is not None and fault != self._fault:
            log.error("redis_may_evict", keeps=self._keeps.value, message=fault)
        self._fault = fault
        self._metrics.share.labels(self._keeps.value).set(memory.share)
        self._metrics.unsafe.labels(self._keeps.value).set(fault is not None)
        self._metrics.evicted.labels(self._keeps.value).set(memory.evicted)


def _memory_of(info: Mapping[str, Any]) -> Memory:
    return Memory(
        used=int(info.get("used_memory", 0)),
        limit=int(info.get("maxmemory", 0)),
        policy=str(info.get("maxmemory_policy", STATE_POLICY)),
        evicted=int(info.get("evicted_keys", 0)),
    )


@asynccontextmanager
async def watched(client: Any, keeps: Keeps) -> AsyncIterator[RedisWatch]:
    """Watch the Redis of ``client`` (``redis.asyncio``) while the block runs.

    Raises:
        ConfigurationError: see :meth:`RedisWatch.require_safe`.
    """
    watch = RedisWatch(client.info, keeps)
    await watch.require_safe()
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        await end([task])


@asynccontextmanager
async def open_state(settings: Settings) -> AsyncIterator[Any]:
    """For a worker: :func:`open_redis` to what may not be lost, watched while it is open.

    Raises:
        ConfigurationError: that Redis may evict it.
    """
    async with open_redis(settings) as client, watched(client, Keeps.STATE):
        yield client


@asynccontextmanager
async def open_cache(settings: Settings) -> AsyncIterator[tuple[Any, RedisWatch]]:
    """For a worker: the client of the cache's Redis, and the watch that knows whether there is room in it.

    Raises:
        ConfigurationError: that Redis may evict what has to stay.
    """
    keeps = Keeps.CACHE if settings[RedisSettings].cache_url.get_secret_value() else Keeps.SHARED
    async with open_redis(settings, cache=True) as client, watched(client, keeps) as watch:
        yield client, watch
