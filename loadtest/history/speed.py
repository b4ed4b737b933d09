"""How fast is the recorder on real topics, how large is its file, and how fast is it asked?

One thread works, as in the worker; what is counted is its own CPU time, and that of the whole process with librdkafka's
threads beside it. The records are those of :mod:`loadtest.history.made` with every change of ``spend``, as the stage
cost writes it.
"""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import Producer

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.clock import now_ms
from forebay.contract.names import topic_on_broker
from forebay.contract.topics import DAY_MS
from forebay.history.sqlite.reading import SqliteReader
from forebay.history.views import Wanted
from forebay.kafka.connection import confluent_options
from forebay.kafka.decoding import ReadRecord
from forebay.kafka.topic_admin import TopicAdmin
from forebay.settings import KafkaSettings, Settings, load
from loadtest.history.command import make
from loadtest.history.made import made
from loadtest.yardstick import yardstick_ms

_IDLE_S = 10.0
_TIMES = 200
_OF_ONE = ("outcomes",)


def report(bootstrap: str, requests: int, asked: int) -> dict[str, Any]:
    """All figures."""
    found: dict[str, Any] = {}
    for name, only in (("all topics", None), ("outcomes alone", _OF_ONE)):
        found[name] = _recorded(bootstrap, requests, only)
    if asked:
        found["asked"] = _asked(asked)
    return found


def _recorded(bootstrap: str, requests: int, only: tuple[str, ...] | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        environment = os.environ | {
            "FOREBAY_KAFKA_BOOTSTRAP": bootstrap,
            "FOREBAY_KAFKA_TOPIC_PREFIX": f"h{uuid4().hex[:8]}.",
            "FOREBAY_HISTORY_PATH": str(path),
        }
        os.environ.update(environment)
        settings = load()
        admin = TopicAdmin(settings[KafkaSettings])
        admin.create()
        try:
            records = published(settings, requests, only)
            child = subprocess.run(
                [sys.executable, "-m", "loadtest.history.speed", str(requests)],
                env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if child.returncode:
                raise RuntimeError(child.stderr)
            told: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
        finally:
            admin.delete()
        size = path.stat().st_size
        return {"records": records, **told, "bytes_a_request": round(size / requests, 1)}


def published(settings: Settings, requests: int, only: tuple[str, ...] | None = None) -> int:
    """Publish made records; how many."""
    kafka, codecs = settings[KafkaSettings], open_codecs(settings, open_registry(settings))
    producer: Any = Producer(confluent_options(kafka) | {"linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
    count = 0
    for one in _made(requests):
        if only is None or one.source.topic in only:
            value = one.value if isinstance(one.value, bytes) else codecs[one.source.topic].encode(one.value)
            topic, headers = topic_on_broker(one.source.topic, kafka), list(one.source.headers.items())
            producer.produce(topic, value, one.source.key, headers=headers, timestamp=one.source.timestamp_ms)
            count += 1
            if count % 2_000 == 0:
                producer.flush()
    producer.flush()
    return count


def _made(requests: int) -> Iterator[ReadRecord]:
    """At two hundred requests a second, so that sums are as dense as they are under load."""
    yield from made(requests, now_ms(), days=requests / 200 / 86_400, every_change=True)


def main_of_child(requests: int) -> None:
    """Run the recorder's loop until it has them all; prints what that took."""
    import gc
    import threading

    from forebay.recorder.run import COLLECT, make_loop

    gc.freeze()
    gc.set_threshold(*COLLECT)
    settings = load()
    loop, spent = make_loop(settings), [0.0]

    def work() -> None:
        begun = time.thread_time()
        loop.run()
        spent[0] = time.thread_time() - begun

    thread = threading.Thread(target=work)
    before, begun = time.process_time(), time.monotonic()
    thread.start()
    while not (loop.lag and not any(records for records, _ in loop.lag.values())):
        time.sleep(0.1)
    took, used = time.monotonic() - begun, time.process_time() - before
    idle = time.process_time()
    time.sleep(_IDLE_S)
    idle = time.process_time() - idle
    loop.stop()
    thread.join()
    told = {
        "seconds": round(took, 1),
        "requests_a_cpu_second": round(requests / used),
        "of_its_thread": round(requests / spent[0]),
        "idle_ms_a_second": round(1_000 * idle / _IDLE_S, 1),
        "yardstick_ms": yardstick_ms(),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024),
    }
    print(json.dumps(told))


def _asked(requests: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        told = make(path, requests, days=30)
        with SqliteReader(path) as reader:
            ids = [one.request_id for one in reader.requests(Wanted(), limit=2_000).requests]
            until = now_ms()
            old = reader.requests(Wanted(until_ms=until - 20 * DAY_MS), limit=2_000)
            ids += [one.request_id for one in old.requests]
            user = old.requests[0].user_id
            draw = random.Random(1)
            told |= {
                "by id, ms": _timed(lambda: reader.story(draw.choice(ids))),
                "50 of a tenant that failed, ms": _timed(
                    lambda: reader.requests(Wanted(tenant_id="stark", status="failed"))
                ),
                "50 of a tenant over 3 s, ms": _timed(
                    lambda: reader.requests(Wanted(tenant_id="wonka", slower_than_ms=3_000))
                ),
                "50 of a user by the cache, ms": _timed(
                    lambda: reader.requests(Wanted(user_id=user, source="cache_exact"))
                ),
                "50 of a tenant by a tier, ms": _timed(lambda: reader.requests(Wanted(tenant_id="acme", tier="large"))),
                "a chart of a day, ms": _timed(
                    lambda: reader.points(until - DAY_MS, until, by=("source",), hours=False), 20
                ),
            }
        return told


def _timed(ask: Callable[[], object], times: int = _TIMES) -> dict[str, float]:
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        ask()
        took.append(1_000 * (time.perf_counter() - begun))
    return {"median": round(statistics.median(took), 2), "p99": round(statistics.quantiles(took, n=100)[98], 2)}


if __name__ == "__main__":
    main_of_child(int(sys.argv[1]))
