"""What does a message of a Kafka client say? A record with its place, decoded if its topic has a record type."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

from forebay.avro.codec import Codec, UndecodableError
from forebay.avro.registry import open_registry
from forebay.contract import headers as h
from forebay.contract.names import topic_on_broker
from forebay.contract.topics import topic_named
from forebay.contract.wire import Delivered
from forebay.settings import KafkaSettings, Settings

_NONE: dict[str, bytes] = {}
_HEADERS = methodcaller("headers")
"""Not ``message.headers()``, which goes on where the library fails without saying so: see :func:`headers_of`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadRecord:
    """A record with its decoded value: a record type, bytes in topics that carry bytes, ``None`` with an ``error``."""

    source: Delivered
    value: Any
    error: UndecodableError | None


class Decoder:
    """Messages of confluent-kafka to records.

    Attributes:
        names: name on the broker to logical topic.
    """

    def __init__(self, settings: Settings, topics: Sequence[str]) -> None:
        kafka, registry = settings[KafkaSettings], open_registry(settings)
        self.names = {topic_on_broker(topic, kafka): topic for topic in topics}
        self._codecs: dict[str, Codec[Any]] = {}
        for topic in topics:
            known = topic_named(topic)
            if known is not None and known.record is not None:
                self._codecs[topic] = Codec(known.record, topic_on_broker(known.subject, kafka), registry)

    def decoded(self, message: Any, *, headers: bool = True) -> ReadRecord:
        """The record in ``message``, which is no event; ``headers``: with them, which take 2 µs."""
        topic = self.names[message.topic()]
        source = Delivered(
            topic=topic,
            partition=message.partition(),
            offset=message.offset(),
            key=message.key(),
            value=message.value(),
            headers=headers_of(message) if headers else _NONE,
            timestamp_ms=message.timestamp()[1],
        )
        codec = self._codecs.get(topic)
        if codec is None:
            return ReadRecord(source=source, value=message.value(), error=None)
        try:
            return ReadRecord(source=source, value=codec.decode(message.value()), error=None)
        except UndecodableError as error:
            return ReadRecord(source=source, value=None, error=error)


def headers_of(message: Any) -> dict[str, bytes]:
    """Headers of a message of confluent-kafka; none at all where the name of one is not UTF-8.

    The library (seen with 2.16) gives a list then in which the name is a null pointer, with an error that nobody looks
    at: the next call may raise it, or whoever unpacks the pair ends the process. A call from C does look at it.
    """
    try:
        return h.from_kafka(_HEADERS(message))
    except (SystemError, UnicodeDecodeError):
        return {}
