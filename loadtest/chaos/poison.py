"""What cannot be read? Records that no producer should send, one of each kind, for every topic that a stage reads."""

import struct
import uuid
from typing import Any

from forebay.contract.names import topic_on_broker
from forebay.contract.topics import RETRY_LEVELS, TOPICS
from forebay.kafka.connection import confluent_options
from forebay.settings import KafkaSettings, Settings

_UNKNOWN_SCHEMA = 999_999_999

ANSWERED = ("requests", "requests.redacted", "requests.uncached", "completions")
"""Topics on whose records somebody waits: an unreadable one has a response, under its key, all the same."""

BURIED = (*ANSWERED, "usage", "cache.verify", "corrections", "feedback", "evaluations", *RETRY_LEVELS)
"""Topics that a stage reads: an unreadable record becomes a dead letter."""


def kinds() -> dict[str, bytes | None]:
    """Name of the kind to the value: nothing, no Avro, cut off, of an unknown schema, and half a megabyte of noise."""
    return {
        "empty": None,
        "text": b"this is no Avro",
        "cut": b"\x00\x00\x00",
        "unknown-schema": struct.pack(">bI", 0, _UNKNOWN_SCHEMA) + b"\x02\x02",
        "noise": bytes(range(256)) * 2_000,
    }


def poison(settings: Settings) -> tuple[frozenset[str], frozenset[str]]:
    """Put each kind into every topic but ``dlq``.

    Returns:
        Ids of those that must be buried: their keys, or, where applications write, their places, since a key of theirs
        may be anything. And keys of those to be answered.
    """
    from confluent_kafka import Producer

    kafka = settings[KafkaSettings]
    producer: Any = Producer(confluent_options(kafka) | {"acks": "all", "partitioner": "murmur2_random"})
    buried: set[str] = set()
    answered: set[str] = set()
    failed: list[Any] = []

    def noted(topic: str, key: str) -> Any:
        def delivered(error: Any, message: Any) -> None:
            if error:
                failed.append(error)
            elif topic in BURIED:
                outside = TOPICS[topic].outside
                buried.add(f"{topic}-{message.partition()}-{message.offset()}" if outside else key)

        return delivered

    for topic, kind in ((topic, kind) for topic in TOPICS for kind in kinds().items()):
        name, value = kind
        if topic == "dlq" or (value is None and TOPICS[topic].compacted):
            continue  # in a compacted topic an empty value is a deletion
        key = f"poison-{name}-{uuid.uuid4().hex[:12]}"
        producer.produce(
            topic_on_broker(topic, kafka),
            value,
            key.encode(),
            on_delivery=noted(topic, key),
        )
        if topic in ANSWERED:
            answered.add(key)
    producer.flush(60)
    if failed:
        raise RuntimeError(f"{len(failed)} poison records were not taken: {failed[0]}")
    return frozenset(buried), frozenset(answered)
