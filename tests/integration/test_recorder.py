"""The recorder on real topics: killed at ten moments, its history is that of a run that nobody disturbed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.clock import now_ms
from forebay.contract.names import topic_on_broker
from forebay.history.sqlite.reading import SqliteReader
from forebay.kafka.connection import confluent_options
from forebay.kafka.decoding import ReadRecord
from forebay.kafka.lag import consumer_lag
from forebay.operations.tracing.trace import open_desk, trace
from forebay.settings import KafkaSettings, Settings
from loadtest.history.made import made
from tests.unit.history.kept import content

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]

REQUESTS = 12_000
KILLS = 10
PATIENCE_S = 120.0


def publish(settings: Settings, records: list[ReadRecord]) -> None:
    codecs = open_codecs(settings, open_registry(settings))
    kafka = settings[KafkaSettings]
    producer: Any = Producer(confluent_options(kafka) | {"linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
    for number, one in enumerate(records):
        source = one.source
        value = one.value if isinstance(one.value, bytes) else codecs[source.topic].encode(one.value)
        name = topic_on_broker(source.topic, kafka)
        headers: Any = list(source.headers.items())
        producer.produce(name, value, source.key, headers=headers, timestamp=source.timestamp_ms)
        if number % 2_000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0


@contextmanager
def recorder(path: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "FOREBAY_WORKER_PORT": "0", "FOREBAY_HISTORY_PATH": str(path)}
    with log.open("ab") as out:
        command = [sys.executable, "-m", "forebay", "worker", "recorder"]
        with subprocess.Popen(command, env=environment, stdout=out, stderr=out) as process:
            try:
                yield process
            finally:
                process.kill()


def requests_in(path: Path) -> int:
    try:
        with SqliteReader(path) as reader:
            return sum(point.n for point in reader.points(0, 1 << 50))
    except Exception:  # noqa: BLE001 - not there yet
        return 0


def wait_for(path: Path, settings: Settings, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        lag = consumer_lag(settings).get("recorder", {"": 1})
        if requests_in(path) >= count and not any(lag.values()):
            return
        time.sleep(0.3)
    raise AssertionError(f"{requests_in(path)} of {count}, {consumer_lag(settings)}")


def test_a_recorder_that_is_killed_at_any_time_loses_and_doubles_nothing(
    settings: Settings, topics: object, tmp_path: Path
) -> None:
    del topics
    killed, whole, log = tmp_path / "killed.db", tmp_path / "whole.db", tmp_path / "recorder.log"
    records = list(made(REQUESTS, now_ms(), days=0.2, seed=6, users=200))
    part = len(records) // (KILLS + 1)
    for number in range(KILLS):
        publish(settings, records[number * part : (number + 1) * part])
        before = requests_in(killed)
        with recorder(killed, log) as process:
            deadline = time.monotonic() + PATIENCE_S
            while requests_in(killed) <= before and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.003 * number)  # within another moment of the next batch
            process.send_signal(signal.SIGKILL)
            process.wait()
    publish(settings, records[KILLS * part :])
    with recorder(killed, log):
        wait_for(killed, settings, REQUESTS)
    with recorder(whole, log):
        wait_for(whole, settings, REQUESTS)
    first, second = content(killed), content(whole)
    assert len(first["requests"]) == REQUESTS
    assert any({"completion", "requests.uncached", "provider_timeout"} <= set(row) for row in first["letters"])
    for table in first:
        assert first[table] == second[table], table
    text = log.read_text("utf-8", "replace")
    assert "Traceback" not in text, text[-2_000:]


def test_a_request_is_traced_from_the_history_and_on_its_way(
    settings: Settings, topics: object, tmp_path: Path
) -> None:
    del topics
    path, log = tmp_path / "history.db", tmp_path / "recorder.log"
    os.environ["FOREBAY_HISTORY_PATH"] = str(path)
    try:
        records = list(made(400, now_ms(), days=0.05, seed=8, users=20))
        publish(settings, records)
        known = next(one.value.request_id for one in records if one.source.topic == "outcomes")
        desk = open_desk(settings, longest_s=20)
        on_its_way = trace(desk, known)
        assert on_its_way.waits is not None
        assert on_its_way.waits.topic == "outcomes"
        with recorder(path, log):
            wait_for(path, settings, 400)
        command = [sys.executable, "-m", "forebay", "trace", known, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["story"]["request"]["request_id"] == known
        nobody = [sys.executable, "-m", "forebay", "trace", "nobody-knows-it"]
        done = subprocess.run(nobody, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        assert "Nothing is known of it." in done.stdout
        assert "Searched by key and header" in done.stdout
    finally:
        del os.environ["FOREBAY_HISTORY_PATH"]
