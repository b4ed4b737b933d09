"""How much is there, and how far did each stage get? Offsets of the topics and of the consumer groups, in one look.

Stages move their committed offsets only over finished records, so what lies behind them is what a crash cannot lose.
"""

import asyncio
import importlib
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from forebay.contract.commit_memo import Memo
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.queries import BrokerUnavailableError, Place, passes
from forebay.settings import KafkaSettings

_FORGOTTEN = 2
"""Times the time-out of a question after which its answer is waited for no longer."""
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
            finished a record of, or only such as were in another topic of the same name.
        assigned: by group: what its members read now.
        ids: of the topics, where the brokers tell them (KIP-516).
    """

    first: Mapping[Place, int]
    end: Mapping[Place, int]
    finished: Mapping[str, Mapping[Place, int | None]]
    assigned: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)


def topic_sizes(offsets: Offsets, prefix: str) -> dict[str, dict[str, int]]:
    """Logical topic name to ``partitions`` and ``records``: all that were ever written, also those expired since."""
    sizes: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"partitions": 0, "records": 0})
    for (topic, _), end in sorted(offsets.end.items()):
        sizes[topic.removeprefix(prefix)]["partitions"] += 1
        sizes[topic.removeprefix(prefix)]["records"] += end
    return dict(sizes)


def begun(offsets: Offsets, place: Place, at: int | None) -> int:
    """Offset of the first record of ``place`` that a group at ``at`` has not finished: what expired is not its work.

    A position behind the end is none: the topic was made again, or its log was cut, and all in it counts.
    """
    first, end = offsets.first.get(place, 0), offsets.end[place]
    return first if at is None or at > end else max(first, at)


def new_admin(kafka: KafkaSettings) -> Any:
    """A client for :func:`read_offsets`; who asks often keeps one."""
    from confluent_kafka.admin import AdminClient

    return AdminClient(confluent_options(kafka), logger=silent())


def read_offsets(kafka: KafkaSettings, groups: Collection[str], timeout_s: float = 5.0) -> Offsets:
    """Ask the broker about every topic under ``kafka.topic_prefix`` and these groups (names on the broker); blocks.

    Raises:
        BrokerUnavailableError: it does not answer within ``timeout_s`` seconds a question.
    """
    from forebay.kafka.direct import Direct  # aiokafka takes 0.1 s to import

    bounds = read_bounds(kafka, groups, timeout_s)
    if not bounds.assigned:
        return bounds

    async def ask() -> dict[str, dict[Place, tuple[int, str]]]:
        async with Direct(kafka) as direct:
            return {group: await direct.committed(group, bounds.end) for group in bounds.assigned}

    # In a thread: whoever calls may be in an event loop of their own.
    with ThreadPoolExecutor(1) as pool:
        return with_committed(bounds, pool.submit(asyncio.run, ask()).result())


def with_committed(bounds: Offsets, committed: Mapping[str, Mapping[Place, tuple[int, str]]]) -> Offsets:
    """``bounds`` and what groups committed, with its metadata; of another topic of the same name it counts as none."""
    finished: dict[str, dict[Place, int | None]] = {}
    for group, places in committed.items():
        finished[group] = dict.fromkeys(bounds.assigned.get(group, ()))
        for place, (offset, metadata) in places.items():
            of = Memo.decode(metadata).topic_id
            another = bool(of) and bounds.ids.get(place[0], of) != of
            finished[group][place] = None if another else offset
    return replace(bounds, finished=finished)


def read_bounds(
    kafka: KafkaSettings,
    groups: Collection[str],
    timeout_s: float = 5.0,
    *,
    admin: Any = None,
    only: Collection[str] | None = None,
) -> Offsets:
    """All but what is committed; blocks.

    What has no leader yet is asked for again: topics that have just been made, a broker that was just lost.

    Args:
        admin: from :func:`new_admin`.
        only: these topics (names on the broker); by default all under the prefix, and groups that are there.

    Raises:
        BrokerUnavailableError: it does not answer within ``timeout_s`` seconds a question.
    """
    from confluent_kafka import KafkaException

    admin = admin or new_admin(kafka)
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return _read_once(admin, kafka, groups, timeout_s, only)
        except KafkaException as error:
            if passes(error) and time.monotonic() < deadline:
                time.sleep(_AGAIN_S)
                continue
            cause: Any = error.args[0]
            raise BrokerUnavailableError(f"no broker answers at {kafka.bootstrap}: {cause.str()}") from None
        except TimeoutError:  # the library itself gives up after ``timeout_s``; this is for when it forgets to
            raise BrokerUnavailableError(f"no broker answers at {kafka.bootstrap} in time") from None


def topic_ids(admin: Any, topics: Collection[str], timeout_s: float = 5.0) -> dict[str, str]:
    """Ids of those of ``topics`` that are there; none from brokers that have none, or do not answer in time."""
    from confluent_kafka import KafkaException

    try:
        return {name: str(topic.topic_id) for name, topic in _described(admin, topics, timeout_s).items()}
    except (KafkaException, TimeoutError):
        return {}


def _described(admin: Any, topics: Collection[str], timeout_s: float) -> dict[str, Any]:
    """Those of ``topics`` that are there, with their partitions and ids, in one request."""
    from confluent_kafka import KafkaError, KafkaException, TopicCollection

    found: dict[str, Any] = {}
    if not topics:
        return found
    for name, described in admin.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s).items():
        try:
            found[name] = described.result(timeout_s)
        except KafkaException as error:
            if error.args[0].code() not in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED):
                raise
    return found


def _read_once(
    admin: Any, kafka: KafkaSettings, groups: Collection[str], timeout_s: float, only: Collection[str] | None
) -> Offsets:
    if only is None:
        only = [name for name in admin.list_topics(timeout=timeout_s).topics if name.startswith(kafka.topic_prefix)]
        known = {group.group_id for group in admin.list_consumer_groups(request_timeout=timeout_s).result().valid}
        groups = known.intersection(groups)
    topics = _described(admin, only, timeout_s)
    ids = {name: str(topic.topic_id) for name, topic in topics.items()}
    places = [(name, one.id) for name, topic in topics.items() for one in topic.partitions]
    first, end = _bounds(admin, places, "earliest", timeout_s), _bounds(admin, places, "latest", timeout_s)
    assigned = _assigned(admin, sorted(groups), timeout_s)
    return Offsets(first=first, end=end, finished={}, assigned=assigned, ids=ids)


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
    longest_s = _FORGOTTEN * timeout_s
    return {(place.topic, place.partition): future.result(longest_s).offset for place, future in asked.items()}


def _assigned(admin: Any, groups: list[str], timeout_s: float) -> dict[str, frozenset[Place]]:
    """What the members of each group read."""
    if not groups:
        return {}
    found = {}
    for group, future in admin.describe_consumer_groups(groups, request_timeout=timeout_s).items():
        described = future.result(_FORGOTTEN * timeout_s)
        members = [member.assignment for member in described.members if member.assignment]
        found[group] = frozenset((tp.topic, tp.partition) for places in members for tp in places.topic_partitions)
    return found
