"""What becomes of an answer that a model or a person gave? It is kept, replaced, verified or evicted."""

import dataclasses
import time
from collections.abc import Callable

from agents.cache.address import Address, person
from agents.cache.admission import Refusal, fresh_for_s, refusal
from agents.cache.entry import CorruptEntryError, Entry, Trust, unpack
from agents.cache.locating import Locator, Reader
from agents.cache.matching import Matcher
from agents.cache.settings import CacheSettings
from agents.cache.store import Place, Store
from streams.records import Completion, Correction, CorrectionAction, RedactedRequest

_CONTRIBUTORS = 16
"""More distinct people than any sensible share_after_users are not counted."""


class Keeper:
    """Writes answers into a store. Raises :class:`agents.cache.store.StoreUnavailableError`.

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
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._locator = locator
        self._reader = reader
        self._matcher = matcher
        self._settings = settings
        self._clock_ms = clock_ms

    async def keep(self, completion: Completion) -> Refusal | None:
        """Keep the answer of ``completion``; why not, if it may not be."""
        request = completion.request
        if request is None:
            return Refusal.NOT_FROM_MODEL
        address, blob = await self._locator.fetch(request)
        reason = refusal(completion, address.numbers, self._settings)
        if reason is not None:
            return reason
        known = self._known(blob, address)
        if known is not None and known.trust is not Trust.MODEL:
            return Refusal.TRUSTED_ANSWER
        people = {person(request): None} | dict.fromkeys(known.contributors if known else ())
        entry = self._entry(completion, request, address, contributors=tuple(people)[:_CONTRIBUTORS])
        await self._write(entry, request, address)
        return None

    async def correct(self, correction: Correction) -> None:
        """Do what a person decided on an answer."""
        completion = correction.completion
        if completion is None or completion.request is None:
            return  # nothing says which question it was
        request = completion.request
        address, blob = await self._locator.fetch(request)
        here = Place(wall=address.wall, entry_id=address.entry)
        known = self._known(blob, address)
        if correction.action is not CorrectionAction.APPROVE:
            await self._store.forget(here, address.partition)
            if completion.cache_key and completion.cache_key != address.entry:
                # A wrong answer that came by similarity: its source must not be given again before it was judged.
                await self._store.forget(Place(wall=address.wall, entry_id=completion.cache_key), address.partition)
        if correction.action is CorrectionAction.CORRECT:
            entry = self._entry(completion, request, address, content=correction.content, trust=Trust.HUMAN)
            await self._write(entry, request, address)
        elif correction.action is CorrectionAction.APPROVE:
            if known is not None and known.trust is Trust.HUMAN:
                return
            entry = self._entry(completion, request, address, content=completion.content, trust=Trust.VERIFIED)
            await self._write(entry, request, address)

    def _entry(
        self,
        completion: Completion,
        request: RedactedRequest,
        address: Address,
        *,
        content: str | None = None,
        trust: Trust = Trust.MODEL,
        contributors: tuple[str, ...] = (),
    ) -> Entry:
        now = self._clock_ms()
        return Entry(
            entry_id=address.entry,
            wall=address.wall,
            partition=address.partition,
            question=address.question,
            content=address.numbers.apply(completion.content if content is None else content),
            finish_reason=completion.finish_reason,
            tier=completion.tier,
            model=completion.model,
            deployment=completion.deployment,
            cost_nanousd=completion.cost_nanousd or completion.saved_nanousd,
            confidence=completion.confidence,
            request_id=completion.request_id,
            author=person(request),
            contributors=contributors,
            trust=trust,
            created_at=now,
            fresh_until=now + 1000 * fresh_for_s(request, self._settings),
        )

    async def _write(self, entry: Entry, request: RedactedRequest, address: Address) -> None:
        ttl_s = fresh_for_s(request, self._settings)
        place = Place(wall=address.wall, entry_id=address.entry)
        vector = None
        if address.partition is not None:
            reading = await self._reader.read(address.question)
            vector = reading.vector
            entry = dataclasses.replace(entry, features=self._matcher.pack(reading))
        await self._store.put(
            place,
            entry.pack(),
            ttl_s=ttl_s,
            partition=address.partition,
            vector=vector,
            limit=self._settings.max_partition_entries,
        )
        await self._store.trace(entry.request_id, place, ttl_s=ttl_s)

    def _known(self, blob: bytes | None, address: Address) -> Entry | None:
        try:
            entry = unpack(blob) if blob else None
        except CorruptEntryError:
            return None
        return entry if entry is not None and entry.wall == address.wall else None
