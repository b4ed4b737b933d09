"""In-memory twins of what the cache talks to: a store, a matcher without a model, and requests."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from agents.cache.matching import Reading, Verdict, View
from agents.cache.store import Neighbour, Note, Place, StoreUnavailableError, Trace, Vector
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
        self.notes: dict[tuple[Note, str], str] = {}
        self.leases: dict[Place, str] = {}
        self.counters: dict[str, dict[str, int]] = {}
        self.epochs: dict[str | None, int] = {}
        self.down = False
        self.round_trips = 0

    def _trip(self) -> None:
        self.round_trips += 1
        if self.down:
            raise StoreUnavailableError("ConnectionError")

    def _epoch(self, task: str | None) -> str:
        return f"{self.epochs.get('*', 0)}.{self.epochs.get(task, 0)}"

    async def get(self, place: Place, task: str | None, trace: Trace | None = None) -> tuple[bytes | None, str]:
        self._trip()
        if trace is not None:
            self.notes[Note.TRACE, trace.request_id] = str(place)
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
        self, place: Place, blob: bytes, *, ttl_s: float, partition: str | None, vector: Vector | None, limit: int
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

    async def note(self, kind: Note, key: str, text: str, *, ttl_s: float) -> None:
        self._trip()
        self.notes[kind, key] = text

    async def noted(self, kind: Note, key: str) -> str | None:
        self._trip()
        return self.notes.get((kind, key))

    async def claim(self, place: Place, owner: str, *, lease_s: float) -> bool:
        self._trip()
        return self.leases.setdefault(place, owner) == owner

    async def leased(self, place: Place) -> bool:
        self._trip()
        return place in self.leases

    async def release(self, place: Place, owner: str) -> None:
        self._trip()
        if self.leases.get(place) == owner:
            del self.leases[place]

    async def count(self, name: str, increments: Mapping[str, int], *, ttl_s: float | None = None) -> int:
        self._trip()
        counters = self.counters.setdefault(name, {})
        for field, by in increments.items():
            counters[field] = counters.get(field, 0) + by
        return counters[field]

    async def counts(self, name: str) -> Mapping[str, int]:
        self._trip()
        return dict(self.counters.get(name, {}))

    async def bump_epoch(self, task: str | None) -> str:
        key = "*" if task is None else task
        self.epochs[key] = self.epochs.get(key, 0) + 1
        return self._epoch(task)


class WordMatcher:
    """A matcher without a model: questions score by the share of words they have in common."""

    identity = "words"

    def __init__(self, threshold: float = 0.9) -> None:
        self.threshold = threshold

    def read(self, text: str) -> Reading:
        vector = np.zeros(64, np.float32)
        for word in set(text.casefold().split()):
            vector[sum(word.encode()) % 64] += 1
        sentence = vector / (float(np.linalg.norm(vector)) or 1.0)
        return Reading(text=text, near=View(sentence=sentence, words=np.zeros((0, 0), np.int8)))

    def deepen(self, reading: Reading) -> Reading:
        return reading

    def compare(
        self, new: Reading, stored: Sequence[Reading], thresholds: Sequence[float | None] = ()
    ) -> list[Verdict]:
        verdicts = []
        for index, other in enumerate(stored):
            ours, theirs = set(new.text.casefold().split()), set(other.text.casefold().split())
            score = len(ours & theirs) / len(ours | theirs)
            given = thresholds[index] if index < len(thresholds) else None
            threshold = self.threshold if given is None else given
            verdicts.append(
                Verdict(
                    hit=score >= threshold,
                    similarity=float(new.vector @ other.vector),
                    threshold=threshold,
                    score=score,
                    reasons=("same_meaning",) if score >= threshold else ("below_threshold",),
                )
            )
        return verdicts


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
