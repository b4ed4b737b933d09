"""What does the cache do with each record? Degrades in one direction only: without its store every look-up misses."""

import time
from collections.abc import Callable, Sequence

import structlog

from agents.cache import answers
from agents.cache.admission import variety_wanted
from agents.cache.keeping import Keeper
from agents.cache.lookup import Found, Lookup
from agents.cache.metrics import CacheMetrics
from agents.cache.settings import CacheSettings
from agents.cache.store import StoreUnavailableError
from streams.failures import Failure, Transient
from streams.handlers import Context, Output
from streams.records import CacheMode, Completion, Correction, RedactedRequest

log = structlog.get_logger(__name__)


class CacheStage:
    """The handlers of the stage's topics.

    Args:
        clock_ms: wall clock, ms since the epoch.
    """

    def __init__(
        self,
        lookup: Lookup,
        keeper: Keeper,
        settings: CacheSettings,
        metrics: CacheMetrics,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._lookup = lookup
        self._keeper = keeper
        self._settings = settings
        self._metrics = metrics
        self._clock_ms = clock_ms

    async def answer(self, request: RedactedRequest, _context: Context) -> Sequence[Output]:
        """``requests.redacted``: a completion if there is an answer, else the request for the models."""
        started = time.perf_counter()
        mode = request.cache.mode
        if mode is not CacheMode.DEFAULT:
            self._metrics.lookups.labels(mode.value).inc()
            return answers.miss(request)
        if variety_wanted(request, self._settings):
            self._metrics.lookups.labels("bypass").inc()
            return answers.miss(request)
        found = await self._find(request)
        if found is None:
            return answers.miss(request)
        self._metrics.lookups.labels(found.source.value.removeprefix("cache_")).inc()
        self._metrics.saved.inc(found.entry.cost_nanousd)
        took_us = round(1e6 * (time.perf_counter() - started))
        return answers.hit(request, found, took_us=took_us, now_ms=self._clock_ms())

    async def _find(self, request: RedactedRequest) -> Found | None:
        try:
            found = await self._lookup.find(request)
        except StoreUnavailableError as error:
            self._unavailable("find", error)
            self._metrics.lookups.labels("degraded").inc()
            return None
        if found is None:
            self._metrics.lookups.labels("miss").inc()
        return found

    async def keep(self, completion: Completion, _context: Context) -> Sequence[Output]:
        """``completions``: a model's good answer is kept."""
        try:
            reason = await self._keeper.keep(completion)
        except StoreUnavailableError as error:
            self._unavailable("keep", error)
            return ()
        self._metrics.writes.labels(reason.value if reason else "kept").inc()
        return ()

    async def correct(self, correction: Correction, _context: Context) -> Sequence[Output]:
        """``corrections``: a person's word counts. Tried again when the store is away: it is said only once."""
        try:
            await self._keeper.correct(correction)
        except StoreUnavailableError as error:
            self._unavailable("correct", error)
            raise Transient("redis_unavailable", "the cache could not take a correction") from None
        return ()

    def failed(self, request: RedactedRequest | None, _context: Context, failure: Failure) -> Sequence[Output]:
        """A request that ends here gets its outcome."""
        return answers.failed(request, failure, now_ms=self._clock_ms())

    def _unavailable(self, operation: str, error: StoreUnavailableError) -> None:
        self._metrics.store_errors.labels(operation).inc()
        log.warning("cache_store_unavailable", operation=operation, error=str(error))
