"""What becomes of an answer that a model gave? It is kept for those who may share it, or there is a reason why not."""

import dataclasses

from forebay.contract.clock import Clock, now_ms
from forebay.contract.records import (
    AnswerSource,
    Attempt,
    CacheMode,
    Completion,
    RedactedRequest,
    ResponseStatus,
)
from forebay.privacy.egress import EgressGuard
from forebay.state.keys import Hashed, Owned, owned, plain
from forebay_agents.cache.admission import Refusal, fresh_for_s, looks_permanent, refusal
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.single_flight import SingleFlight, flyer
from forebay_agents.cache.store.address import Address, person, tenant_wall
from forebay_agents.cache.store.entry import CorruptEntryError, Entry, Trust, unpack
from forebay_agents.cache.store.locating import Locator, Reader
from forebay_agents.cache.store.store import Place, Store
from forebay_agents.models.providers.provider import Usage

_CONTRIBUTORS = 16
"""More distinct people than any sensible share_after_users are not counted."""
_HOUR_S = 3_600
_ANSWERED = ("ok", "escalated")
"""Outcomes of attempts that brought an answer, which may have been the best in the end."""


class Keeper:
    """Writes answers into a store. Raises :class:`forebay_agents.cache.store.store.StoreUnavailableError`.

    Args:
        clock_ms: wall clock, ms since the epoch.
    """

    def __init__(
        self,
        store: Store,
        locator: Locator,
        reader: Reader,
        flight: SingleFlight,
        settings: CacheSettings,
        guard: EgressGuard,
        clock_ms: Clock = now_ms,
    ) -> None:
        self._store = store
        self._locator = locator
        self._reader = reader
        self._flight = flight
        self._settings = settings
        self._guard = guard
        self._clock_ms = clock_ms

    async def keep(self, completion: Completion) -> Refusal | None:
        """Keep the answer of ``completion`` and let those go on who wait for it; why not, if it may not be kept."""
        request = completion.request
        own = completion.source is AnswerSource.MODEL or completion.status is not ResponseStatus.OK
        if request is None or not own or request.cache.mode is CacheMode.BYPASS:
            return Refusal.NOT_FROM_MODEL if request is None or not own else Refusal.BYPASS
        address, blob = await self._locator.fetch(request)
        reason = await self._keep(completion, request, address, self.known(blob, address))
        place = Place(wall=address.wall, entry_id=address.entry)
        shareable = reason in (None, Refusal.TRUSTED_ANSWER, Refusal.REMEMBERED_ERROR)
        ours = flyer(completion.tenant_id, completion.request_id)
        await self._flight.landed(place, ours, shareable=shareable)
        return reason

    async def _keep(
        self, completion: Completion, request: RedactedRequest, address: Address, known: Entry | None
    ) -> Refusal | None:
        if known is not None and known.trust is not Trust.MODEL:
            return Refusal.TRUSTED_ANSWER
        if known is None and looks_permanent(completion) and self._settings.negative_ttl_s:
            await self._remember_error(completion, address)
            return Refusal.REMEMBERED_ERROR
        reason = refusal(completion, address.numbers, self._settings, self._guard)
        if reason is None and await self._over_quota(request):
            reason = Refusal.QUOTA
        if reason is None:
            before = known.contributors if known is not None and known.error_code is None else ()
            people = {person(request): None} | dict.fromkeys(before)
            entry = self.entry(completion, request, address, contributors=tuple(people)[:_CONTRIBUTORS])
            await self.write(entry, request, address)
        return reason

    async def _over_quota(self, request: RedactedRequest) -> bool:
        hour = self._clock_ms() // (1000 * _HOUR_S)
        quota = plain(Hashed.CACHE_QUOTA, person(request), str(hour))
        written = await self._store.count(quota, {"written": 1}, ttl_s=2 * _HOUR_S)
        return written > self._settings.write_quota_per_hour

    async def _remember_error(self, completion: Completion, address: Address) -> None:
        assert completion.error is not None
        ttl_s = self._settings.negative_ttl_s
        entry = Entry(
            entry_id=address.entry,
            wall=address.wall,
            error_code=completion.error.code,
            error_message=completion.error.message,
            request_id=completion.request_id,
            fresh_until=self._clock_ms() + round(1000 * ttl_s),
        )
        place = Place(wall=address.wall, entry_id=address.entry)
        await self._store.put(place, entry.pack(), ttl_s=ttl_s, partition=None, vector=None, limit=1)

    def entry(
        self,
        completion: Completion,
        request: RedactedRequest,
        address: Address,
        *,
        content: str | None = None,
        trust: Trust = Trust.MODEL,
        contributors: tuple[str, ...] = (),
        known: Entry | None = None,
    ) -> Entry:
        """An entry for the answer of ``completion``, or for ``content`` (with the request's pseudonyms) instead.

        Args:
            known: entry from which the completion came, if it is no model's: of that the tokens are.
        """
        now = self._clock_ms()
        served = _served(completion)
        own = None if served is None else _usage(served)
        return Entry(
            entry_id=address.entry,
            wall=address.wall,
            partition=address.partition,
            task=request.task,
            question=address.question,
            content=address.numbers.apply(completion.content if content is None else content),
            finish_reason=completion.finish_reason,
            tier=completion.tier,
            model=completion.model,
            deployment=completion.deployment,
            cost_nanousd=(served.cost_nanousd if served else completion.cost_nanousd) or completion.saved_nanousd,
            usage=known.usage if own is None and known is not None else own,
            confidence=completion.confidence,
            request_id=completion.request_id,
            tenant=tenant_wall(request.tenant_id),
            author=person(request),
            contributors=contributors,
            trust=trust,
            created_at=now,
            fresh_until=now + 1000 * fresh_for_s(request, self._settings),
        )

    async def write(self, entry: Entry, request: RedactedRequest, address: Address) -> None:
        """Store a new entry of ``request``, readable by meaning where it can be."""
        vector = None
        if address.partition is not None:
            reading = await self._reader.recall(address.question)
            vector = reading.vector
            entry = dataclasses.replace(entry, features=reading.pack())
        ttl_s = fresh_for_s(request, self._settings) + self._settings.stale_s
        place = Place(wall=address.wall, entry_id=address.entry)
        limit = self._settings.max_partition_entries
        await self._store.put(place, entry.pack(), ttl_s=ttl_s, partition=address.partition, vector=vector, limit=limit)
        trace = owned(Owned.CACHE_TRACE, request.tenant_id, entry.request_id)
        await self._store.note(trace, str(place), ttl_s=ttl_s)

    async def rewrite(self, entry: Entry) -> None:
        """Store what changed of an entry; its place among the questions stays."""
        left_s = (entry.fresh_until - self._clock_ms()) / 1000 + self._settings.stale_s
        if left_s > 0:
            place = Place(wall=entry.wall, entry_id=entry.entry_id)
            await self._store.put(place, entry.pack(), ttl_s=left_s, partition=None, vector=None, limit=1)

    def known(self, blob: bytes | None, address: Address) -> Entry | None:
        """The entry in ``blob``, if it is one of this wall."""
        entry = self.unpacked(blob)
        return entry if entry is not None and entry.wall == address.wall else None

    @staticmethod
    def unpacked(blob: bytes | None) -> Entry | None:
        """The entry in ``blob``; ``None`` for none or a damaged one."""
        try:
            return unpack(blob) if blob else None
        except CorruptEntryError:
            return None


def _served(completion: Completion) -> Attempt | None:
    """The call whose answer it is: the last of its deployment that was answered, as it has one answer of a tier."""
    place = completion.tier, completion.deployment
    calls = [one for one in completion.attempts if one.outcome in _ANSWERED and (one.tier, one.deployment) == place]
    return calls[-1] if calls else None


def _usage(served: Attempt) -> Usage | None:
    """Its tokens; ``None``: the record is from before they were told."""
    if not served.prompt_tokens and not served.completion_tokens:
        return None
    return Usage(
        prompt_tokens=served.prompt_tokens,
        completion_tokens=served.completion_tokens,
        cached_prompt_tokens=served.cached_prompt_tokens,
        cache_write_tokens=served.cache_write_tokens,
        cache_write_1h_tokens=served.cache_write_1h_tokens,
        reasoning_tokens=served.reasoning_tokens,
        service_tier=served.service_tier,
    )
