"""How much does one hop cost? A pass-through stage beside stock Faust and a bare aiokafka loop, in one run.

Throughput: a topic is filled with records of 500 bytes, then one worker process on one core copies them to another
topic; records per second between the first and the last record that arrives there. Latency: records at a fixed rate,
from the producer's send to the arrival of the copy. The peers run in processes of their own as well.
"""

import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psutil

from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings, Settings, StageSettings, load

SOURCE, TARGET = "requests.redacted", "requests.uncached"
RECORD_BYTES = 500
KINDS = ("bare", "faust", "forebay")


@dataclass(frozen=True, kw_only=True, slots=True)
class Throughput:
    """Records per second of one kind of hop, and the CPU time of its process per record in microseconds."""

    kind: str
    records: int
    per_second: float
    cpu_us: float


@asynccontextmanager
async def pass_through(settings: Settings) -> AsyncIterator[Stage]:
    """A stage that copies bytes: what is left is the substrate's own cost.

    ``LOADTEST_HOP_HANDLER_MS`` makes each record take so long, for tests that need work in flight.
    """
    from forebay.contract.handlers import Context, Output, Route
    from forebay.contract.wire import Delivered

    pause_s = float(os.environ.get("LOADTEST_HOP_HANDLER_MS", "0")) / 1000

    async def copy(source: Delivered, _context: Context) -> list[Output]:
        if pause_s:
            await asyncio.sleep(pause_s)
        return [Output(topic=TARGET, key=source.key, value=source.value)]

    limits = settings[StageSettings].model_copy(update={"in_flight": 512, "window": 4096})
    yield Stage(name="hop", routes=[Route(topic=SOURCE, handle=copy, raw=True)], limits=limits)


async def run_forebay() -> None:
    """The stage as a worker runs it."""
    from forebay.runtime.runner import StageApp

    settings = load()
    async with pass_through(settings) as stage:
        app = StageApp(stage, settings)
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        await app.start()
        failed = asyncio.create_task(app.wait_failed())
        await asyncio.wait({failed, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
        await app.stop()


async def run_faust() -> None:
    """Stock Faust: an agent with the default settings that sends and awaits delivery."""
    import faust

    kafka = load()[KafkaSettings]
    app = faust.App(
        f"{kafka.topic_prefix}stock",
        broker=f"kafka://{kafka.bootstrap}",
        value_serializer="raw",
        key_serializer="raw",
        web_enabled=False,
        topic_disable_leader=True,
        datadir=tempfile.mkdtemp(prefix="forebay-hop-"),
    )
    source = app.topic(kafka.topic_prefix + SOURCE, value_type=bytes)
    target = app.topic(kafka.topic_prefix + TARGET, value_type=bytes)

    async def copy(stream: Any) -> None:
        async for records in stream.take(64, within=0.01):
            sent = [await target.send(value=record) for record in records]
            await asyncio.gather(*sent)

    app.agent(source)(copy)
    await app.start()
    await asyncio.Event().wait()


async def run_bare() -> None:
    """The limit: aiokafka's consumer and producer without any framework."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    kafka = load()[KafkaSettings]
    consumer = AIOKafkaConsumer(
        kafka.topic_prefix + SOURCE,
        bootstrap_servers=kafka.bootstrap,
        group_id=f"{kafka.topic_prefix}bare",
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=262_144
    )
    await consumer.start()
    await producer.start()
    while True:
        fetched = await consumer.getmany(timeout_ms=100, max_records=2000)
        sent = [
            await producer.send(kafka.topic_prefix + TARGET, record.value, record.key)
            for records in fetched.values()
            for record in records
        ]
        await asyncio.gather(*sent)
        await consumer.commit()


def main_of_child(kind: str) -> None:
    """Entry point of a peer's process."""
    from forebay.observability import logging
    from forebay.runtime.worker import calm_collector

    logging.configure("warning")
    if kind == "forebay":
        calm_collector()  # as a worker does
    with contextlib.suppress(KeyboardInterrupt):
        import uvloop

        runner = {"bare": run_bare, "faust": run_faust, "forebay": run_forebay}[kind]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
            loop.run(runner())


@contextlib.contextmanager
def child(kind: str, prefix: str) -> Iterator[psutil.Process]:
    """The process of one kind of hop, on one core."""
    environment = {**os.environ, "FOREBAY_KAFKA_TOPIC_PREFIX": prefix}
    process = subprocess.Popen([sys.executable, "-m", "loadtest", "hop-child", kind], env=environment)
    handle = psutil.Process(process.pid)
    with contextlib.suppress(AttributeError):  # no affinity on macOS
        handle.cpu_affinity([0])
    try:
        yield handle
    finally:
        process.kill()
        process.wait()


def throughput(kind: str, bootstrap: str, records: int) -> Throughput:
    """Copy ``records`` records with one kind of hop."""
    prefix = f"hop-{kind}-{time.time_ns()}."
    create_topics(bootstrap, prefix)
    fill(bootstrap, prefix, records)
    with child(kind, prefix) as process:
        first, last, cpu = _drain(bootstrap, prefix, records, process)
    return Throughput(kind=kind, records=records, per_second=(records - 1) / (last - first), cpu_us=1e6 * cpu / records)


def latency(kind: str | None, bootstrap: str, per_second: int, seconds: int) -> list[float]:
    """Milliseconds from send to arrival of the copy, sorted; the first second is warm-up.

    Args:
        kind: what copies; ``None`` produces into the target topic directly: what a broker alone costs.
    """
    from confluent_kafka import Producer

    prefix = f"hop-{kind}-{time.time_ns()}."
    create_topics(bootstrap, prefix)
    sent: dict[bytes, float] = {}
    took: list[float] = []
    source = prefix + (TARGET if kind is None else SOURCE)
    with contextlib.nullcontext() if kind is None else child(kind, prefix):
        consumer = consumer_of(bootstrap, prefix)
        producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "acks": "all"})
        total = per_second * seconds
        _wait_for_first(producer, consumer, source)
        begin = time.perf_counter()
        for number in range(total):
            due = begin + number / per_second
            while (now := time.perf_counter()) < due:
                _collect(consumer, sent, took, min(0.001, due - now))
            key = str(number).encode()
            sent[key] = time.perf_counter()
            producer.produce(source, b"x" * RECORD_BYTES, key)
            producer.poll(0)
        deadline = time.perf_counter() + 10
        while sent and time.perf_counter() < deadline:
            _collect(consumer, sent, took, 0.01)
        consumer.close()
    return sorted(took[per_second:])


