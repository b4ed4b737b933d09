import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract.handlers import Context
from forebay.contract.wire import Delivered
from forebay_agents.cache.error_bound.verification import Judge
from forebay_agents.cache.handler import CacheStage
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.memory import MemoryStore
from forebay_agents.cache.wiring import Parts, assemble
from tests.unit.cache.memory import WordMatcher

CONTEXT = Context(
    source=Delivered(topic="t", partition=0, offset=0, key=b"k", value=b"", headers={}, timestamp_ms=0),
    attempt=1,
    accepted_at=0,
)


@dataclass
class Bench:
    """A cache on memory, with a clock that tests move; ``worker()`` opens another worker on the same store."""

    store: MemoryStore
    executor: ThreadPoolExecutor
    now_ms: int = 1_000_000

    def worker(self, threshold: float = 0.9, **settings: object) -> CacheStage:
        return self.parts(threshold, **settings).stage

    def parts(self, threshold: float = 0.9, judge: Judge | None = None, **settings: object) -> Parts:
        quiet = {"verify_hits": 0.0, "verify_near_misses": 0.0, "least_similarity": -1.0} | settings
        own = CacheSettings(**quiet)  # type: ignore[arg-type]  # any key of the section
        return assemble(
            self.store,
            WordMatcher(threshold),
            self.executor,
            own,
            CacheMetrics(CollectorRegistry()),
            judge=judge,
            clock_ms=lambda: self.now_ms,
            clock=lambda: self.now_ms / 1000,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        """Time passes at once, but others get their turn."""
        self.now_ms += round(1000 * seconds)
        await asyncio.sleep(0)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ThreadPoolExecutor(1) as executor:
        yield Bench(store=MemoryStore(), executor=executor)
