"""What is known about hits by meaning? Verified pairs by task, and the live estimate of the share of wrong hits."""

import time
from collections.abc import Callable

from forebay.state.keys import Common, Hashed, Key, plain
from forebay_agents.cache.error_bound.bound import Evidence, chance, counter, evidence_of, reach, scrutiny, threshold
from forebay_agents.cache.store.store import Store

_FRESH_S = 5.0
"""Seconds that a worker believes counters it has read: a verified pair matters soon, not at once."""


def evidence_key(wall: str, task: str | None) -> Key:
    """Key of a task's counters."""
    return plain(Hashed.CACHE_EVIDENCE, wall, task or "")


SAMPLED = plain(Common.CACHE_SAMPLED)
"""Key of the counters ``right`` and ``wrong`` of sampled hits, over all tenants."""


class EvidenceBook:
    """A task's verified pairs, read at most every few seconds.

    Args:
        static: threshold without evidence.
        delta: largest share of wrong hits.
    """

    def __init__(self, store: Store, static: float, delta: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._static = static
        self._delta = delta
        self._clock = clock
        self._known: dict[Key, tuple[float, Evidence, float]] = {}

    async def threshold(self, wall: str, task: str | None) -> float:
        """The task's threshold now."""
        return (await self._read(wall, task))[2]

    async def chance(self, wall: str, task: str | None, score: float) -> float:
        """Probability with which an answer at ``score`` may be given."""
        _, evidence, least = await self._read(wall, task)
        return chance(score, least, self._delta, evidence)

    async def reach(self, wall: str, task: str | None, thrown: float) -> float:
        """Least score at which a request that threw this coin may be given an answer."""
        _, evidence, least = await self._read(wall, task)
        return reach(least, self._delta, evidence, thrown)

    async def scrutiny(self, wall: str, task: str | None) -> float:
        """How many times as many of the task's hits as usual are verified now."""
        _, evidence, least = await self._read(wall, task)
        return scrutiny(least, self._delta, evidence)

    async def add(self, wall: str, task: str | None, score: float, *, right: bool, sampled_hit: bool) -> None:
        """Enter a verified pair."""
        await self._store.count(evidence_key(wall, task), {counter(score, right=right): 1})
        if sampled_hit:
            await self._store.count(SAMPLED, {"right" if right else "wrong": 1})
        self._known.pop(evidence_key(wall, task), None)

    async def _read(self, wall: str, task: str | None) -> tuple[float, Evidence, float]:
        key = evidence_key(wall, task)
        known = self._known.get(key)
        if known is None or self._clock() - known[0] > _FRESH_S:
            evidence = evidence_of(await self._store.counts(key))
            known = (self._clock(), evidence, threshold(self._static, self._delta, evidence))
            if len(self._known) > 4_096:
                self._known.clear()
            self._known[key] = known
        return known