def _percentiles(took: list[float]) -> dict[str, float]:
    return {"p50": round(statistics.median(took), 2), "p99": round(took[int(0.99 * (len(took) - 1))], 2)}


def _wait_for_first(producer: Any, consumer: Any, source: str) -> None:
    for _ in range(300):
        producer.produce(source, b"warm", b"warm")
        producer.flush()
        if consumer.poll(0.1) is not None:
            break
    while consumer.poll(1.0) is not None:
        pass


def _collect(consumer: Any, sent: dict[bytes, float], took: list[float], timeout: float) -> None:
    message = consumer.poll(timeout)
    if message is not None and not message.error() and message.key() in sent:
        took.append(1000 * (time.perf_counter() - sent.pop(message.key())))


def create_topics(bootstrap: str, prefix: str) -> None:
    """Source and target, with four partitions."""
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # not in its __all__

    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([NewTopic(prefix + SOURCE, 4, 1), NewTopic(prefix + TARGET, 4, 1)]).values():
        future.result(10)


def fill(bootstrap: str, prefix: str, records: int) -> None:
    """Records with the keys 0, 1, 2 … in the source topic."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "batch.size": 262_144, "acks": "all"})
    payload = b"x" * RECORD_BYTES
    for number in range(records):
        while True:
            try:
                producer.produce(prefix + SOURCE, payload, str(number).encode())
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()


def consumer_of(bootstrap: str, prefix: str) -> Any:
    """A consumer of all partitions of the target topic, from their beginning."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "hop", "fetch.wait.max.ms": 10})
    consumer.assign([TopicPartition(prefix + TARGET, partition, 0) for partition in range(4)])
    return consumer


def _drain(bootstrap: str, prefix: str, records: int, process: psutil.Process) -> tuple[float, float, float]:
    """Times of the first and last arrival, and the CPU seconds that the process used in between."""
    consumer = consumer_of(bootstrap, prefix)
    seen, first, cpu = 0, 0.0, 0.0
    deadline = time.perf_counter() + 120
    while seen < records and time.perf_counter() < deadline:
        batch = consumer.consume(1000, 0.5)
        if batch and not seen:
            first, cpu = time.perf_counter(), sum(process.cpu_times()[:2])
        seen += len(batch)
    last, cpu = time.perf_counter(), sum(process.cpu_times()[:2]) - cpu
    consumer.close()
    if seen < records:
        raise RuntimeError(f"{records - seen} of {records} records did not arrive")
    return first, last, cpu


def report(bootstrap: str, records: int, rate: int, seconds: int) -> dict[str, Any]:
    """Throughput of all kinds and latency of the stage, for ``python -m loadtest hop``."""
    runs = {kind: throughput(kind, bootstrap, records) for kind in KINDS}
    direct = latency(None, bootstrap, rate, seconds)
    took = latency("forebay", bootstrap, rate, seconds)
    return {
        "throughput": {
            kind: {"records_per_s": round(run.per_second), "cpu_us_per_record": round(run.cpu_us, 1)}
            for kind, run in runs.items()
        },
        "ratio_to_faust": round(runs["forebay"].per_second / runs["faust"].per_second, 2),
        "latency_ms": {
            "rate_per_s": rate,
            "direct": _percentiles(direct),
            "one_hop": _percentiles(took),
            "added_p50": round(statistics.median(took) - statistics.median(direct), 2),
        },
    }
