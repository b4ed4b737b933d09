"""One way to connect to Redis, for everything that does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from forebay.settings import RedisSettings, Settings

_CONNECTIONS = 32
"""Of a worker. Redis answers one command after another, so more would only wait there instead of here."""
_QUEUE_S = 10.0
"""Longest wait for one of them: several hundred records in flight take turns; the ordinary pool refuses the 101st."""


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator[Any]:
    """A client that answers in bytes; it connects on first use and waits at most ``redis.timeout_ms`` a command."""
    from redis.asyncio import BlockingConnectionPool, Redis

    chosen = settings[RedisSettings]
    timeout_s = chosen.timeout_ms / 1000
    pool: Any = BlockingConnectionPool.from_url(
        chosen.url.get_secret_value(),
        max_connections=_CONNECTIONS,
        timeout=_QUEUE_S,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        protocol=2,
    )
    client: Any = Redis.from_pool(pool)
    try:
        yield client
    finally:
        await client.aclose()
