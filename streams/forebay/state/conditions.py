"""Which conditions hold that people are told of? Noted for all workers, so that each is told of once when it begins,
and once when it ends.

In Redis a condition is a key that exists as long as it holds, under its fingerprint. What a worker saw there it
believes for a minute: so that a deployment that answers costs no look at Redis with each answer. Without Redis the
worker goes by what it has seen itself: an alert that comes twice is better than none, and who sends messages knows a
fingerprint for one condition anyway.

Noted comes before published. So a condition that begins is noted for half a minute only, and for as long as it may hold
once the worker that tells of it has lived on for some seconds: one that dies in between leaves nothing behind, and who
sees the condition next tells of it. An end is a second key beside the first, for half a minute; both are gone once the
worker has lived on. If it dies in between, the condition is one that holds again, and who sees next that it does not
tells of the end. One that begins anew within those seconds takes the second key away, and is told of.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from forebay.contract.clock import Clock, elapsed_s, now_ms
from forebay.contract.handlers import Output
from forebay.contract.records import Alert, AlertState
from forebay.state.keys import Common, Prefix, plain
from forebay.state.redis_client import redis_errors

KEEP_MS = 30 * 86_400_000
"""As long as records of alerts are kept: who comes later than that is told again."""

_CONFIRMED_AFTER_S = 5.0
_UNCONFIRMED_MS = 30_000
_BELIEVED_S = 60.0
_REMEMBERED = 100_000
_ENDING = ".ending"


class ConditionStore(Protocol):
    """Since when a condition holds."""

    async def begin(self, fingerprint: str, at_ms: int, keep_ms: int) -> bool:
        """Note that it holds; whether that is news."""
        ...

    async def end(self, fingerprint: str) -> int | None:
        """Note that it does not; since when it held, ms since the epoch, ``None`` if that is no news."""
        ...


class MemoryConditions:
    """In one process."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}

    async def begin(self, fingerprint: str, at_ms: int, keep_ms: int) -> bool:
        """See :class:`ConditionStore`."""
        if fingerprint in self._since:
            return False
        if len(self._since) >= _REMEMBERED:
            self._since.clear()
        self._since[fingerprint] = at_ms
        return True

    async def end(self, fingerprint: str) -> int | None:
        """See :class:`ConditionStore`."""
        return self._since.pop(fingerprint, None)


_RUNNING: set[asyncio.Task[None]] = set()
"""The loop itself does not hold its tasks."""


def later(seconds: float, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do something in so many seconds, if this process is there still."""
    loop = asyncio.get_running_loop()

    def begin() -> None:
        task = loop.create_task(act())
        _RUNNING.add(task)
        task.add_done_callback(_RUNNING.discard)

    loop.call_later(seconds, begin)


class RedisConditions:
    """In Redis, falling back to memory.

    Args:
        client: a ``redis.asyncio`` client.
        later: see :func:`later`.
    """

    def __init__(
        self, client: Any, prefix: str, later: Callable[[float, Callable[[], Coroutine[Any, Any, None]]], None] = later
    ) -> None:
        self._client = client
        self._later = later
        self._prefix = Prefix(prefix)
        self._local = MemoryConditions()

    async def begin(self, fingerprint: str, at_ms: int, keep_ms: int) -> bool:
        """See :class:`ConditionStore`."""
        local = await self._local.begin(fingerprint, at_ms, keep_ms)
        key = self._key(fingerprint)
        try:
            news = bool(await self._client.set(key, at_ms, nx=True, px=min(keep_ms, _UNCONFIRMED_MS)))
            if not news and await self._client.delete(key + _ENDING):
                news = bool(await self._client.set(key, at_ms, px=min(keep_ms, _UNCONFIRMED_MS)))
        except redis_errors():
            return local
        if news and keep_ms > _UNCONFIRMED_MS:
            self._later(_CONFIRMED_AFTER_S, lambda: self._confirm(key, at_ms, keep_ms))
        return news

    async def _confirm(self, key: str, at_ms: int, keep_ms: int) -> None:
        with suppress(*redis_errors()):  # then somebody tells of it again
            await self._client.set(key, at_ms, xx=True, px=keep_ms)

    async def end(self, fingerprint: str) -> int | None:
        """See :class:`ConditionStore`."""
        local = await self._local.end(fingerprint)
        key = self._key(fingerprint)
        try:
            since = await self._client.get(key)
            if since is None or not await self._client.set(key + _ENDING, 1, nx=True, px=_UNCONFIRMED_MS):
                return None
            # Also if who told of its begin died since: somebody may have heard of it.
            await self._client.set(key, since, xx=True, px=KEEP_MS)
        except redis_errors():
            return local
        self._later(_CONFIRMED_AFTER_S, lambda: self._ended(key))
        return int(since)

    async def _ended(self, key: str) -> None:
        with suppress(*redis_errors()):  # then somebody tells of the end again
            if await self._client.getdel(key + _ENDING) is not None:
                await self._client.delete(key)

    def _key(self, fingerprint: str) -> str:
        return self._prefix + plain(Common.CONDITION, fingerprint)


class Conditions:
    """Makes of conditions that are seen again and again the alerts that are told.

    Args:
        now_ms: ms since the epoch.
        elapsed: seconds, of a clock that nobody sets.
    """

    def __init__(self, store: ConditionStore, now_ms: Clock = now_ms, elapsed: Any = elapsed_s) -> None:
        self._store = store
        self._now_ms = now_ms
        self._elapsed = elapsed
        self._seen: dict[str, tuple[bool, float]] = {}

    async def note(self, alert: Alert, *, holds: bool) -> Sequence[Alert]:
        """What to tell of the condition of ``alert``, which holds now or does not: one alert, or nothing."""
        seen = self._seen.get(alert.fingerprint)
        if seen is not None and seen[0] is holds and self._elapsed() - seen[1] < _BELIEVED_S:
            return ()
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        now = self._now_ms()
        if holds:
            keep_ms = KEEP_MS if alert.ends_at is None else max(1, alert.ends_at - now)
            news = await self._store.begin(alert.fingerprint, now, keep_ms)
            told = [replace(alert, starts_at=now)] if news else []
        else:
            since = await self._store.end(alert.fingerprint)
            told = [] if since is None else [replace(alert, state=AlertState.RESOLVED, starts_at=since, ends_at=now)]
        self._seen[alert.fingerprint] = (holds, self._elapsed())
        return told


def alert_output(alert: Alert) -> Output:
    """``alert`` as it is published."""
    return Output(topic="alerts", key=alert.fingerprint, value=alert)
