"""How is the cache laid out in Redis 8?

Packed entries with a TTL; vector sets of the questions (Q8, elements are entry ids); leases of single flights; notes;
hashes of counters; the epochs. Their keys: :mod:`forebay.state.keys`. What grows with traffic has a TTL, so the policy
of the cache's own Redis (``maxmemory-policy volatile-lru``) bounds the memory. In a Redis that is shared with the vault
nothing may be evicted: there nothing new is kept beyond a share of its memory, and what is there gives way by its TTL.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from forebay.state.keys import Common, Hashed, Key, Prefix, beginning, glob, parts_of, plain
from forebay.state.redis_client import redis_errors
from forebay_agents.cache.store.store import (
    Neighbour,
    Place,
    StoreFullError,
    StoreUnavailableError,
    Trace,
    Vector,
)

T = TypeVar("T")

_AT_ONCE = 64
"""Commands under way at once: redis-py raises beyond 100 connections, and a thousand requests may look together."""
_PARTITION_SLACK_S = 3_600
"""A partition outlives its newest entry by this, so that it is never gone before it."""
_ALL = "*"
_LINKS = 32
"""Neighbours that a stored question is tied to. With Redis' 16, 4 % of the searches among 100,000 got lost on the way
(recall 0.953 at EF 200, 0.983 at EF 1200); with 32 it is 0.987 at EF 100 and 0.992 at EF 200, for 300 bytes more an
entry and 4.7 ms instead of 2.6 to add one. A vector set refuses another number than it was made with: change the
matcher's version along with it."""
_TRIM = 16
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisStore:
    """See :class:`forebay_agents.cache.store.store.Store`.

    Args:
        client: a ``redis.asyncio`` client that answers in bytes.
        prefix: put in front of every key.
        room: whether there is memory for new answers; ``None``: Redis sees to that.
    """

    def __init__(self, client: Any, prefix: str, room: Callable[[], bool] | None = None) -> None:
        self._redis = client
        self._room = room
        self._prefix = Prefix(prefix)
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def get(self, place: Place, task: str | None, trace: Trace | None = None) -> tuple[bytes | None, str]:
        """See :class:`Store`."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.get(self._entry(place))
        pipe.hmget(self._epochs(), [_ALL, _task(task)])
        if trace is not None:
            pipe.set(self._prefix + trace.key, str(place), px=round(1000 * trace.ttl_s))
        blob, epochs, *_ = await self._run(pipe.execute)
        return blob, _epoch(epochs)

    async def get_many(self, wall: str, entry_ids: Sequence[str]) -> Mapping[str, bytes]:
        """See :class:`Store`."""
        if not entry_ids:
            return {}
        keys = [self._entry(Place(wall=wall, entry_id=entry_id)) for entry_id in entry_ids]
        blobs = await self._run(lambda: self._redis.mget(keys))
        return {entry_id: blob for entry_id, blob in zip(entry_ids, blobs, strict=True) if blob is not None}

    async def nearest(self, wall: str, partition: str, vector: Vector, *, count: int, effort: int) -> list[Neighbour]:
        """See :class:`Store`."""
        found = await self._run(
            lambda: self._redis.execute_command(
                "VSIM", self._vectors(wall, partition), "FP32", vector.tobytes(), "WITHSCORES", "COUNT", count,
                "EF", effort,
            )
        )  # fmt: skip
        # A map in RESP3, a flat list in RESP2; nearest first in both. Redis scores are (1 + cosine) / 2.
        scored = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True)
        return [Neighbour(entry_id=name.decode(), cosine=2 * float(score) - 1) for name, score in scored]

    async def put(
        self, place: Place, blob: bytes, *, ttl_s: float, partition: str | None, vector: Vector | None, limit: int
    ) -> None:
        """See :class:`Store`."""
        if self._room is not None and not self._room():
            raise StoreFullError("the memory of the shared Redis that the cache may use is full")
        pipe = self._redis.pipeline(transaction=False)
        pipe.set(self._entry(place), blob, px=max(1, round(1000 * ttl_s)))
        if partition is not None and vector is not None:
            key = self._vectors(place.wall, partition)
            # Not CAS, which would look for neighbours on a thread: Redis 8.2 cannot load an append-only file with it.
            pipe.execute_command("VADD", key, "FP32", vector.tobytes(), place.entry_id, "Q8", "M", _LINKS)
            longest_s = round(ttl_s) + _PARTITION_SLACK_S
            pipe.expire(key, longest_s, nx=True)
            pipe.expire(key, longest_s, gt=True)
            pipe.execute_command("VCARD", key)
        results = await self._run(pipe.execute)
        if partition is not None and vector is not None and results[-1] > limit:
            await self._trim(place.wall, partition)

    async def _trim(self, wall: str, partition: str) -> None:
        """Of a few random questions, drop those whose entries are gone, or else the one that expires first."""
        key = self._vectors(wall, partition)
        names = await self._run(lambda: self._redis.execute_command("VRANDMEMBER", key, _TRIM))
        ids = [name.decode() for name in names or ()]
        pipe = self._redis.pipeline(transaction=False)
        for entry_id in ids:
            pipe.pttl(self._entry(Place(wall=wall, entry_id=entry_id)))
        left = await self._run(pipe.execute)
        gone = [entry_id for entry_id, ttl in zip(ids, left, strict=True) if ttl == -2]
        if not gone and ids:
            gone = [min(zip(left, ids, strict=True))[1]]
            await self._run(lambda: self._redis.unlink(self._entry(Place(wall=wall, entry_id=gone[0]))))
        await self.drop_neighbours(wall, partition, gone)

    async def forget(self, place: Place, partition: str | None) -> bool:
        """See :class:`Store`."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.unlink(self._entry(place))
        if partition is not None:
            pipe.execute_command("VREM", self._vectors(place.wall, partition), place.entry_id)
        return bool((await self._run(pipe.execute))[0])

    async def drop_neighbours(self, wall: str, partition: str, entry_ids: Sequence[str]) -> None:
        """See :class:`Store`."""
        if entry_ids:
            pipe = self._redis.pipeline(transaction=False)
            for entry_id in entry_ids:
                pipe.execute_command("VREM", self._vectors(wall, partition), entry_id)
            await self._run(pipe.execute)

    async def note(self, key: Key, text: str, *, ttl_s: float) -> None:
        """See :class:`Store`."""
        await self._run(lambda: self._redis.set(self._prefix + key, text, px=round(1000 * ttl_s)))

    async def noted(self, key: Key) -> str | None:
        """See :class:`Store`."""
        found = await self._run(lambda: self._redis.get(self._prefix + key))
        return found.decode() if found else None

    async def claim(self, place: Place, owner: str, *, lease_s: float) -> str:
        """See :class:`Store`."""
        # SET … NX GET answers with the holder that was there before (Redis 7): one command, no script.
        holder = await self._run(
            lambda: self._redis.set(self._lease(place), owner, nx=True, get=True, px=round(1000 * lease_s))
        )
        return owner if holder is None else str(holder.decode())

    async def leased(self, place: Place) -> bool:
        """See :class:`Store`."""
        return bool(await self._run(lambda: self._redis.exists(self._lease(place))))

    async def release(self, place: Place, owner: str) -> None:
        """See :class:`Store`."""
        await self._run(lambda: self._redis.eval(_RELEASE, 1, self._lease(place), owner))

    async def count(self, key: Key, increments: Mapping[str, int], *, ttl_s: float | None = None) -> int:
        """See :class:`Store`."""
        pipe = self._redis.pipeline(transaction=False)
        for field, by in increments.items():
            pipe.hincrby(self._prefix + key, field, by)
        if ttl_s is not None:
            pipe.expire(self._prefix + key, round(ttl_s), nx=True)
        results = await self._run(pipe.execute)
        return int(results[len(increments) - 1])

    async def counts(self, key: Key) -> Mapping[str, int]:
        """See :class:`Store`."""
        found = await self._run(lambda: self._redis.hgetall(self._prefix + key))
        return {field.decode(): int(value) for field, value in found.items()}

    async def bump_epoch(self, task: str | None) -> str:
        """See :class:`Store`."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hincrby(self._epochs(), _ALL if task is None else _task(task), 1)
        pipe.hmget(self._epochs(), [_ALL, _task(task)])
        return _epoch((await self._run(pipe.execute))[1])

    async def scan(self) -> AsyncIterator[bytes]:
        """See :class:`Inventory`."""
        cursor, match = 0, self._all(Hashed.CACHE_ENTRY)
        while True:
            cursor, keys = await self._run(partial(self._redis.scan, cursor, match=match, count=500))
            for blob in await self._run(partial(self._redis.mget, keys)) if keys else ():
                if blob is not None:
                    yield blob
            if not cursor:
                return

    async def partitions(self) -> int:
        """See :class:`Inventory`."""
        return len(await self._run(lambda: self._keys(self._all(Hashed.CACHE_VECTORS))))

    async def evidenced(self) -> AsyncIterator[tuple[str, str]]:
        """See :class:`Inventory`."""
        for key in await self._run(lambda: self._keys(self._all(Hashed.CACHE_EVIDENCE))):
            wall, task = parts_of(Hashed.CACHE_EVIDENCE, self._prefix.without(key.decode()))
            yield wall, task

    async def _keys(self, pattern: str) -> list[bytes]:
        return [key async for key in self._redis.scan_iter(match=pattern, count=500)]

    async def epochs(self) -> Mapping[str, int]:
        """See :class:`Inventory`."""
        found = await self._run(lambda: self._redis.hgetall(self._epochs()))
        return {name.decode(): int(value) for name, value in found.items()}

    def _lease(self, place: Place) -> str:
        return self._prefix + plain(Hashed.CACHE_LEASE, place.wall, place.entry_id)

    def _entry(self, place: Place) -> str:
        return self._prefix + plain(Hashed.CACHE_ENTRY, place.wall, place.entry_id)

    def _vectors(self, wall: str, partition: str) -> str:
        return self._prefix + plain(Hashed.CACHE_VECTORS, wall, partition)

    def _epochs(self) -> str:
        return self._prefix + plain(Common.CACHE_EPOCHS)

    def _all(self, space: Hashed) -> str:
        return glob(self._prefix + beginning(space))

    async def _run(self, call: Callable[[], Awaitable[T] | Any]) -> Any:
        try:
            async with self._turns:
                return await call()
        except redis_errors() as error:
            raise StoreUnavailableError(type(error).__name__) from None


def _task(task: str | None) -> str:
    return f"task:{task or ''}"


def _epoch(counters: Sequence[bytes | None]) -> str:
    return ".".join(str(int(counter or 0)) for counter in counters)
