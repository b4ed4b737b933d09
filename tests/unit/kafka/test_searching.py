"""A request is found by key or header from the newest record back, within bounds, and no value is looked at."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from forebay.kafka.searching import search
from forebay.settings import KafkaSettings

KAFKA = KafkaSettings(topic_prefix="t.")
AT = 1_796_000_000_000


@dataclass
class Message:
    place: TopicPartition
    named: bytes | None = None
    headed: list[tuple[str, bytes]] = field(default_factory=list)
    failed: KafkaError | None = None

    def topic(self) -> str:
        return self.place.topic

    def partition(self) -> int:
        return self.place.partition

    def offset(self) -> int:
        return self.place.offset

    def key(self) -> bytes | None:
        return self.named

    def headers(self) -> list[tuple[str, bytes]]:
        return self.headed

    def timestamp(self) -> tuple[int, int]:
        return 1, AT + self.place.offset

    def error(self) -> KafkaError | None:
        return self.failed

    def value(self) -> bytes:
        raise AssertionError("a value was looked at")


class Consumer:
    """Topics with records of other requests, and what is put among them."""

    def __init__(self, ends: dict[str, int], partitions: int = 2) -> None:
        self.ends, self.partitions = ends, partitions
        self.put: dict[tuple[str, int, int], Message] = {}
        self.denied: set[str] = set()
        self.given = 0
        self.closed = False
        self._queue: list[Message] = []

    def list_topics(self, topic: str, timeout: float) -> Any:
        found = SimpleNamespace(error=None, partitions=dict.fromkeys(range(self.partitions)))
        return SimpleNamespace(topics={topic: found})

    def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
        return 0, self.ends[place.topic]

    def offsets_for_times(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        return [
            TopicPartition(one.topic, one.partition, min(max(0, one.offset - AT), self.ends[one.topic]))
            for one in places
        ]

    def assign(self, places: list[TopicPartition]) -> None:
        self._queue = []
        for one in places:
            end = TopicPartition(one.topic, one.partition, self.ends[one.topic])
            if one.topic in self.denied:
                self._queue.append(Message(end, failed=KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)))
                continue
            for offset in range(one.offset, self.ends[one.topic]):
                other = Message(TopicPartition(one.topic, one.partition, offset), b"other")
                self._queue.append(self.put.get((one.topic, one.partition, offset), other))
            self._queue.append(Message(end, failed=KafkaError(KafkaError._PARTITION_EOF)))

    def consume(self, most: int, seconds: float) -> list[Message]:
        some, self._queue = self._queue[:most], self._queue[most:]
        self.given += len(some)
        return some

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forebay.kafka.searching.looking.WINDOW", 100)


def put(consumer: Consumer, topic: str, partition: int, offset: int, **how: Any) -> None:
    consumer.put[topic, partition, offset] = Message(TopicPartition(topic, partition, offset), **how)


@pytest.mark.parametrize(
    "how",
    [
        {"named": b"r"},
        {"headed": [("forebay-request-id", b"r")]},
        {"named": b"hash", "headed": [("forebay-dlq-request-id", b"r"), ("x", b"y")]},
    ],
)
def test_a_record_is_known_by_its_key_or_by_a_header(how: dict[str, Any]) -> None:
    consumer = Consumer({"t.a": 1_000, "t.b": 50})
    put(consumer, "t.a", 1, 777, **how)
    found = search(KAFKA, ["a", "b"], "r", consumer=consumer)
    assert [(one.topic, one.partition, one.offset) for one in found.found] == [("a", 1, 777)]
    assert consumer.closed


def test_the_newest_are_read_first_and_the_rest_not_at_all() -> None:
    consumer = Consumer({"t.a": 100_000})
    put(consumer, "t.a", 0, 99_990, named=b"r")
    found = search(KAFKA, ["a"], "r", consumer=consumer)
    assert len(found.found) == 1
    assert found.records == 200
    assert not found.whole


def test_all_is_searched_once_where_there_is_nothing_and_said() -> None:
    found = search(KAFKA, ["a", "b"], "r", consumer=Consumer({"t.a": 1_050, "t.b": 0}))
    assert (found.found, found.records, found.whole) == ([], 2_100, True)
    assert found.oldest_ms == AT


def test_it_ends_at_its_bounds() -> None:
    consumer = Consumer({"t.a": 1_000_000})
    found = search(KAFKA, ["a"], "r", most=5_000, consumer=consumer)
    assert 5_000 <= found.records <= 7_000
    assert not found.whole
    assert search(KAFKA, ["a"], "r", longest_s=0, consumer=Consumer({"t.a": 10})).records == 0


def test_what_is_older_than_the_request_is_left_out() -> None:
    found = search(KAFKA, ["a"], "r", since_ms=AT + 900, consumer=Consumer({"t.a": 1_000}))
    assert found.records == 200


def test_what_may_not_be_read_is_named_and_the_others_are_searched() -> None:
    consumer = Consumer({"t.a": 300, "t.requests": 300})
    consumer.denied = {"t.requests"}
    put(consumer, "t.a", 0, 10, named=b"r")
    found = search(KAFKA, ["a", "requests"], "r", consumer=consumer)
    assert found.refused == ["requests"]
    assert len(found.found) == 1
