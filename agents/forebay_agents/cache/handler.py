"""What does the cache do with each record? Degrades in one direction only: without its store every look-up misses."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Failure, Rejected, Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.records import (
    CacheCheck,
    CacheMode,
    Completion,
    Correction,
    Evaluation,
    Feedback,
    RedactedRequest,
)
from forebay.state.keys import Owned, owned
from forebay_agents.cache import answers
from forebay_agents.cache.admission import variety_wanted
from forebay_agents.cache.error_bound.verification import Verification
from forebay_agents.cache.feedback import People
from forebay_agents.cache.lookup import Found, Lookup, Search
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.single_flight import SingleFlight, flyer
from forebay_agents.cache.store.entry import Entry
from forebay_agents.cache.store.store import Place, Store, StoreFullError, StoreUnavailableError
from forebay_agents.cache.writer import Keeper
from forebay_agents.models.prices.today import Origin, Today
from forebay_agents.models.pricing import Cost

_RETURN_S = 60.0
"""Least time until its deadline from which a request may go by way of the retry topic, which takes ten seconds."""

_KEEP_AGAIN_S = (0.2, 0.5, 1.0, 2.0)
"""Pauses before an answer is tried to be kept again: others wait for it, and will pay if it is lost to a stall."""

log = structlog.get_logger(__name__)


class CacheStage:
    """The handlers of the stage's topics.

    Args:
        clock_ms: wall clock, ms since the epoch.
        sleep: injected so that tests need not wait.
        labels: keys of metadata that the ledger takes.
        today: prices what answers that are given again would cost; without it they are worth what they had cost.
    """

    def __init__(
        self,
        store: Store,
        lookup: Lookup,
        flight: SingleFlight,
        keeper: Keeper,
        people: People,
        verification: Verification,
        settings: CacheSettings,
        metrics: CacheMetrics,
        clock_ms: Clock = now_ms,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        labels: Sequence[str] = (),
        today: Today | None = None,
    ) -> None:
        self._today = today
        self._labels = labels
        self._store = store
        self._lookup = lookup
        self._flight = flight
        self._keeper = keeper
        self._people = people
        self._verification = verification
        self._settings = settings
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._sleep = sleep

    async def answer(self, request: RedactedRequest, context: Context) -> Sequence[Output]:
        """``requests.redacted``: a completion if there is an answer, else the request for the models."""
        started = time.perf_counter()
        if not request.request_id:
            raise Rejected("invalid_request", "a request behind redaction has an id")
        mode = request.cache.mode
        if mode is not CacheMode.DEFAULT or variety_wanted(request, self._settings):
            self._metrics.lookups.labels("bypass" if mode is CacheMode.DEFAULT else mode.value).inc()
            return answers.miss(request)
        try:
            found = await self._find(request, context)
        except StoreUnavailableError as error:
            self._unavailable("find", error)
            self._metrics.lookups.labels("degraded").inc()
            return answers.miss(request)
        if found is None:
            self._metrics.lookups.labels("miss").inc()
            return answers.miss(request)
        took_us = round(1e6 * (time.perf_counter() - started))
        self._metrics.lookups.labels(answers.outcome(found)).inc()
        now = self._clock_ms()
        worth = await self._worth(found.entry, now)
        self._metrics.saved.inc(worth.nanousd)
        return answers.hit(request, found, worth=worth, took_us=took_us, now_ms=now, labels=self._labels)

    async def _worth(self, entry: Entry, now_ms: int) -> Cost:
        """What the answer would cost now; what it had cost, where its tokens or a price of today are not known."""
        if self._today is not None and entry.usage is not None:
            origin = Origin(tier=entry.tier or "", model=entry.model or "", deployment=entry.deployment or "")
            cost = await self._today.cost(origin, entry.usage, now_ms)
            if cost.priced:
                return cost
        return Cost(nanousd=entry.cost_nanousd)

    async def _find(self, request: RedactedRequest, context: Context) -> Found | None:
        try:
            search = await self._lookup.find(request)
        except StoreUnavailableError:
            if self._settings.flight_wait_s <= 0:
                raise
            # Late rather than away, perhaps: only the first of equal requests asks the models at once.
            search = Search(address=self._lookup.address(request))
        place = Place(wall=search.address.wall, entry_id=search.address.entry)
        found = search.found
        if search.explored is not None:
            await self._verification.explore(request, search, search.explored)
            return None
        if found is None and search.stale is not None:
            # One asks anew; until its answer is there, the others get the old one.
            ours = flyer(request.tenant_id, request.request_id)
            leader = await self._store.claim(place, ours, lease_s=self._settings.flight_lease_s)
            found = None if leader == ours else search.stale
        elif found is None and not search.present and self._settings.flight_wait_s > 0:
            found = await self._flight.lead_or_wait(
                place,
                flyer(request.tenant_id, request.request_id),
                lambda: self._lookup.find_equal(request),
                wait_s=self._patience_s(request, context),
                patient=self._may_return(request, context),
            )
        if found is not None and found.entry.entry_id != search.address.entry:
            origin = str(Place(wall=found.entry.wall, entry_id=found.entry.entry_id))
            trace = owned(Owned.CACHE_TRACE, request.tenant_id, request.request_id)
            await self._store.note(trace, origin, ttl_s=self._settings.ttl_s)
        return found

    def _may_return(self, request: RedactedRequest, context: Context) -> bool:
        """Whether a request may come back once, instead of paying for an answer that another waits for."""
        left_s = self._left_s(request, context)
        return context.attempt == 1 and (left_s is None or left_s >= _RETURN_S)

    def _left_s(self, request: RedactedRequest, context: Context) -> float | None:
        if request.deadline_ms is None:
            return None
        return ((request.accepted_at or context.accepted_at) + request.deadline_ms - self._clock_ms()) / 1000

    def _patience_s(self, request: RedactedRequest, context: Context) -> float:
        """How long a request may wait for another's answer: half of what its deadline leaves."""
        wait_s, left_s = self._settings.flight_wait_s, self._left_s(request, context)
        return wait_s if left_s is None else max(0.0, min(wait_s, left_s / 2))

    async def keep(self, completion: Completion, _context: Context) -> Sequence[Output]:
        """``completions``: a model's good answer is kept; one that explored becomes a check."""
        for pause in (*_KEEP_AGAIN_S, None):
            try:
                checks = await self._verification.check(completion, now_ms=self._clock_ms())
                reason = await self._keeper.keep(completion)
            except StoreFullError:
                self._metrics.writes.labels("no_room").inc()
                return ()
            except StoreUnavailableError as error:
                if pause is None:
                    self._unavailable("keep", error)
                else:
                    await self._sleep(pause)
            else:
                self._metrics.writes.labels(reason.value if reason else "kept").inc()
                return checks
        return ()

    async def verify(self, check: CacheCheck, context: Context) -> Sequence[Output]:
        """``cache.verify``: a stored answer is judged, off the critical path."""
        try:
            return await self._verification.verify(check, context)
        except StoreUnavailableError as error:
            self._unavailable("verify", error)
            return ()

    async def correct(self, correction: Correction, _context: Context) -> Sequence[Output]:
        """``corrections``: a person's word counts. Tried again when the store is away: it is said only once."""
        return await self._said("correction", self._people.correct(correction))

    async def hear(self, feedback: Feedback, _context: Context) -> Sequence[Output]:
        """``feedback``: a thumb down holds an answer back."""
        return await self._said("feedback", self._people.heard(feedback))

    async def judged(self, evaluation: Evaluation, _context: Context) -> Sequence[Output]:
        """``evaluations``: the judge's low score evicts an answer."""
        return await self._said("evaluation", self._people.judged(evaluation))

    async def _said(self, operation: str, work: Awaitable[None]) -> Sequence[Output]:
        try:
            await work
        except StoreUnavailableError as error:
            self._unavailable(operation, error)
            raise Transient("redis_unavailable", f"the cache could not take a {operation}") from None
        return ()

    def failed(self, request: RedactedRequest | None, context: Context, failure: Failure) -> Sequence[Output]:
        """A request that ends here gets its outcome, also one that cannot be read."""
        known = request or RedactedRequest()
        known = replace(known, request_id=known.request_id or context.fallback_id)
        return answers.failed(known, failure, now_ms=self._clock_ms())

    def _unavailable(self, operation: str, error: StoreUnavailableError) -> None:
        self._metrics.store_errors.labels(operation).inc()
        log.warning("cache_store_unavailable", operation=operation, error=str(error))
