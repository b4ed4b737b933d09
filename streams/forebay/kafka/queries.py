"""What do the brokers say of a topic? Partitions and offsets, asked again while a topic is fresh or a broker lost."""

import time
from typing import Any

from forebay.kafka.preflight import check_access
from forebay.settings import KafkaSettings

Place = tuple[str, int]
"""Topic on the broker and partition."""


class BrokerUnavailableError(Exception):
    """No broker answers, or the topic is not there; the message says what to do."""


def broker_errors() -> tuple[type[Exception], ...]:
    """What asking raises while brokers are away: for those who go on asking, in an ``except``."""
    from confluent_kafka import KafkaException

    return BrokerUnavailableError, KafkaException


def partitions_of(consumer: Any, topic: str, kafka: KafkaSettings, timeout_s: float = 15.0) -> list[int]:
    """Partition numbers of ``topic`` (name on the broker), asked of a confluent-kafka client.

    Raises:
        BrokerUnavailableError: no broker answers within ``timeout_s`` seconds, or there is no such topic.
        ConfigurationError: they refuse who asks.
    """
    from confluent_kafka import KafkaException

    try:
        found = consumer.list_topics(topic, timeout=timeout_s).topics[topic]
    except KafkaException as error:
        check_access(kafka, [topic], [])  # a refused connection looks like none: say so where it is one
        cause: Any = error.args[0]
        raise BrokerUnavailableError(
            f"no broker answers at {kafka.bootstrap} ({cause.str()}); "
            "start one with `forebay up`, or name yours in FOREBAY_KAFKA_BOOTSTRAP"
        ) from None
    if found.error is not None or not found.partitions:
        raise BrokerUnavailableError(f"no topic {topic} at {kafka.bootstrap}; `forebay topics create` makes it")
    return sorted(found.partitions)


def watermarks(consumer: Any, partition: Any, timeout_s: float = 15.0) -> tuple[int, int]:
    """First and next offset of a confluent-kafka ``TopicPartition``, asked again while it has no leader.

    A partition has none for a moment when its topic is fresh or its broker was lost, and then the library gives up at
    the first answer. Raises ``KafkaException`` after ``timeout_s`` seconds, or at once on other errors.
    """
    from confluent_kafka import KafkaException

    deadline = time.monotonic() + timeout_s
    while True:
        try:
            low, high = consumer.get_watermark_offsets(partition, timeout=max(0.1, deadline - time.monotonic()))
        except KafkaException as error:
            if not passes(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return low, high


def offsets_at(consumer: Any, places: list[Any], timeout_s: float = 15.0) -> list[Any]:
    """``places``, confluent-kafka ``TopicPartition`` with a time in ms as their offsets, with the offsets of the first
    records since; below 0 where there is none. Asked again, and raising, as :func:`watermarks`.
    """
    from confluent_kafka import KafkaException

    deadline = time.monotonic() + timeout_s
    while True:
        try:
            found: list[Any] = consumer.offsets_for_times(places, timeout=max(0.1, deadline - time.monotonic()))
        except KafkaException as error:
            if not passes(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return found


def passes(error: Exception) -> bool:
    """Whether a ``KafkaException`` is of the moment: a fresh topic or a lost broker, answers that are not there yet."""
    from confluent_kafka import KafkaError

    reason: Any = error.args[0]
    return reason.code() in {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - librdkafka's own names of codes
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
    }
