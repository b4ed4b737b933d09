"""In-memory twins of what the cache talks to: a store, a matcher without a model, and requests."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from agents.cache.matching import Reading, Verdict
from agents.cache.store import Neighbour, Place, StoreUnavailableError, Vector
from streams.canonical import prompt_hash
from streams.records import (
    AnswerSource,
    CachePolicy,
    Completion,
    Message,
    RedactedRequest,
    ResponseStatus,
)


class MemoryStore:
    """See ``agents.cache.store.Store``; ``down`` makes it unavailable."""

    def __init__(self) -> None:
        self.entries: dict[Place, bytes] = {}
        self.vectors: dict[tuple[str, str], dict[str, Vector]] = {}
        self.traces: dict[str, Place] = {}
        self.epochs: dict[str | None, int] = {}
        self.down = False
        self.round_trips = 0

    def _trip(self) -> None:
        self.round_trips += 1
        if self.down:
            raise StoreUnavailableError("ConnectionError")

    def _epoch(self, task: str | None) -> str:
        return f"{self.epochs.get('*', 0)}.{self.epochs.get(task, 0)}"

    async def get(self, place: Place, task: str | None) -> tuple[bytes | None, str]:
        self._trip()
        return self.entries.get(place), self._epoch(task)

    async def get_many(self, wall: str, entry_ids: Sequence[str]) -> Mapping[str, bytes]:
        self._trip()
        places = {entry_id: Place(wall=wall, entry_id=entry_id) for entry_id in entry_ids}
        return {entry_id: self.entries[place] for entry_id, place in places.items() if place in self.entries}

    async def nearest(self, wall: str, partition: str, vector: Vector, *, count: int, effort: int) -> list[Neighbour]:
        self._trip()
        near = [
            Neighbour(entry_id=entry_id, cosine=float(vector @ other))
            for entry_id, other in self.vectors.get((wall, partition), {}).items()
        ]
        return sorted(near, key=lambda neighbour: -neighbour.cosine)[:count]

    async def put(
        self, place: Place, blob: bytes, *, ttl_s: int, partition: str | None, vector: Vector | None, limit: int
    ) -> None:
        self._trip()
        self.entries[place] = blob
        if partition is not None and vector is not None:
            self.vectors.setdefault((place.wall, partition), {})[place.entry_id] = vector

    async def forget(self, place: Place, partition: str | None) -> bool:
        self._trip()
        if partition is not None:
            self.vectors.get((place.wall, partition), {}).pop(place.entry_id, None)
        return self.entries.pop(place, None) is not None

    async def drop_neighbours(self, wall: str, partition: str, entry_ids: Sequence[str]) -> None:
        self._trip()
        for entry_id in entry_ids:
            self.vectors.get((wall, partition), {}).pop(entry_id, None)

    async def trace(self, request_id: str, place: Place, *, ttl_s: int) -> None:
        self._trip()
        self.traces[request_id] = place

    async def traced(self, request_id: str) -> Place | None:
        self._trip()
        return self.traces.get(request_id)

    async def bump_epoch(self, task: str | None) -> str:
        key = "*" if task is None else task
        self.epochs[key] = self.epochs.get(key, 0) + 1
        return self._epoch(task)


class WordMatcher:
    """A matcher for which questions with the same set of words are the same question."""

    identity = "words"

    def read(self, text: str) -> Reading:
        vector = np.zeros(64, np.float32)
        for word in set(text.casefold().split()):
            vector[hash(word) % 64] += 1
        return Reading(text=text, vector=vector / (float(np.linalg.norm(vector)) or 1.0))

    def pack(self, reading: Reading) -> bytes:
        return reading.vector.tobytes()

    def unpack(self, text: str, packed: bytes) -> Reading:
        return Reading(text=text, vector=np.frombuffer(packed, np.float32))

    def compare(self, new: Reading, stored: Reading, *, threshold: float | None = None) -> Verdict:
        hit = set(new.text.casefold().split()) == set(stored.text.casefold().split())
        return Verdict(
            hit=hit,
            similarity=float(new.vector @ stored.vector),
            threshold=0.5 if threshold is None else threshold,
            score=float(hit),
            reasons=("similar",) if hit else ("not_similar",),
        )


def request(text: str, *, request_id: str = "r", tenant: str = "t", user: str = "u", **more: object) -> RedactedRequest:
    """A request with one user turn."""
    base = RedactedRequest(request_id=request_id, tenant_id=tenant, user_id=user, messages=(Message(content=text),))
    base = dataclasses.replace(base, **more)  # type: ignore[arg-type]  # any field of the record
    return dataclasses.replace(base, prompt_hash=prompt_hash(base))


def scoped(text: str, scope: str | None, **more: object) -> RedactedRequest:
    """A request that asks for a scope of sharing."""
    return request(text, cache=CachePolicy(scope=scope), **more)  # type: ignore[arg-type]  # as above


def completion(of: RedactedRequest, content: str = "An answer.", **more: object) -> Completion:
    """A good answer of a model to ``of``."""
    base = Completion(
        request_id=of.request_id,
        tenant_id=of.tenant_id,
        user_id=of.user_id,
        status=ResponseStatus.OK,
        content=content,
        finish_reason="stop",
        source=AnswerSource.MODEL,
        tier="small",
        model="tiny",
        cost_nanousd=1_000,
        request=of,
    )
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]  # any field of the record
