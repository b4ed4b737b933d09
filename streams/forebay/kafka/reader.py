"""What is in a topic? For commands and tests: a plain consumer that decodes, outside every consumer group."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from forebay.avro.codec import Codec, UndecodableError
from forebay.avro.registry import open_registry
from forebay.contract import headers as h
from forebay.contract.names import topic_on_broker
from forebay.contract.topics import TOPICS
from forebay.contract.wire import Delivered
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.queries import partitions_of, watermarks
from forebay.settings import KafkaSettings, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadRecord:
    """A record with its decoded value: a record type, bytes in topics that carry bytes, ``None`` with an ``error``."""

    source: Delivered
    value: Any
    error: UndecodableError | None


def read_topic(
    settings: Settings, topic: str, *, from_beginning: bool = True, until_end: bool = True
) -> Iterator[ReadRecord]:
    """Records of the logical ``topic``, in order within each partition.

    Args:
        from_beginning: all that is kept; otherwise only what is written from now on.
        until_end: stop at the ends that the partitions have now; otherwise go on for ever.

    Raises:
        BrokerUnavailableError: see :func:`forebay.kafka.queries.partitions_of`.
    """
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    kafka = settings[KafkaSettings]
    record = TOPICS[topic].record
    codec: Codec[Any] | None = None
    if record is not None:
        codec = Codec(record, topic_on_broker(TOPICS[topic].subject, kafka), open_registry(settings))
    consumer = Consumer(
        confluent_options(kafka)
        | {"group.id": topic_on_broker("reader", kafka), "enable.auto.commit": False, "fetch.wait.max.ms": 50},
        logger=silent(),
    )
    try:
        name = topic_on_broker(topic, kafka)
        partitions = [TopicPartition(name, number) for number in partitions_of(consumer, name, kafka)]
        ends = {}
        for partition in partitions:
            low, high = watermarks(consumer, partition)
            partition.offset = OFFSET_BEGINNING if from_beginning else high
            if from_beginning and high > low:
                ends[partition.partition] = high
        consumer.assign(partitions)
        while ends or not until_end:
            message: Any = consumer.poll(0.5)
            if message is None:
                if until_end:
                    ends = _not_reached(consumer, partitions, ends)
                continue
            if message.error() is None:
                yield _decoded(message, topic, codec)
                if message.offset() + 1 >= ends.get(message.partition(), 1 << 63):
                    ends.pop(message.partition(), None)
    finally:
        consumer.close()


def _not_reached(consumer: Any, partitions: list[Any], ends: dict[int, int]) -> dict[int, int]:
    """Ends not reached yet: of a compacted topic the last offsets may be gone, so positions count, not records."""
    positions = {tp.partition: tp.offset for tp in consumer.position(partitions)}
    return {partition: end for partition, end in ends.items() if positions.get(partition, -1) < end}


def _decoded(message: Any, topic: str, codec: Codec[Any] | None) -> ReadRecord:
    source = Delivered(
        topic=topic,
        partition=message.partition(),
        offset=message.offset(),
        key=message.key(),
        value=message.value(),
        headers=h.from_kafka(message.headers()),
        timestamp_ms=message.timestamp()[1],
    )
    if codec is None:
        return ReadRecord(source=source, value=message.value(), error=None)
    try:
        return ReadRecord(source=source, value=codec.decode(message.value()), error=None)
    except UndecodableError as error:
        return ReadRecord(source=source, value=None, error=error)
