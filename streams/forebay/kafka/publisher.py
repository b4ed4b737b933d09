"""How does a command publish a few records? Synchronously, and it returns once they are delivered.

A record of a topic with the brokers' time also tells this process what time it is: who replays decides from when
deadlines count, and an operator's own clock may be wrong (:mod:`forebay.contract.clock`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from forebay.avro.codec import open_codecs
from forebay.avro.encoding import Encoding
from forebay.avro.registry import open_registry
from forebay.contract.clock import CLOCK, elapsed_s
from forebay.contract.handlers import Output
from forebay.contract.names import topic_on_broker
from forebay.kafka.connection import confluent_options, silent
from forebay.settings import KafkaSettings, Settings


class PublishError(Exception):
    """The brokers did not take a record."""


Check = Callable[[Sequence[Output]], None]
"""Raises if a record must not go where it is going."""


def unchecked(_outputs: Sequence[Output]) -> None:
    """For what is published neither by people nor for them."""


def publish(settings: Settings, outputs: Sequence[Output], timeout_s: float = 30.0, check: Check = unchecked) -> None:
    """Publish ``outputs`` and wait for their delivery. Raises :class:`PublishError`, and what ``check`` raises."""
    from confluent_kafka import Producer

    check(outputs)
    kafka = settings[KafkaSettings]
    producer = Producer(
        confluent_options(kafka) | {"enable.idempotence": True, "acks": "all", "partitioner": "murmur2_random"},
        logger=silent(),
    )
    problems: list[str] = []
    begun_s = elapsed_s()

    def delivered(error: object, message: object) -> None:
        if error is not None:
            problems.append(str(error))
        heard(begun_s, error, message)

    for output in Encoding(open_codecs(settings, open_registry(settings)), kafka).encode(outputs, {}):
        headers: Any = list(output.headers)
        producer.produce(
            topic_on_broker(output.topic, kafka), output.value, output.key, headers=headers, on_delivery=delivered
        )
    if producer.flush(timeout_s):
        problems.append(f"no answer from the brokers within {timeout_s:g} s")
    if problems:
        raise PublishError("; ".join(problems))


def heard(begun_s: float, error: object, message: Any) -> None:
    """A record was delivered; of a topic with the brokers' time it says what that is."""
    from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME

    kind, at_ms = message.timestamp()
    if error is None and kind == TIMESTAMP_LOG_APPEND_TIME:
        CLOCK.heard(at_ms, begun_s, elapsed_s())
