"""A stage loses nothing when its workers are killed, stopped, or joined by others, with a real broker and processes."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from forebay.settings import KafkaSettings, Settings
from loadtest.measurements.hop import consumer_of, fill

RECORDS = 6_000
SLOW_MS = 3_000
"""A record; with 512 in flight a worker alone takes 36 s for all, and another joins in 3 s, on a busy machine in 20."""


@pytest.fixture
def worker(settings: Settings, topics: object) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts a process with the pass-through stage on this test's topics; 5 ms a record, to have time to kill it."""

    def start(handler_ms: int = 5) -> subprocess.Popen[bytes]:
        kafka = settings[KafkaSettings]
        environment = {
            **os.environ,
            "FOREBAY_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "FOREBAY_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
            "LOADTEST_HOP_HANDLER_MS": str(handler_ms),
        }
        return subprocess.Popen([sys.executable, "-m", "loadtest", "hop-child", "forebay"], env=environment)

    return start


class Arrivals:
    """Keys in the target topic, counted."""

    def __init__(self, settings: Settings) -> None:
        kafka = settings[KafkaSettings]
        self._consumer = consumer_of(kafka.bootstrap, kafka.topic_prefix)
        self.seen: Counter[bytes] = Counter()

    def poll(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.seen.update(message.key() for message in self._consumer.consume(1000, 0.1))

    def wait_for(self, records: int, seconds: float) -> None:
        end = time.monotonic() + seconds
        while len(self.seen) < records and time.monotonic() < end:
            self.poll(0.2)

    def close(self) -> None:
        self._consumer.close()


@contextmanager
def arrivals_of(settings: Settings) -> Iterator[Arrivals]:
    arrivals = Arrivals(settings)
    try:
        yield arrivals
    finally:
        arrivals.close()


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """``process``, which is gone afterwards."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_members(settings: Settings, members: int, *, settled: bool = True) -> None:
    """Wait until the group has so many members, and has given them their partitions if ``settled``."""
    kafka = settings[KafkaSettings]
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    group = f"{kafka.topic_prefix}hop"
    end = time.monotonic() + 90
    while time.monotonic() < end:
        found = admin.describe_consumer_groups([group])[group].result()
        if len(found.members) >= members and (not settled or found.state == ConsumerGroupState.STABLE):
            return
        time.sleep(0.05)
    raise AssertionError(f"{group} has not got {members} members")


def _missing(arrivals: Arrivals) -> int:
    return RECORDS - sum(1 for number in range(RECORDS) if str(number).encode() in arrivals.seen)


@pytest.mark.embedded
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_record_is_lost_when_workers_end(
    worker: Callable[..., subprocess.Popen[bytes]], settings: Settings, how: signal.Signals
) -> None:
    kafka = settings[KafkaSettings]
    fill(kafka.bootstrap, kafka.topic_prefix, RECORDS)
    rng = random.Random(7)
    with arrivals_of(settings) as arrivals:
        for _ in range(3):
            with ended(worker()) as process:
                arrivals.wait_for(len(arrivals.seen) + 200, 30)
                arrivals.poll(rng.uniform(0.0, 0.3))
                process.send_signal(how)
                process.wait(90)
        with ended(worker()):
            arrivals.wait_for(RECORDS, 90)
    assert _missing(arrivals) == 0
    duplicates = sum(arrivals.seen.values()) - len(arrivals.seen)
    if how is signal.SIGTERM:
        assert duplicates == 0, "a worker that stops in order commits what it has done"


@pytest.mark.embedded
@pytest.mark.parametrize("joined", [True, False])
def test_workers_that_come_and_go_cost_nothing(
    worker: Callable[..., subprocess.Popen[bytes]], settings: Settings, joined: bool
) -> None:
    """Also one that goes while it joins: it once hung for ever, waiting for a commit that nobody did any more."""
    kafka = settings[KafkaSettings]
    fill(kafka.bootstrap, kafka.topic_prefix, RECORDS)
    with arrivals_of(settings) as arrivals, ended(worker(SLOW_MS)):
        arrivals.wait_for(300, 30)
        with ended(worker(SLOW_MS)) as second:
            wait_for_members(settings, 2, settled=joined)
            if joined:
                arrivals.wait_for(len(arrivals.seen) + 300, 30)
            assert len(arrivals.seen) < RECORDS, "otherwise it leaves when there is nothing left to do"
            second.send_signal(signal.SIGTERM)
            assert second.wait(90) == 0
        arrivals.wait_for(RECORDS, 90)
    assert _missing(arrivals) == 0
    if joined:
        assert sum(arrivals.seen.values()) == RECORDS
