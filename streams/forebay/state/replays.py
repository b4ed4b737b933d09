"""Was this replay there before? A replay is claimed once: a copy of a signed record is no new one."""

from contextlib import AsyncExitStack
from typing import Any, Protocol

from forebay.settings import RedisSettings, Settings
from forebay.state.keys import Common, Prefix, digest_of, plain
from forebay.state.redis_client import open_redis, redis_errors, refused

KEEP_S = 2 * 3_600
"""Seconds that a claim is kept: a replay is refused when it is older than an hour, and clocks differ."""


class Replays(Protocol):
    """Who processes which replay; raises ``Transient("redis_unavailable")``."""

    async def first(self, letter: str, replay: str, place: str) -> bool:
        """Whether the record at ``place`` is the first with this replay of this letter; again and again, if it is."""
        ...


class MemoryReplays:
    """For one process that is not started again."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    async def first(self, letter: str, replay: str, place: str) -> bool:
        """See the protocol."""
        return self._known.setdefault((letter, replay), place) == place


class RedisReplays:
    """In Redis, which is opened when the first replay comes; ``client``: a ``redis.asyncio`` client that is open."""

    def __init__(self, settings: Settings, client: Any = None) -> None:
        self._settings = settings
        self._prefix = Prefix(settings[RedisSettings].key_prefix)
        self._stack = AsyncExitStack()
        self._client = client

    async def first(self, letter: str, replay: str, place: str) -> bool:
        """See the protocol."""
        if self._client is None:
            self._client = await self._stack.enter_async_context(open_redis(self._settings))
        key = self._prefix + plain(Common.REPLAY, digest_of(letter, replay))
        try:
            known = await self._client.set(key, place, nx=True, get=True, ex=KEEP_S)
        except redis_errors() as error:
            raise refused(error, "replays") from None
        return known is None or bool(known == place.encode())

    async def close(self) -> None:
        """Close the connection, if there was one."""
        await self._stack.aclose()
