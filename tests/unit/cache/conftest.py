from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from forebay.testing import VirtualClock, context
from forebay_agents.cache.error_bound.verification import Judge
from forebay_agents.cache.handler import CacheStage
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.memory import MemoryStore
from forebay_agents.cache.wiring import Parts, assemble
from forebay_agents.models.prices.today import Today
from tests.unit.cache.memory import WordMatcher

CONTEXT = context("requests.redacted", accepted_at=0)


@dataclass
class Bench:
    """A cache on memory, with a clock that tests move; ``worker()`` opens another worker on the same store."""

    store: MemoryStore
    executor: ThreadPoolExecutor
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(1_000_000))

    def worker(self, threshold: float = 0.9, today: Today | None = None, **settings: object) -> CacheStage:
        return self.parts(threshold, today=today, **settings).stage

    def parts(
        self, threshold: float = 0.9, judge: Judge | None = None, today: Today | None = None, **settings: object
    ) -> Parts:
        quiet = {"verify_hits": 0.0, "verify_near_misses": 0.0, "least_similarity": -1.0} | settings
        own = CacheSettings(**quiet)  # type: ignore[arg-type]  # any key of the section
        return assemble(
            self.store,
            WordMatcher(threshold),
            self.executor,
            own,
            CacheMetrics(CollectorRegistry()),
            judge=judge,
            clock_ms=self.clock,
            clock=self.clock.seconds,
            sleep=self.clock.sleep,
            today=today,
        )


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ThreadPoolExecutor(1) as executor:
        yield Bench(store=MemoryStore(), executor=executor)
