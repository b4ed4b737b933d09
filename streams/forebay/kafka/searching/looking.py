"""How are topics looked through for one request, from the newest record back?

In windows: the last so many records of each partition of each topic, then those before. A value is never looked at: a
record is known by its key, or by a header that names the request. The first window with a hit is the last one that is
read, since a request's records lie close together in time.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from forebay.contract import headers as h
from forebay.contract.names import topic_on_broker
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.decoding import headers_of
from forebay.kafka.queries import offsets_at, partitions_of, watermarks
from forebay.settings import KafkaSettings

WINDOW = 5_000
"""Records of a partition that are read at once, going back."""
_NAMES = (h.REQUEST_ID, "forebay-dlq-request-id")
_POLL_S = 0.5
_PATIENCE_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A record about the request; its value was not looked at."""

    topic: str
    partition: int
    offset: int
    at_ms: int
    headers: h.Headers


@dataclass(kw_only=True, slots=True)
class Looked:
    """What was searched.

    Attributes:
        records: that were looked at; ``oldest_ms``: when the oldest of them was written.
        whole: all that may have it was searched; else it was ended by the bounds.
        refused: topics that may not be read.
    """

    topics: Sequence[str]
    found: list[Found] = field(default_factory=list)
    records: int = 0
    oldest_ms: int | None = None
    whole: bool = False
    refused: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Part:
    topic: str
    name: str
    number: int
    low: int
    end: int
    """What is not searched yet is from ``low`` until before ``end``."""


def search(
    kafka: KafkaSettings,
    topics: Sequence[str],
    request_id: str,
    *,
    since_ms: int = 0,
    most: int = 2_000_000,
    longest_s: float = 60.0,
    consumer: Any = None,
) -> Looked:
    """Look through ``topics`` (logical names) for a request.

    Args:
        since_ms: it has no record that was written before.
        most: records that are looked at; ``longest_s``: seconds that it may take.
        consumer: of confluent-kafka, with ``enable.partition.eof``; made from the settings unless given.

    Raises:
        BrokerUnavailableError: no broker answers, or a topic is not there.
        KafkaException: they refuse.
    """
    reader = consumer or _new_consumer(kafka)
    looked = Looked(topics=tuple(topics))
    deadline = time.monotonic() + longest_s
    try:
        parts = [part for topic in topics for part in _parts(reader, kafka, topic, since_ms)]
        while parts and not looked.found and looked.records < most and time.monotonic() < deadline:
            _window(reader, parts, request_id.encode(), looked, most, deadline)
            parts = [part for part in parts if part.low < part.end and part.topic not in looked.refused]
        looked.whole = not parts
    finally:
        reader.close()
    return looked


def _parts(reader: Any, kafka: KafkaSettings, topic: str, since_ms: int) -> list[_Part]:
    from confluent_kafka import TopicPartition

    name, parts = topic_on_broker(topic, kafka), []
    for number in partitions_of(reader, name, kafka):
        low, high = watermarks(reader, TopicPartition(name, number))
        if since_ms and low < high:
            [at] = offsets_at(reader, [TopicPartition(name, number, since_ms)])
            low = high if at.offset < 0 else max(low, at.offset)
        if low < high:
            parts.append(_Part(topic, name, number, low, high))
    return parts


def _window(reader: Any, parts: Sequence[_Part], key: bytes, looked: Looked, most: int, deadline: float) -> None:
    """Read the newest records of each part that were not read yet."""
    from confluent_kafka import KafkaError, TopicPartition

    ends = {(part.name, part.number): part for part in parts}
    starts = {place: max(part.low, part.end - WINDOW) for place, part in ends.items()}
    reader.assign([TopicPartition(*place, start) for place, start in starts.items()])
    todo, heard = set(ends), time.monotonic()
    while todo and looked.records < most and time.monotonic() < deadline:
        messages = reader.consume(2_000, _POLL_S)
        if not messages and time.monotonic() - heard > _PATIENCE_S:
            break  # a partition without a leader: the others were searched
        for message in messages:
            heard = time.monotonic()
            place, error = (message.topic(), message.partition()), message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own names of codes
                    todo.discard(place)
                elif error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                    denied = {one for one in ends if one[0] == message.topic()}
                    looked.refused += {ends[one].topic for one in denied} - set(looked.refused)
                    todo -= denied
                continue
            if place in todo and message.offset() < ends[place].end:
                _look(message, ends[place].topic, key, looked)
            if place in todo and message.offset() >= ends[place].end - 1:
                todo.discard(place)
    for place, part in ends.items():
        if place not in todo:
            part.end = starts[place]


def _look(message: Any, topic: str, key: bytes, looked: Looked) -> None:
    looked.records += 1
    at_ms = message.timestamp()[1]
    looked.oldest_ms = at_ms if looked.oldest_ms is None else min(looked.oldest_ms, at_ms)
    headers = None
    if message.key() != key:
        headers = headers_of(message)
        if not any(headers.get(name) == key for name in _NAMES):
            return
    looked.found.append(
        Found(
            topic=topic,
            partition=message.partition(),
            offset=message.offset(),
            at_ms=at_ms,
            headers=headers_of(message) if headers is None else headers,
        )
    )


def _new_consumer(kafka: KafkaSettings) -> Any:
    from confluent_kafka import Consumer

    return Consumer(
        confluent_options(kafka)
        | {
            "group.id": topic_on_broker("reader", kafka),
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "queued.max.messages.kbytes": 16_384,
        },
        logger=silent(),
    )
