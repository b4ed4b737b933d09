"""One way to connect to Redis, for everything that does; redis-py is imported here and nowhere else.

``except redis_errors()`` is how everybody else hears that Redis is away: Python asks for the types only when something
was raised, so that a command which needs no Redis never imports its client.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from forebay.settings import RedisSettings, Settings
from forebay.state.redis_watch import Keeps, RedisWatch, watched

_CONNECTIONS = 32
"""Of a worker. Redis answers one command after another, so more would only wait there instead of here."""
_QUEUE_S = 10.0
"""Longest wait for one of them: several hundred records in flight take turns; the ordinary pool refuses the 101st."""


@asynccontextmanager
async def open_redis(settings: Settings, *, cache: bool = False, timeout_s: float | None = None) -> AsyncIterator[Any]:
    """A client of the installation's Redis that answers in bytes; it connects on first use.

    Args:
        cache: the Redis of the cache, which is the same one if ``redis.cache_url`` is empty.
        timeout_s: longest wait for one command, in seconds; without it, ``redis.timeout_ms``.
    """
    chosen = settings[RedisSettings]
    url = chosen.cache_url.get_secret_value() if cache else ""
    longest_s = chosen.timeout_ms / 1000 if timeout_s is None else timeout_s
    async with open_redis_at(url or chosen.url.get_secret_value(), timeout_s=longest_s) as client:
        yield client


@asynccontextmanager
async def open_redis_at(url: str, *, timeout_s: float, connections: int = _CONNECTIONS) -> AsyncIterator[Any]:
    """The same for a Redis that no settings name: ``redis://``, ``rediss://`` or ``unix://`` and a path."""
    from redis.asyncio import BlockingConnectionPool, Redis

    pool: Any = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=max(_QUEUE_S, timeout_s),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        protocol=2,
    )
    client: Any = Redis.from_pool(pool)
    try:
        yield client
    finally:
        await client.aclose()


def redis_errors() -> tuple[type[Exception], ...]:
    """What a command raises while Redis is away or slow. Never log their texts: they may quote the command."""
    from redis.exceptions import RedisError

    return RedisError, OSError, TimeoutError


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
