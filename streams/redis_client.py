"""One way to connect to Redis, for everything that does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streams.settings import RedisSettings, Settings


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator[Any]:
    """A client that answers in bytes; it connects on first use and waits at most ``redis.timeout_ms`` a command."""
    from redis.asyncio import Redis

    chosen = settings[RedisSettings]
    timeout_s = chosen.timeout_ms / 1000
    client: Any = Redis.from_url(
        chosen.url.get_secret_value(), socket_timeout=timeout_s, socket_connect_timeout=timeout_s, protocol=2
    )
    try:
        yield client
    finally:
        await client.aclose()
