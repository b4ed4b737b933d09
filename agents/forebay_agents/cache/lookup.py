"""Is there an answer already? First for the equal prompt, then for a question that one answer serves as well."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

from forebay.contract.clock import Clock, now_ms
from forebay.contract.records import AnswerSource, RedactedRequest
from forebay.runtime.fair_queue import FairQueue
from forebay_agents.cache.error_bound.allowance import Allowance
from forebay_agents.cache.error_bound.bound import coin
from forebay_agents.cache.error_bound.evidence import EvidenceBook
from forebay_agents.cache.matching.matching import Reading, Verdict
from forebay_agents.cache.matching.matching import unpack as unpack_reading
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.address import Address, person
from forebay_agents.cache.store.entry import CorruptEntryError, Entry, Trust, unpack
from forebay_agents.cache.store.locating import Locator, Reader
from forebay_agents.cache.store.store import Store

_AT_ONCE = 2
"""Look-ups by meaning in progress: one computes, the others talk to the store. Tenants take turns for them."""
_EXPLOIT, _VERIFY = "exploit", "verify"
"""Names of the two coins of a request."""
_MARGIN = 0.02
"""An entry that was wrong at a score must do better than that by this much."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A stored answer for a request; ``verdict`` is ``None`` for an equal prompt."""

    entry: Entry
    address: Address
    source: AnswerSource
    verdict: Verdict | None = None

    @property
    def content(self) -> str:
        """The answer with the request's own pseudonyms."""
        return self.address.numbers.revert(self.entry.content)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explored:
    """A stored answer that is not given but compared with the model's own; ``hit``: it would have been given."""

    entry: Entry
    verdict: Verdict
    hit: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """What a look-up saw.

    Attributes:
        found: the answer to give.
        explored: the answer to compare with.
        present: whether the exact entry is there, if only for others.
        stale: the exact entry, past its time but still better than nothing.
    """

    address: Address
    found: Found | None = None
    explored: Explored | None = None
    present: bool = False
    stale: Found | None = None


