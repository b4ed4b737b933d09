"""How are the parts of the cache put together? Once for the stage, the commands, the tests and the simulation."""

import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from forebay.contract.clock import Clock, now_ms
from forebay.privacy.egress import EgressGuard
from forebay_agents.cache.error_bound.evidence import EvidenceBook
from forebay_agents.cache.error_bound.judges import AgreementJudge
from forebay_agents.cache.error_bound.verification import Judge, Verification
from forebay_agents.cache.feedback import People
from forebay_agents.cache.handler import CacheStage
from forebay_agents.cache.lookup import Lookup
from forebay_agents.cache.matching.matcher import CalibratedMatcher
from forebay_agents.cache.matching.matching import Matcher
from forebay_agents.cache.matching.model import shipped
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.single_flight import SingleFlight
from forebay_agents.cache.store.locating import Locator, Reader
from forebay_agents.cache.store.store import Store
from forebay_agents.cache.writer import Keeper
from forebay_agents.models.prices.today import Today


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """A cache, put together."""

    stage: CacheStage
    locator: Locator
    reader: Reader
    keeper: Keeper
    people: People


def assemble(
    store: Store,
    matcher: Matcher,
    executor: Executor,
    settings: CacheSettings,
    metrics: CacheMetrics,
    *,
    guard: EgressGuard | None = None,
    judge: Judge | None = None,
    clock_ms: Clock = now_ms,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] | None = None,
    labels: Sequence[str] = (),
    today: Today | None = None,
) -> Parts:
    """Put a cache together.

    Args:
        executor: where inference runs.
        guard: of what is kept; by default the one that lets nothing through.
        judge: of stored answers; by default agreement with the fresh answer.
        clock_ms: wall clock, ms since the epoch; ``clock`` monotonic, in seconds.
        labels: keys of metadata that the ledger takes.
        today: what answers that are given again would cost.
    """
    locator, reader = Locator(store, settings, matcher.identity), Reader(matcher, executor)
    book = EvidenceBook(store, matcher.threshold, settings.delta, clock)
    waiting = {} if sleep is None else {"sleep": sleep}
    flight = SingleFlight(store, metrics, lease_s=settings.flight_lease_s, clock=clock, **waiting)
    keeper = Keeper(store, locator, reader, flight, settings, guard or EgressGuard(), clock_ms)
    people = People(store, locator, keeper, settings)
    verification = Verification(store, keeper, book, judge or AgreementJudge(reader), metrics)
    lookup = Lookup(store, locator, reader, book, settings, metrics, clock_ms)
    stage = CacheStage(
        store,
        lookup,
        flight,
        keeper,
        people,
        verification,
        settings,
        metrics,
        clock_ms,
        labels=labels,
        today=today,
        **waiting,
    )
    return Parts(stage=stage, locator=locator, reader=reader, keeper=keeper, people=people)


def calibrated(settings: CacheSettings) -> CalibratedMatcher:
    """The matcher that the settings ask for. Raises :class:`forebay.artifacts.ArtifactError`."""
    from forebay_agents.embeddings import bge, minilm

    far = bge() if settings.second_encoder else None
    return CalibratedMatcher(minilm(), far, shipped(), settings.delta, settings.threshold)
