"""What is there to send back of a letter? Its bytes; where those were withheld, its record as long as that is kept."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from forebay.contract import headers as h
from forebay.contract.names import topic_on_broker
from forebay.contract.topics import TOPICS
from forebay.kafka.connection import confluent_options, silent
from forebay.operations.dead_letters.letters import DeadLetter
from forebay.operations.dead_letters.transform import TransformError
from forebay.privacy.outbound import WITHHELD
from forebay.settings import KafkaSettings, Settings

_PATIENCE_S = 10.0


def is_withheld(letter: DeadLetter) -> bool:
    """Whether ``letter`` has no bytes because the guard would not let them out (:mod:`forebay.privacy.outbound`)."""
    return letter.source.value is None and WITHHELD in letter.source.headers


def check_sendable(letter: DeadLetter) -> None:
    """Raise :class:`TransformError` if ``letter`` cannot be sent back; call :func:`with_originals` first."""
    if letter.origin_topic not in TOPICS:
        raise TransformError(f"{letter.letter_id}: it does not say which topic it came from")
    if is_withheld(letter):
        raise TransformError(
            f"{letter.letter_id}: its bytes were withheld, and its record has expired in {letter.origin_topic}"
        )


def with_originals(settings: Settings, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """``letters``, the withheld ones with the bytes of their records; as they were where those have expired."""
    found = list(letters)
    if not any(map(is_withheld, found)):
        return found
    from confluent_kafka import Consumer

    kafka = settings[KafkaSettings]
    consumer: Any = Consumer(
        confluent_options(kafka)
        | {
            "group.id": topic_on_broker("dlq-originals", kafka),
            "enable.auto.commit": False,
            "auto.offset.reset": "error",  # an expired record is no other record
            "enable.partition.eof": True,
        },
        logger=silent(),
    )
    try:
        return [_with_original(consumer, kafka, letter) if is_withheld(letter) else letter for letter in found]
    finally:
        consumer.close()


def _with_original(consumer: Any, kafka: KafkaSettings, letter: DeadLetter) -> DeadLetter:
    from confluent_kafka import TopicPartition

    partition = h.number(letter.source.headers, h.ORIGIN_PARTITION)
    offset = h.number(letter.source.headers, h.ORIGIN_OFFSET)
    if partition is None or offset is None:
        return letter
    consumer.assign([TopicPartition(topic_on_broker(letter.origin_topic, kafka), partition, offset)])
    message = consumer.poll(_PATIENCE_S)
    consumer.unassign()
    if message is None or message.error() is not None or message.offset() != offset:
        return letter
    return replace(letter, source=replace(letter.source, value=message.value()))