class Lookup:
    """Finds answers in a store. Raises :class:`forebay_agents.cache.store.store.StoreUnavailableError`.

    Args:
        clock_ms: wall clock, ms since the epoch.
    """

    def __init__(
        self,
        store: Store,
        locator: Locator,
        reader: Reader,
        book: EvidenceBook,
        settings: CacheSettings,
        metrics: CacheMetrics,
        clock_ms: Clock = now_ms,
    ) -> None:
        self._store = store
        self._locator = locator
        self._reader = reader
        self._book = book
        self._settings = settings
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._turns = FairQueue(_AT_ONCE)
        self._near = Allowance(settings.near_misses_per_s, clock_ms)

    async def find(self, request: RedactedRequest) -> Search:
        """The answer for ``request``, if one may be given."""
        search = await self.find_equal(request, trace=True)
        if search.found is not None or search.stale is not None or search.address.partition is None:
            return search
        async with AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(self._settings.patience_ms / 1000):
                    await turn.enter_async_context(self._turns.slot(request.tenant_id, request.priority))
            except TimeoutError:
                self._metrics.skipped.inc()
                return search
            return await self._similar(request, search, search.address.partition)

    def address(self, request: RedactedRequest) -> Address:
        """Where the answer to ``request`` belongs, as far as is known without the store."""
        return self._locator.address(request)

    async def find_equal(self, request: RedactedRequest, *, trace: bool = False) -> Search:
        """Only the answer to the equal prompt: one round trip."""
        address, blob = await self._locator.fetch(request, trace=trace)
        entry = _unpacked(blob)
        if entry is None or not self._givable(entry, request, address):
            return Search(address=address, present=entry is not None)
        source = AnswerSource.CORRECTION if entry.trust is Trust.HUMAN else AnswerSource.CACHE_EXACT
        found = Found(entry=entry, address=address, source=source)
        if entry.fresh_until > self._clock_ms():
            return Search(address=address, found=found, present=True)
        return Search(address=address, stale=found)

    def _givable(self, entry: Entry, request: RedactedRequest, address: Address) -> bool:
        """Whether the entry may be given to this requester."""
        return (
            entry.wall == address.wall
            and not entry.quarantined
            and self._shared_with(entry, request)
            and address.numbers.covers(entry.content)
        )

    def _shared_with(self, entry: Entry, request: RedactedRequest) -> bool:
        """Answers cross people once they are verified, or were given by a model to enough of them."""
        if entry.trust is not Trust.MODEL or entry.error_code:
            return True
        settings = self._settings
        needed = settings.share_after_users_global if entry.wall == "global" else settings.share_after_users
        return len(entry.contributors) >= needed or person(request) in entry.contributors

    async def _similar(self, request: RedactedRequest, search: Search, partition: str) -> Search:
        address = search.address
        reading = await self._reader.read(address.question)
        candidates = await self._candidates(request, address, partition, reading)
        if not candidates:
            return search
        least = await self._book.threshold(address.wall, request.task)
        thresholds = [max(least, entry.wrong_at + _MARGIN) for entry, _ in candidates]
        near = coin(request.request_id, _VERIFY) < self._settings.verify_near_misses and self._near.take()
        floor = await self._floor(request, address, least, near=near)
        verdicts = await self._reader.compare(reading, [other for _, other in candidates], thresholds, floor)
        judged = [(entry, verdict) for (entry, _), verdict in zip(candidates, verdicts, strict=True)]
        for _, verdict in judged:
            if verdict.forbidden:
                for reason in verdict.reasons:
                    self._metrics.guarded.labels(reason).inc()
        allowed = [(entry, verdict) for entry, verdict in judged if not verdict.forbidden]
        if not allowed:
            return search
        entry, verdict = max(allowed, key=lambda pair: pair[1].score)
        return await self._decide(request, search, entry, verdict, near=near)

    async def _floor(self, request: RedactedRequest, address: Address, least: float, *, near: bool) -> float:
        """Least score at which anything may come of this request: a hit, or evidence. Its coins are thrown already."""
        floor = await self._book.reach(address.wall, request.task, coin(request.request_id, _EXPLOIT))
        if near:
            floor = min(floor, self._settings.near_miss)
        return min(floor, least)

    async def _candidates(
        self, request: RedactedRequest, address: Address, partition: str, reading: Reading
    ) -> list[tuple[Entry, Reading]]:
        """Stored questions near this one whose answers this requester may be given."""
        near = await self._store.nearest(
            address.wall,
            partition,
            reading.vector,
            count=self._settings.candidates,
            effort=self._settings.search_effort,
        )
        near = [one for one in near if one.entry_id != address.entry and one.cosine >= self._settings.least_similarity]
        blobs = await self._store.get_many(address.wall, [one.entry_id for one in near])
        gone = [one.entry_id for one in near if one.entry_id not in blobs]
        await self._store.drop_neighbours(address.wall, partition, gone)
        found = []
        for blob in blobs.values():
            entry = _unpacked(blob)
            if (
                entry is not None
                and entry.partition == partition
                and entry.error_code is None
                and entry.fresh_until > self._clock_ms()
                and self._givable(entry, request, address)
                and (other := _reading(entry)) is not None
            ):
                found.append((entry, other))
        return found

    async def _decide(
        self, request: RedactedRequest, search: Search, entry: Entry, verdict: Verdict, *, near: bool
    ) -> Search:
        settings, address = self._settings, search.address
        hit = verdict.hit
        if not hit and verdict.score > entry.wrong_at + _MARGIN:
            chance = await self._book.chance(address.wall, request.task, verdict.score)
            hit = coin(request.request_id, _EXPLOIT) < chance
        wanted = near and verdict.score >= settings.near_miss
        if hit:
            rate = min(1.0, settings.verify_hits * await self._book.scrutiny(address.wall, request.task))
            wanted = coin(request.request_id, _VERIFY) < rate
        explored = None
        if wanted:
            explored = Explored(entry=entry, verdict=verdict, hit=hit)
        if not hit or explored is not None:
            return Search(address=address, explored=explored, present=search.present)
        found = Found(entry=entry, address=address, source=AnswerSource.CACHE_SEMANTIC, verdict=verdict)
        return Search(address=address, found=found)


def _unpacked(blob: bytes | None) -> Entry | None:
    try:
        return unpack(blob) if blob is not None else None
    except CorruptEntryError:
        return None


def _reading(entry: Entry) -> Reading | None:
    """The stored question's reading; ``None`` for bytes of another version of the matcher."""
    try:
        return unpack_reading(entry.question, entry.features)
    except ValueError:
        return None
