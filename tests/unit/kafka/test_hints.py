"""Hints are handed over and forgotten: none is waited for, none ends anything, and what is lost is counted."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from prometheus_client import CollectorRegistry

from forebay.contract.wire import Encoded
from forebay.kafka.hints.writing import HintWriter
from forebay.observability.metrics import Metrics, StageMetrics
from forebay.settings import KafkaSettings

PIECE = Encoded(topic="deltas", key=b"r-1", value=b"Once", headers=[], partition=3)
KAFKA = KafkaSettings(topic_prefix="acme.")


class Producer:
    """Takes ``room`` records, and tells of them when it is polled."""

    def __init__(self, room: int = 9, refuses: KafkaException | None = None, error: KafkaError | None = None) -> None:
        self.room, self.refuses, self.error = room, refuses, error
        self.taken: list[tuple[Any, ...]] = []
        self.untold: list[Callable[[Any, Any], None]] = []
        self.flushed = 0.0

    def poll(self, _seconds: float) -> None:
        for tell in self.untold:
            tell(self.error, None)
        self.untold.clear()

    def produce(self, topic: str, value: bytes, key: bytes, *, on_delivery: Any, partition: int = -1) -> None:
        if self.refuses is not None:
            raise self.refuses
        if len(self.taken) == self.room:
            raise BufferError
        self.taken.append((topic, partition, key, value))
        self.untold.append(on_delivery)

    def flush(self, seconds: float) -> None:
        self.flushed = seconds


class Bench:
    def __init__(self, producer: Producer) -> None:
        self.registry = CollectorRegistry()
        self.opened = 0
        self.writer = HintWriter(KAFKA, StageMetrics("completion", Metrics(self.registry)), self._open)
        self._producer = producer

    def _open(self, _kafka: KafkaSettings) -> Producer:
        self.opened += 1
        return self._producer

    def lost(self, reason: str) -> float:
        labels = {"stage": "completion", "reason": reason}
        return self.registry.get_sample_value("forebay_hints_lost_total", labels) or 0.0


def test_a_hint_goes_where_its_reader_reads() -> None:
    producer = Producer()
    bench = Bench(producer)
    bench.writer.publish([PIECE, PIECE])
    bench.writer.publish([PIECE])
    assert producer.taken == [("acme.deltas", 3, b"r-1", b"Once")] * 3
    assert bench.opened == 1


def test_without_hints_there_is_no_producer() -> None:
    bench = Bench(Producer())
    bench.writer.close()
    assert bench.opened == 0


def test_what_finds_no_room_is_lost_and_counted() -> None:
    producer = Producer(room=2)
    bench = Bench(producer)
    bench.writer.publish([PIECE] * 5)
    assert (len(producer.taken), bench.lost("full")) == (2, 3)


def test_what_the_brokers_did_not_take_is_counted_when_it_is_known() -> None:
    bench = Bench(Producer(error=KafkaError(KafkaError._MSG_TIMED_OUT)))
    bench.writer.publish([PIECE])
    assert bench.lost("not_delivered") == 0
    bench.writer.publish([PIECE])
    assert bench.lost("not_delivered") == 1


def test_a_partition_that_is_not_there_ends_nothing() -> None:
    bench = Bench(Producer(refuses=KafkaException(KafkaError(KafkaError._UNKNOWN_PARTITION))))
    bench.writer.publish([PIECE])
    assert bench.lost("refused") == 1


def test_a_producer_that_cannot_be_made_loses_hints_and_nothing_else() -> None:
    def fails(_kafka: KafkaSettings) -> Any:
        raise KafkaException(KafkaError(KafkaError._INVALID_ARG))

    registry = CollectorRegistry()
    HintWriter(KAFKA, StageMetrics("completion", Metrics(registry)), fails).publish([PIECE])
    lost = registry.get_sample_value("forebay_hints_lost_total", {"stage": "completion", "reason": "no_producer"})
    assert lost == 1


@pytest.mark.parametrize("hints", [0, 1])
def test_what_waits_is_sent_at_the_end(hints: int) -> None:
    producer = Producer()
    bench = Bench(producer)
    bench.writer.publish([PIECE] * hints)
    bench.writer.close()
    assert producer.flushed == 1.0
