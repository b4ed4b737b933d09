"""What do tests and simulations use in place of Redis? The same interface over dictionaries, searched exhaustively."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import numpy as np

from forebay.state.keys import Hashed, Key, beginning, parts_of
from forebay_agents.cache.store.store import Neighbour, Place, StoreUnavailableError, Trace, Vector


class MemoryStore:
    """See :class:`forebay_agents.cache.store.store.Inventory`. Nothing expires.

    Attributes:
        down: makes every call fail, as if Redis were away.
        round_trips: calls so far.
    """

    def __init__(self) -> None:
        self.entries: dict[Place, bytes] = {}
        self.vectors: dict[tuple[str, str], dict[str, Vector]] = {}
        self.notes: dict[Key, str] = {}
        self.leases: dict[Place, str] = {}
        self.counters: dict[Key, dict[str, int]] = {}
        self._epochs: dict[str, int] = {}
        self._matrix: tuple[Any, list[str], Any] = ((), [], None)
        self.down = False
        self.round_trips = 0

    def _trip(self) -> None:
        self.round_trips += 1
        if self.down:
            raise StoreUnavailableError("ConnectionError")

    def _epoch(self, task: str | None) -> str:
        return f"{self._epochs.get('*', 0)}.{self._epochs.get(_named(task), 0)}"

    async def get(self, place: Place, task: str | None, trace: Trace | None = None) -> tuple[bytes | None, str]:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        if trace is not None:
            self.notes[trace.key] = str(place)
        return self.entries.get(place), self._epoch(task)

    async def get_many(self, wall: str, entry_ids: Sequence[str]) -> Mapping[str, bytes]:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        places = {entry_id: Place(wall=wall, entry_id=entry_id) for entry_id in entry_ids}
        return {entry_id: self.entries[place] for entry_id, place in places.items() if place in self.entries}

    async def nearest(self, wall: str, partition: str, vector: Vector, *, count: int, effort: int) -> list[Neighbour]:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        stored = self.vectors.get((wall, partition), {})
        if not stored:
            return []
        key = (wall, partition, len(stored))
        if self._matrix[0] != key:
            self._matrix = key, list(stored), np.array(list(stored.values()))
        cosines = self._matrix[2] @ vector
        nearest = np.argsort(-cosines, kind="stable")[:count]
        return [Neighbour(entry_id=self._matrix[1][i], cosine=float(cosines[i])) for i in nearest]

    async def put(
        self, place: Place, blob: bytes, *, ttl_s: float, partition: str | None, vector: Vector | None, limit: int
    ) -> None:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        self.entries[place] = blob
        if partition is not None and vector is not None:
            self.vectors.setdefault((place.wall, partition), {})[place.entry_id] = vector
            self._matrix = ((), [], None)

    async def forget(self, place: Place, partition: str | None) -> bool:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        if partition is not None:
            self.vectors.get((place.wall, partition), {}).pop(place.entry_id, None)
            self._matrix = ((), [], None)
        return self.entries.pop(place, None) is not None

    async def drop_neighbours(self, wall: str, partition: str, entry_ids: Sequence[str]) -> None:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        for entry_id in entry_ids:
            self.vectors.get((wall, partition), {}).pop(entry_id, None)
            self._matrix = ((), [], None)

    async def note(self, key: Key, text: str, *, ttl_s: float) -> None:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        self.notes[key] = text

    async def noted(self, key: Key) -> str | None:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        return self.notes.get(key)

    async def claim(self, place: Place, owner: str, *, lease_s: float) -> str:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        return self.leases.setdefault(place, owner)

    async def leased(self, place: Place) -> bool:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        return place in self.leases

    async def release(self, place: Place, owner: str) -> None:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        if self.leases.get(place) == owner:
            del self.leases[place]

    async def count(self, key: Key, increments: Mapping[str, int], *, ttl_s: float | None = None) -> int:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        counters = self.counters.setdefault(key, {})
        for field, by in increments.items():
            counters[field] = counters.get(field, 0) + by
        return counters[field]

    async def counts(self, key: Key) -> Mapping[str, int]:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        self._trip()
        return dict(self.counters.get(key, {}))

    async def bump_epoch(self, task: str | None) -> str:
        """See :class:`forebay_agents.cache.store.store.Store`."""
        key = "*" if task is None else _named(task)
        self._epochs[key] = self._epochs.get(key, 0) + 1
        return self._epoch(task)

    async def scan(self) -> AsyncIterator[bytes]:
        """See :class:`forebay_agents.cache.store.store.Inventory`."""
        self._trip()
        for blob in list(self.entries.values()):
            yield blob

    async def partitions(self) -> int:
        """See :class:`forebay_agents.cache.store.store.Inventory`."""
        self._trip()
        return sum(map(bool, self.vectors.values()))

    async def evidenced(self) -> AsyncIterator[tuple[str, str]]:
        """See :class:`forebay_agents.cache.store.store.Inventory`."""
        self._trip()
        for key in list(self.counters):
            if key.startswith(beginning(Hashed.CACHE_EVIDENCE)):
                wall, task = parts_of(Hashed.CACHE_EVIDENCE, key)
                yield wall, task

    async def epochs(self) -> Mapping[str, int]:
        """See :class:`forebay_agents.cache.store.store.Inventory`."""
        self._trip()
        return dict(self._epochs)


def _named(task: str | None) -> str:
    return f"task:{task or ''}"
