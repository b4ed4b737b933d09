"""Are the topics on the broker what the catalogue says? Creates what is missing, names what differs, changes nothing.

Partition counts and retention are decisions of whoever runs the cluster: an existing topic is described, not altered.
"""

import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forebay.avro.encoding import message_limit
from forebay.contract.names import topic_on_broker
from forebay.contract.topics import TOPICS, Topic
from forebay.kafka.connection import confluent_options, silent
from forebay.settings import KafkaSettings

_PAUSE_S = 0.1
_MISSING = "missing"

UNPACKED_BYTES = "max.decompressed.message.bytes"
"""Bytes that a record may unpack to; of Kafka 4.4, and of older ones that took it over. Stages bound it as well."""

WHERE_KNOWN = frozenset({UNPACKED_BYTES})
"""Settings that older brokers do not have: they are left out there, and are no difference."""


class TopicsError(Exception):
    """The topics cannot be created or described; the message says which, and what the broker said."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A topic as it should be on the broker."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A topic as it is on the broker."""

    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where a topic is not as it should be; ``found`` is ``None`` when there is no such thing."""

    topic: str
    key: str
    wanted: str
    found: str | None


def wanted(topic: Topic, kafka: KafkaSettings) -> Wanted:
    """What the settings make of a topic of the catalogue."""
    retention = -1 if topic.retention_ms is None else topic.retention_ms
    return Wanted(
        name=topic_on_broker(topic.name, kafka),
        partitions=topic.partitions or kafka.partitions,
        replication=kafka.replication_factor,
        config={
            "cleanup.policy": "compact" if topic.compacted else "delete",
            "retention.ms": str(retention),
            "max.message.bytes": str(message_limit(topic.name, kafka)),
            UNPACKED_BYTES: str(message_limit(topic.name, kafka)),
            "min.insync.replicas": str(kafka.min_insync_replicas),
            "message.timestamp.type": "LogAppendTime" if topic.broker_time else "CreateTime",
        },
    )


def differences(target: Wanted, found: Found | None) -> list[Difference]:
    """Where ``found`` is not ``target``; more partitions than wanted are no difference, since they cannot be undone."""
    if found is None:
        return [Difference(topic=target.name, key="topic", wanted="present", found=None)]
    rows: list[tuple[str, str, str | None]] = []
    if found.partitions < target.partitions:
        rows.append(("partitions", str(target.partitions), str(found.partitions)))
    if found.replication < target.replication:
        rows.append(("replication", str(target.replication), str(found.replication)))
    rows += [
        (key, value, found.config.get(key))
        for key, value in target.config.items()
        if found.config.get(key) != value and (key in found.config or key not in WHERE_KNOWN)
    ]
    return [Difference(topic=target.name, key=key, wanted=want, found=have) for key, want, have in rows]


class TopicAdmin:
    """Administers the topics of the catalogue.

    Args:
        kafka: brokers, prefix and defaults.
        admin: a ``confluent_kafka.admin.AdminClient``; made from the settings unless given.
        sleep: injected so that tests need not wait.
        topics: all of the installation: with those that tenants have apart.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        admin: Any = None,
        sleep: Callable[[float], None] = time.sleep,
        *,
        topics: Mapping[str, Topic] = TOPICS,
    ) -> None:
        self._topics = topics
        self._kafka = kafka
        self._admin = admin if admin is not None else _new_admin(kafka)
        self._sleep = sleep
        self._unknown: set[str] = set()

    def create(self, timeout_s: float = 30.0) -> list[str]:
        """Create what is missing; the names of the topics that were created.

        A broker that has just started answers with errors that pass (no controller yet, too few brokers for the
        replication): they are retried.

        Raises:
            TopicsError: after ``timeout_s`` seconds there are topics missing.
        """
        targets = {target.name: target for target in (wanted(topic, self._kafka) for topic in self._topics.values())}
        deadline = time.monotonic() + timeout_s
        created: list[str] = []
        while True:
            problems = self._pending(targets)
            if not problems:
                return created
            missing = [targets[name] for name in problems if name in targets and problems[name] == _MISSING]
            if missing:
                done, refused = self._request(missing)
                created += done
                problems |= refused
            if time.monotonic() >= deadline:
                raise TopicsError("; ".join(f"{name}: {why}" for name, why in sorted(problems.items())))
            self._sleep(_PAUSE_S)

    def describe(self) -> dict[str, Found]:
        """The catalogue's topics that exist, by their names on the broker. Raises :class:`TopicsError`."""
        from confluent_kafka import KafkaException

        admin = _library()

        try:
            metadata = self._admin.list_topics(timeout=10.0).topics
            names = [topic_on_broker(name, self._kafka) for name in self._topics]
            present = [name for name in names if name in metadata]
            if not present:
                return {}
            answers = self._admin.describe_configs(
                [admin.ConfigResource(admin.ResourceType.TOPIC, name) for name in present]
            )
            configs = {resource.name: future.result(timeout=10.0) for resource, future in answers.items()}
        except (KafkaException, TimeoutError) as error:
            raise TopicsError(f"the broker does not answer: {_reason(error)}") from None
        return {
            name: Found(
                partitions=len(metadata[name].partitions),
                replication=min((len(part.replicas) for part in metadata[name].partitions.values()), default=0),
                config={entry.name: entry.value for entry in configs[name].values() if entry.value is not None},
            )
            for name in present
        }

    def delete(self) -> None:
        """Delete the catalogue's topics that exist (tests clean up so). Raises :class:`TopicsError`."""
        present = list(self.describe())
        if present:
            self._settle(self._admin.delete_topics(present, operation_timeout=10.0), done="UNKNOWN_TOPIC")

    def _pending(self, targets: Mapping[str, Wanted]) -> dict[str, str]:
        """What is not there yet, and why: a created topic is of use once every partition has a leader."""
        from confluent_kafka import KafkaException

        try:
            existing = self._admin.list_topics(timeout=5.0).topics
        except KafkaException as error:
            return {self._kafka.bootstrap: _reason(error)}
        pending = {name: _MISSING for name in targets if name not in existing}
        for name in targets.keys() & existing.keys():
            if any(partition.leader < 0 for partition in existing[name].partitions.values()):
                pending[name] = "no leader"
        return pending

    def _request(self, missing: Sequence[Wanted]) -> tuple[list[str], dict[str, str]]:
        """Names created, and why the others could not be."""
        admin = _library()
        done, refused = self._settle(
            self._admin.create_topics(
                [
                    admin.NewTopic(
                        t.name,
                        num_partitions=t.partitions,
                        replication_factor=t.replication,
                        config={key: value for key, value in t.config.items() if key not in self._unknown},
                    )
                    for t in missing
                ],
                operation_timeout=10.0,
            ),
            done="TOPIC_ALREADY_EXISTS",
        )
        self._unknown |= {key for key in WHERE_KNOWN if any(key in why for why in refused.values())}
        return done, refused

    @staticmethod
    def _settle(futures: Mapping[str, Any], done: str) -> tuple[list[str], dict[str, str]]:
        from confluent_kafka import KafkaException

        succeeded, problems = [], {}
        for name, future in futures.items():
            try:
                future.result(timeout=30.0)
                succeeded.append(name)
            except (KafkaException, TimeoutError) as error:
                if done not in _code(error):
                    problems[name] = _reason(error)
        return succeeded, problems


def _library() -> Any:
    """``confluent_kafka.admin``, whose types do not export what it re-exports; imported late, since it takes 0.2 s."""
    return importlib.import_module("confluent_kafka.admin")


def _new_admin(kafka: KafkaSettings) -> Any:
    return _library().AdminClient(
        confluent_options(kafka) | {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500}, logger=silent()
    )


def _code(error: BaseException) -> str:
    cause: Any = error.args[0] if error.args else None
    return str(cause.name()) if hasattr(cause, "name") else ""


def _reason(error: BaseException) -> str:
    cause: Any = error.args[0] if error.args else None
    return str(cause.str()) if hasattr(cause, "str") else type(error).__name__
