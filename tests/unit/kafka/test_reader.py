"""How far does a reader read? Up to the ends of the moment, whatever stands there: a record, a marker, nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from forebay.kafka.queries import BrokerUnavailableError
from forebay.kafka.reader import TopicReader, records_at
from forebay.settings import Settings

TOPIC = "forebay.dlq"
EXPIRED = KafkaError._AUTO_OFFSET_RESET
FORBIDDEN, LOST = KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError._ALL_BROKERS_DOWN


@dataclass
class Message:
    """A record of ``dlq``, whose values are bytes; or an event."""

    number: int
    at: int
    event: int | None = None
    named: bytes = b"k"

    def error(self) -> KafkaError | None:
        return None if self.event is None else KafkaError(self.event)

    def topic(self) -> str:
        return TOPIC

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes:
        return self.named

    def value(self) -> bytes:
        return f"{self.number}-{self.at}".encode()

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return 1, 7


@dataclass
class Consumer:
    """Says what the test has it say; by partition ``ends``, ``at`` (where it stands), ``since`` (offset of a time)."""

    ends: dict[int, int]
    says: list[Message | None] = field(default_factory=list)
    since: Mapping[int, int] = field(default_factory=dict)
    at: dict[int, int] = field(default_factory=dict)
    assigned: Mapping[int, int] = field(default_factory=dict)
    closed: bool = False

    def list_topics(self, topic: str, timeout: float) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions=dict.fromkeys(self.ends))})

    def get_watermark_offsets(self, partition: Any, timeout: float) -> tuple[int, int]:
        return 0, self.ends[partition.partition]

    def offsets_for_times(self, places: list[Any], timeout: float) -> list[Any]:
        return [TopicPartition(one.topic, one.partition, self.since.get(one.partition, -1)) for one in places]

    def assign(self, partitions: list[Any]) -> None:
        self.assigned = {partition.partition: partition.offset for partition in partitions}

    def unassign(self) -> None:
        self.assigned = {}

    def position(self, partitions: list[Any]) -> list[Any]:
        return [TopicPartition(one.topic, one.partition, self.at.get(one.partition, -1001)) for one in partitions]

    def poll(self, _timeout: float) -> Message | None:
        assert self.says, "it reads on although it has all"
        return self.says.pop(0)

    def consume(self, count: int, _timeout: float) -> list[Message | None]:
        taken, self.says = self.says[:count], self.says[count:]
        return taken

    def close(self) -> None:
        self.closed = True


def reader(consumer: Consumer, **options: bool) -> TopicReader:
    return TopicReader(Settings({}), ["dlq"], consumer=consumer, **options)


def read(consumer: Consumer) -> list[str]:
    return [record.value.decode() for record in reader(consumer).read_to_end()]


def end(number: int, at: int) -> Message:
    return Message(number, at, KafkaError._PARTITION_EOF)


@pytest.mark.parametrize(
    ("ends", "says", "values"),
    [
        ({0: 2}, [Message(0, 0), Message(0, 1)], ["0-0", "0-1"]),
        ({0: 0, 1: 0}, [], []),
        ({0: 3}, [Message(0, 1), end(0, 3)], ["0-1"]),  # a marker, or a hole, at the end
        ({0: 3}, [end(0, 3)], []),  # nothing but what was aborted
        ({0: 1, 1: 2}, [Message(1, 0), Message(0, 0), Message(1, 1)], ["1-0", "0-0", "1-1"]),
        ({0: 1}, [Message(0, 0, LOST), None, Message(0, 0)], ["0-0"]),
        ({0: 2, 1: 1}, [Message(1, 0), Message(1, 1), Message(0, 1)], ["1-0", "1-1", "0-1"]),  # written meanwhile
    ],
)
def test_the_end_is_a_place(ends: dict[int, int], says: list[Message | None], values: list[str]) -> None:
    assert read(Consumer(ends, says)) == values


@pytest.mark.parametrize(("newest", "begins"), [(0, 5), (2, 3), (9, 0), (None, 0)])
def test_whoever_wants_the_newest_begins_so_far_before_the_end(newest: int | None, begins: int) -> None:
    consumer = Consumer({0: 5})
    TopicReader(Settings({}), ["dlq"], consumer=consumer, newest=newest)
    assert consumer.assigned == {0: begins}


def test_whoever_wants_what_is_since_a_time_begins_there_and_at_the_end_where_nothing_is() -> None:
    consumer = Consumer({0: 5, 1: 4}, since={0: 2})
    one = TopicReader(Settings({}), ["dlq"], consumer=consumer, since_ms=9)
    assert consumer.assigned == {0: 2, 1: 4}
    consumer.says = [Message(0, 2), Message(0, 3), Message(0, 4)]
    assert len(list(one.read_to_end())) == 3


def test_whoever_wants_some_keys_is_given_no_others_and_comes_to_the_end_all_the_same() -> None:
    consumer = Consumer({0: 3}, [Message(0, 0), Message(0, 1, named=b"wanted"), Message(0, 2)])
    one = TopicReader(Settings({}), ["dlq"], consumer=consumer, keys={b"wanted"})
    assert [record.source.offset for record in one.read_to_end()] == [1]
    assert one.positions == {("dlq", 0): 3}


def test_where_it_stands_counts_when_nothing_is_said() -> None:
    assert read(Consumer({0: 3}, [Message(0, 0), None], at={0: 3})) == ["0-0"]


def test_it_goes_on_where_it_was() -> None:
    consumer = Consumer({0: 2}, [Message(0, 0), end(0, 2)])
    one = reader(consumer)
    assert len(list(one.read_to_end())) == 1
    assert list(one.read_to_end()) == []
    consumer.ends, consumer.says = {0: 5}, [Message(0, 2), Message(0, 3), end(0, 5)]
    assert [record.source.offset for record in one.read_to_end()] == [2, 3]
    assert one.positions == {("dlq", 0): 5}


def test_whoever_begins_at_the_end_gets_what_comes() -> None:
    consumer = Consumer({0: 9, 1: 4})
    one = reader(consumer, from_beginning=False)
    assert consumer.assigned == {0: 9, 1: 4}
    assert list(one.read_to_end()) == []
    consumer.says = [end(0, 9), None]
    assert one.wait(0) == []
    consumer.says = [end(1, 4), Message(0, 9), end(0, 10), Message(1, 4)]
    assert [record.value for record in one.wait(0)] == [b"0-9", b"1-4"]
    assert one.positions == {("dlq", 0): 10, ("dlq", 1): 5}


def test_who_may_not_read_is_told_instead_of_left_waiting() -> None:
    with pytest.raises(KafkaException):
        read(Consumer({0: 1}, [Message(0, 0, FORBIDDEN)]))


def test_it_leaves_the_brokers_at_the_end_and_when_it_cannot_begin() -> None:
    consumer = Consumer({})
    with reader(Consumer({0: 0})) as one:
        pass
    assert one._consumer.closed
    with pytest.raises(Exception, match="no topic"):
        reader(consumer)
    assert consumer.closed


@pytest.mark.parametrize(
    ("place", "says", "found"),
    [
        ((0, 5), [Message(0, 5)], b"0-5"),
        ((0, 5), [Message(0, 5, LOST), Message(0, 5)], b"0-5"),  # a broker that was lost for a moment
        ((0, 5), [Message(0, 6)], None),  # a marker, or what was aborted or compacted away
        ((0, 5), [end(0, 6)], None),
        ((0, 5), [Message(0, 5, EXPIRED)], None),  # since the bounds were looked at
        ((0, 7), [], None),
        ((0, -1), [], None),
        ((2, 0), [], None),
        ((1 << 40, 1 << 70), [], None),
    ],
)
def test_a_single_record_is_read_where_it_lies(
    place: tuple[int, int], says: list[Message | None], found: bytes | None
) -> None:
    consumer = Consumer({0: 7, 1: 7}, says)
    [record] = records_at(Settings({}), [("dlq", *place)], consumer=consumer)
    assert (record and record.value) == found
    assert (consumer.says, consumer.assigned, consumer.closed) == ([], {}, True)


def test_several_records_come_in_the_order_in_which_they_were_asked_for() -> None:
    consumer = Consumer({0: 7, 1: 7}, [Message(0, 2), Message(0, 5), Message(1, 3)])  # read in that of the topic
    places = [("dlq", 1, 3), ("dlq", 0, 5), ("dlq", 0, 9), ("dlq", 0, 2), ("dlq", 1, 3)]
    found = [record and record.value for record in records_at(Settings({}), places, consumer=consumer)]
    assert found == [b"1-3", b"0-5", None, b"0-2", b"1-3"]


def test_what_the_brokers_have_and_do_not_give_is_not_called_expired() -> None:
    with pytest.raises(BrokerUnavailableError, match="no broker gives record 5"):
        records_at(Settings({}), [("dlq", 0, 5)], consumer=Consumer({0: 7}, [None]))
