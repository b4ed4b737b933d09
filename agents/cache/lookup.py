"""Is there an answer already? First for the equal prompt, then for a question that one answer serves as well."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from agents.cache.address import Address, person
from agents.cache.entry import CorruptEntryError, Entry, Trust, unpack
from agents.cache.locating import Locator, Reader
from agents.cache.matching import Matcher, Reading, Verdict
from agents.cache.metrics import CacheMetrics
from agents.cache.settings import CacheSettings
from agents.cache.store import Store
from streams.records import AnswerSource, RedactedRequest


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


class Lookup:
    """Finds answers in a store. Raises :class:`agents.cache.store.StoreUnavailableError`.

    Args:
        clock_ms: wall clock, ms since the epoch.
    """

    def __init__(
        self,
        store: Store,
        locator: Locator,
        reader: Reader,
        matcher: Matcher,
        settings: CacheSettings,
        metrics: CacheMetrics,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._locator = locator
        self._reader = reader
        self._matcher = matcher
        self._settings = settings
        self._metrics = metrics
        self._clock_ms = clock_ms

    async def find(self, request: RedactedRequest) -> Found | None:
        """The answer for ``request``, if one may be given."""
        address, blob = await self._locator.fetch(request)
        entry = _unpacked(blob)
        if entry is not None and self.usable(entry, request, address):
            source = AnswerSource.CORRECTION if entry.trust is Trust.HUMAN else AnswerSource.CACHE_EXACT
            return Found(entry=entry, address=address, source=source)
        if address.partition is None:
            return None
        return await self._similar(request, address, address.partition)

    def usable(self, entry: Entry, request: RedactedRequest, address: Address) -> bool:
        """Whether the entry may be given to this requester now."""
        return (
            entry.wall == address.wall
            and not entry.quarantined
            and entry.fresh_until > self._clock_ms()
            and self._shared_with(entry, request)
            and address.numbers.covers(entry.content)
        )

    def _shared_with(self, entry: Entry, request: RedactedRequest) -> bool:
        """Answers cross people once they are verified, or were given by a model to enough of them."""
        if entry.trust is not Trust.MODEL or person(request) in entry.contributors:
            return True
        settings = self._settings
        needed = settings.share_after_users_global if entry.wall == "global" else settings.share_after_users
        return len(entry.contributors) >= needed

    async def _similar(self, request: RedactedRequest, address: Address, partition: str) -> Found | None:
        reading = await self._reader.read(address.question)
        near = await self._store.nearest(
            address.wall,
            partition,
            reading.vector,
            count=self._settings.candidates,
            effort=self._settings.search_effort,
        )
        near = [neighbour for neighbour in near if neighbour.entry_id != address.entry]
        blobs = await self._store.get_many(address.wall, [neighbour.entry_id for neighbour in near])
        gone = [neighbour.entry_id for neighbour in near if neighbour.entry_id not in blobs]
        if gone:
            await self._store.drop_neighbours(address.wall, partition, gone)
        best: Found | None = None
        for blob in blobs.values():
            found = self._judged(_unpacked(blob), reading, request, address)
            if found is not None and (best is None or _score(found) > _score(best)):
                best = found
        return best

    def _judged(
        self, entry: Entry | None, reading: Reading, request: RedactedRequest, address: Address
    ) -> Found | None:
        if entry is None or entry.partition != address.partition or not self.usable(entry, request, address):
            return None
        try:
            stored = self._matcher.unpack(entry.question, entry.features)
        except ValueError:
            return None  # of another version of the matcher; replaced when the question is asked again
        verdict = self._matcher.compare(reading, stored)
        if not verdict.hit:
            for reason in verdict.reasons:
                self._metrics.guarded.labels(reason).inc()
            return None
        return Found(entry=entry, address=address, source=AnswerSource.CACHE_SEMANTIC, verdict=verdict)


def _unpacked(blob: bytes | None) -> Entry | None:
    if blob is None:
        return None
    try:
        return unpack(blob)
    except CorruptEntryError:
        return None


def _score(found: Found) -> float:
    return found.verdict.score if found.verdict else 1.0
