from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from agents.cache.keeping import Keeper
from agents.cache.locating import Locator, Reader
from agents.cache.lookup import Lookup
from agents.cache.metrics import CacheMetrics
from agents.cache.settings import CacheSettings
from agents.cache.stage import CacheStage
from streams.delivered import Delivered
from streams.handlers import Context
from tests.unit.cache.memory import MemoryStore, WordMatcher

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

    def worker(self, **settings: object) -> CacheStage:
        own = CacheSettings(**settings)  # type: ignore[arg-type]  # any key of the section
        matcher = WordMatcher()
        registry = CollectorRegistry()
        locator = Locator(self.store, own, matcher.identity)
        reader = Reader(matcher, self.executor)
        metrics = CacheMetrics(registry)
        clock = lambda: self.now_ms  # noqa: E731 - a name would say no more
        return CacheStage(
            Lookup(self.store, locator, reader, matcher, own, metrics, clock),
            Keeper(self.store, locator, reader, matcher, own, clock),
            own,
            metrics,
            clock,
        )


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ThreadPoolExecutor(1) as executor:
        yield Bench(store=MemoryStore(), executor=executor)
