"""How far behind is each stage? Records that its group has not committed, as the broker sees it."""

import time
from typing import Any

from streams.kafka import confluent_options, topic_on_broker
from streams.settings import KafkaSettings, Settings
from streams.worker import stage_names

Lag = dict[str, dict[str, int]]
"""Stage to logical topic to unfinished records."""

_POLL_S = 0.3
_MARKERS = 10
"""A transaction ends with a marker, which is an offset but no record: a few offsets may be no lag at all."""


def consumer_lag(settings: Settings, timeout_s: float = 15.0) -> Lag:
    """Unfinished records of every stage that has ever run; a stage that has not is left out."""
    from confluent_kafka import Consumer, TopicPartition

    kafka = settings[KafkaSettings]
    consumer: Any = Consumer(
        confluent_options(kafka)
        | {"group.id": topic_on_broker("lag", kafka), "enable.auto.commit": False, "isolation.level": "read_committed"}
    )
    ends: dict[tuple[str, int], int] = {}
    lag: Lag = {}
    try:
        for stage in stage_names():
            for topic, partition, committed in _committed(settings, stage, timeout_s):
                place = (topic, partition)
                if place not in ends:
                    ends[place] = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=timeout_s)[1]
                name = topic.removeprefix(kafka.topic_prefix)
                behind = lag.setdefault(stage, {})
                missing = ends[place] - max(0, committed)
                if 0 < missing <= _MARKERS and not _has_records(consumer, topic, partition, max(0, committed)):
                    missing = 0
                behind[name] = behind.get(name, 0) + missing
    finally:
        consumer.close()
    return lag


def wait_until_idle(settings: Settings, timeout_s: float) -> bool:
    """Wait until no stage has anything left to do; whether that came within ``timeout_s`` seconds.

    Looks twice: between two stages a record is in neither's lag.
    """
    deadline = time.monotonic() + timeout_s
    quiet = 0
    while quiet < 2:
        if time.monotonic() > deadline:
            return False
        busy = any(records for topics in consumer_lag(settings).values() for records in topics.values())
        quiet = 0 if busy else quiet + 1
        time.sleep(_POLL_S)
    return True


def _has_records(consumer: Any, topic: str, partition: int, offset: int) -> bool:
    from confluent_kafka import TopicPartition

    consumer.assign([TopicPartition(topic, partition, offset)])
    message = consumer.poll(_POLL_S)
    consumer.unassign()
    return message is not None and message.error() is None


def _committed(settings: Settings, stage: str, timeout_s: float) -> list[tuple[str, int, int]]:
    """Topic on the broker, partition, and committed offset (negative: none) of the stage's group."""
    from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
    from confluent_kafka.admin import AdminClient

    kafka = settings[KafkaSettings]
    admin: Any = AdminClient(confluent_options(kafka))
    group = topic_on_broker(stage, kafka)
    found = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=timeout_s)
    try:
        partitions = found[group].result().topic_partitions
    except KafkaException:
        return []
    return [(tp.topic, tp.partition, tp.offset) for tp in partitions]
