"""Where do entries live? Behind one interface; in production Redis 8, whose vector sets search by meaning.

The cache holds nothing that cannot be bought again: whoever calls it treats :class:`StoreUnavailableError` as a miss.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from numpy import float32
from numpy.typing import NDArray

from forebay.state.keys import Hashed, Key, plain

Vector = NDArray[float32]


class StoreUnavailableError(Exception):
    """The store does not answer; never with the text of a request."""


class StoreFullError(StoreUnavailableError):
    """The store takes nothing new: the memory that it may use is full."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where an entry lies: the wall (see :mod:`forebay_agents.cache.store.address`) and the exact key."""

    wall: str
    entry_id: str

    def __str__(self) -> str:
        return f"{self.wall}:{self.entry_id}"

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """Inverse of ``str(place)``; ``None`` when it is none."""
        wall, _, entry_id = text.rpartition(":")
        return cls(wall=wall, entry_id=entry_id) if wall and entry_id else None


def unshareable(place: Place) -> Key:
    """Key of the note that a question just got an answer that may not be kept: waiting for it is vain."""
    return plain(Hashed.CACHE_UNSHAREABLE, place.wall, place.entry_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """Who looks: noted under ``key`` for ``ttl_s`` seconds, whether there is an entry or not."""

    key: Key
    ttl_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """A stored question near another: its entry and the store's (quantised) cosine."""

    entry_id: str
    cosine: float


class Store(Protocol):
    """What the cache needs of its store. Every method may raise :class:`StoreUnavailableError`."""

    async def get(self, place: Place, task: str | None, trace: Trace | None = None) -> tuple[bytes | None, str]:
        """The entry at ``place`` and the current epoch of ``task``, leaving a trace, in one round trip."""
        ...

    async def get_many(self, wall: str, entry_ids: Sequence[str]) -> Mapping[str, bytes]:
        """Those of the entries that are there."""
        ...

    async def nearest(self, wall: str, partition: str, vector: Vector, *, count: int, effort: int) -> list[Neighbour]:
        """Nearest questions of a partition, nearest first."""
        ...

    async def put(
        self, place: Place, blob: bytes, *, ttl_s: float, partition: str | None, vector: Vector | None, limit: int
    ) -> None:
        """Keep an entry for ``ttl_s`` seconds; with a vector also among the questions of ``partition``."""
        ...

    async def forget(self, place: Place, partition: str | None) -> bool:
        """Remove an entry; whether it was there."""
        ...

    async def drop_neighbours(self, wall: str, partition: str, entry_ids: Sequence[str]) -> None:
        """Remove questions whose entries expired."""
        ...

    async def note(self, key: Key, text: str, *, ttl_s: float) -> None:
        """Remember a small thing for a while."""
        ...

    async def noted(self, key: Key) -> str | None:
        """What was noted, if it has not expired."""
        ...

    async def claim(self, place: Place, owner: str, *, lease_s: float) -> str:
        """Take the lease of a place for ``owner`` if nobody has it; who has it now."""
        ...

    async def leased(self, place: Place) -> bool:
        """Whether anybody holds the lease."""
        ...

    async def release(self, place: Place, owner: str) -> None:
        """Give the lease back, if ``owner`` still holds it."""
        ...

    async def count(self, key: Key, increments: Mapping[str, int], *, ttl_s: float | None = None) -> int:
        """Add to the counters of a key; the new value of the last."""
        ...

    async def counts(self, key: Key) -> Mapping[str, int]:
        """All counters of a key."""
        ...

    async def bump_epoch(self, task: str | None) -> str:
        """Start a new epoch for one task, or for all; the new epoch."""
        ...


class Inventory(Store, Protocol):
    """What operators need beside: a look at all of it, which takes as long as there is much."""

    def scan(self) -> AsyncIterator[bytes]:
        """All packed entries, in no order; entries written meanwhile may be missing."""
        ...

    async def partitions(self) -> int:
        """How many partitions have questions that are searched by meaning."""
        ...

    def evidenced(self) -> AsyncIterator[tuple[str, str]]:
        """Walls and tasks of which there is evidence."""
        ...

    async def epochs(self) -> Mapping[str, int]:
        """Epoch counters: ``*`` for all tasks, ``task:…`` for one."""
        ...
