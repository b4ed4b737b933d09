"""How does a command publish a few records? Synchronously, and it returns once they are delivered."""

from collections.abc import Sequence
from typing import Any

from forebay.avro.codec import open_codecs
from forebay.avro.encoding import Encoding
from forebay.avro.registry import open_registry
from forebay.contract.handlers import Output
from forebay.contract.names import topic_on_broker
from forebay.kafka.connection import confluent_options, silent
from forebay.settings import KafkaSettings, Settings


class PublishError(Exception):
    """The brokers did not take a record."""


def publish(settings: Settings, outputs: Sequence[Output], timeout_s: float = 30.0) -> None:
    """Publish ``outputs`` and wait for their delivery. Raises :class:`PublishError`."""
    from confluent_kafka import Producer

    kafka = settings[KafkaSettings]
    producer = Producer(
        confluent_options(kafka) | {"enable.idempotence": True, "acks": "all", "partitioner": "murmur2_random"},
        logger=silent(),
    )
    problems: list[str] = []

    def delivered(error: object, _message: object) -> None:
        if error is not None:
            problems.append(str(error))

    for output in Encoding(open_codecs(settings, open_registry(settings)), kafka).encode(outputs, {}):
        headers: Any = list(output.headers)
        producer.produce(
            topic_on_broker(output.topic, kafka), output.value, output.key, headers=headers, on_delivery=delivered
        )
    if producer.flush(timeout_s):
        problems.append(f"no answer from the brokers within {timeout_s:g} s")
    if problems:
        raise PublishError("; ".join(problems))
