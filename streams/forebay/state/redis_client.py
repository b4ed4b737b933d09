"""One way to connect to Redis, for everything that does; redis-py is imported here and in what gathers commands.

``except redis_errors()`` is how everybody else hears that Redis is away: Python asks for the types only when something
was raised, so that a command which needs no Redis never imports its client.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from forebay.contract.failures import Held, Transient
from forebay.settings import RedisSettings, Settings

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
    from redis.asyncio import BlockingConnectionPool

    from forebay.state.gathering import GatheringRedis

    pool: Any = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=max(_QUEUE_S, timeout_s),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        protocol=2,
    )
    client: Any = GatheringRedis(pool)
    try:
        yield client
    finally:
        await client.aclose()


def refusals() -> type[Exception]:
    """What Redis answers to a command that it understood and will not do: no right, wrong type, no memory."""
    from redis.exceptions import ResponseError

    return ResponseError


def redis_errors() -> tuple[type[Exception], ...]:
    """What a command raises while Redis is away or slow. Never log their texts: they may quote the command."""
    from redis.exceptions import RedisError

    return RedisError, OSError, TimeoutError


def refused(error: Exception, what: str) -> Transient:
    """The failure of a record whose command Redis did not take: ``redis_full`` holds it, the other retries it.

    Args:
        what: whose command, for the message. The error's own text is left out: it may quote the command, and with it
            values.
    """
    from redis.exceptions import OutOfMemoryError

    if isinstance(error, OutOfMemoryError):
        return Held("redis_full", f"{what}: Redis has no memory left")
    return Transient("redis_unavailable", f"{what}: {type(error).__name__}")
