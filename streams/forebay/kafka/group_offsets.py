"""How much is there, and how far did each stage get? Offsets of the topics and of the consumer groups, in one look.

Stages move their committed offsets only over finished records, so what lies behind them is what a crash cannot lose.
"""

import importlib
import re
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.queries import BrokerUnavailableError, passes
from forebay.settings import KafkaSettings

Place = tuple[str, int]
"""Topic on the broker and partition."""

MARKERS = 10
"""A transaction ends with a marker, which is an offset and no record: so few offsets may be no records at all."""

_VERSION = re.compile(r"-v\d+$")
"""What ``stage.version`` appends to a group (:func:`forebay.contract.names.group_on_broker`)."""

_PEEK_S = 5.0
_AGAIN_S = 0.1

CHANGELOG = "-changelog"
"""How Faust ends the name of a table's topic: its owner restores from it, and never commits that it did."""


@dataclass(frozen=True, kw_only=True)
class Offsets:
    """Where the partitions begin and end, and how far each group got.

    Attributes:
        first: oldest offset that is still there.
        end: offset of the next record.
        finished: by group, then place: the offset it goes on at; ``None`` for a partition that it reads and has not
            finished a record of.
    """

    first: Mapping[Place, int]
    end: Mapping[Place, int]
    finished: Mapping[str, Mapping[Place, int | None]]


def topic_sizes(offsets: Offsets, prefix: str) -> dict[str, dict[str, int]]:
    """Logical topic name to ``partitions`` and ``records``: all that were ever written, also those expired since."""
    sizes: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"partitions": 0, "records": 0})
    for (topic, _), end in sorted(offsets.end.items()):
        sizes[topic.removeprefix(prefix)]["partitions"] += 1
        sizes[topic.removeprefix(prefix)]["records"] += end
    return dict(sizes)


def unfinished(offsets: Offsets, prefix: str) -> dict[str, dict[str, int]]:
    """Stage to logical topic to records that its group has not finished; expired ones are nobody's work any more."""
    lag: dict[str, dict[str, int]] = {}
    for group, places in sorted(offsets.finished.items()):
        behind: defaultdict[str, int] = defaultdict(int)
        for place, at in sorted(places.items()):
            if place in offsets.end and not place[0].endswith(CHANGELOG):
                behind[place[0].removeprefix(prefix)] += offsets.end[place] - _next(offsets, place, at)
        lag[_VERSION.sub("", group.removeprefix(prefix))] = dict(behind)
    return lag


def _next(offsets: Offsets, place: Place, at: int | None) -> int:
    first, end = offsets.first.get(place, 0), offsets.end[place]
    return first if at is None else min(max(first, at), end)


def read_offsets(kafka: KafkaSettings, groups: Collection[str], timeout_s: float = 5.0) -> Offsets:
    """Ask the broker about every topic under ``kafka.topic_prefix`` and these groups (names on the broker).

    What has no leader yet is asked for again: topics that have just been made, a broker that was just lost.

    Raises:
        BrokerUnavailableError: it does not answer within ``timeout_s`` seconds a question.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    admin: Any = AdminClient(confluent_options(kafka), logger=silent())
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return _without_markers(_read_once(admin, kafka, groups, timeout_s), kafka)
        except KafkaException as error:
            if passes(error) and time.monotonic() < deadline:
                time.sleep(_AGAIN_S)
                continue
            cause: Any = error.args[0]
            raise BrokerUnavailableError(f"no broker answers at {kafka.bootstrap}: {cause.str()}") from None


def _read_once(admin: Any, kafka: KafkaSettings, groups: Collection[str], timeout_s: float) -> Offsets:
    topics = admin.list_topics(timeout=timeout_s).topics
    places = [
        (name, partition)
        for name, topic in topics.items()
        if name.startswith(kafka.topic_prefix)
        for partition in topic.partitions
    ]
    known = {group.group_id for group in admin.list_consumer_groups(request_timeout=timeout_s).result().valid}
    first, end = _bounds(admin, places, "earliest", timeout_s), _bounds(admin, places, "latest", timeout_s)
    return Offsets(first=first, end=end, finished=_finished(admin, sorted(known.intersection(groups)), timeout_s))


def _bounds(admin: Any, places: list[Place], which: str, timeout_s: float) -> dict[Place, int]:
    from confluent_kafka import IsolationLevel, TopicPartition

    if not places:
        return {}
    # The library's types do not export what its package re-exports.
    specification: Any = importlib.import_module("confluent_kafka.admin").OffsetSpec
    asked = admin.list_offsets(
        {TopicPartition(*place): getattr(specification, which)() for place in places},
        isolation_level=IsolationLevel.READ_COMMITTED,
        request_timeout=timeout_s,
    )
    return {(place.topic, place.partition): future.result().offset for place, future in asked.items()}


def _finished(admin: Any, groups: list[str], timeout_s: float) -> dict[str, dict[Place, int | None]]:
    """Committed offsets, and ``None`` for what a member reads without having committed anything."""
    from confluent_kafka import ConsumerGroupTopicPartitions

    if not groups:
        return {}
    found: dict[str, dict[Place, int | None]] = {}
    for group, future in admin.describe_consumer_groups(groups, request_timeout=timeout_s).items():
        assigned = [member.assignment for member in future.result().members if member.assignment]
        found[group] = {(tp.topic, tp.partition): None for places in assigned for tp in places.topic_partitions}
    # librdkafka takes one group a request; sent together, they are answered together.
    asked = [
        admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=timeout_s)
        for group in groups
    ]
    for request in asked:
        for group, future in request.items():
            committed = {(tp.topic, tp.partition): tp.offset for tp in future.result().topic_partitions or ()}
            found[group] |= {place: offset for place, offset in committed.items() if offset >= 0}
    return found


def _without_markers(offsets: Offsets, kafka: KafkaSettings) -> Offsets:
    """The same, with a group moved to the end of a partition where only transaction markers follow."""
    suspects = [
        (group, place, at)
        for group, places in offsets.finished.items()
        for place, at in places.items()
        if place in offsets.end and 0 < offsets.end[place] - _next(offsets, place, at) <= MARKERS
    ]
    if not suspects:
        return offsets
    from confluent_kafka import Consumer

    consumer: Any = Consumer(
        confluent_options(kafka)
        | {
            "group.id": f"{kafka.topic_prefix}lag",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        },
        logger=silent(),
    )
    finished = {group: dict(places) for group, places in offsets.finished.items()}
    try:
        for group, place, at in suspects:
            if not _has_records(consumer, place, _next(offsets, place, at)):
                finished[group][place] = offsets.end[place]
    finally:
        consumer.close()
    return Offsets(first=offsets.first, end=offsets.end, finished=finished)


def _has_records(consumer: Any, place: Place, offset: int) -> bool:
    from confluent_kafka import TopicPartition

    consumer.assign([TopicPartition(*place, offset)])
    message = consumer.poll(_PEEK_S)
    consumer.unassign()
    return message is None or message.error() is None  # else the error says that this is the end
