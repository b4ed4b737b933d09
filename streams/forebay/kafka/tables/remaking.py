"""How are the tables of a stage made anew, and its group told where to go on? From outside, while no worker runs.

A table of Faust is a compacted topic with as many partitions as the topic that it is made from; that number is fixed
when it is made. Positions of a group with members cannot be set, the brokers refuse it: whoever sets them first and
last knows that no worker ran in between.
"""

import importlib
import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka.partitioner import murmur2

from forebay.contract.clock import now_ms
from forebay.contract.commit_memo import Memo
from forebay.contract.names import group_on_broker, topic_on_broker
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.group_offsets import CHANGELOG, new_admin, topic_ids
from forebay.kafka.queries import BrokerUnavailableError
from forebay.settings import KafkaSettings

_TIMEOUT_S = 30.0
_PAUSE_S = 0.2
_POSITIVE = 0x7FFFFFFF


class TablesError(Exception):
    """The tables cannot be made anew now; the message says why, and what to do."""


def partition_of(key: str, partitions: int) -> int:
    """Where the producers of all stages put a record with this key, in a topic of so many partitions."""
    return int((murmur2(key.encode()) & _POSITIVE) % partitions)


class TableTopics:
    """The changelogs of one stage, and its group.

    Args:
        admin: a ``confluent_kafka.admin.AdminClient``; made from the settings unless given.
    """

    def __init__(self, kafka: KafkaSettings, stage: str, version: int, admin: Any = None) -> None:
        self._kafka = kafka
        self._stage = stage
        self._group = group_on_broker(stage, kafka, version)
        self._admin = admin or new_admin(kafka)

    def refuse_members(self) -> None:
        """Raises :class:`TablesError` if a worker of the stage runs."""
        found = self._admin.describe_consumer_groups([self._group], request_timeout=_TIMEOUT_S)
        if self._result(found[self._group]).members:
            raise TablesError(f"a worker of {self._stage} runs: stop all of them, then do this again")

    def positions(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """Partition of the logical ``topic`` to where the group goes on; without those that it never finished any of.

        Raises:
            BrokerUnavailableError: nobody tells.
        """
        from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

        name = topic_on_broker(topic, self._kafka)
        asked = ConsumerGroupTopicPartitions(self._group, [TopicPartition(name, number) for number in partitions])
        found = self._result(self._admin.list_consumer_group_offsets([asked])[self._group])
        return {place.partition: place.offset for place in found.topic_partitions if place.offset >= 0}

    def go_on_at(self, topic: str, offsets: Mapping[int, int]) -> None:
        """Have the group go on at these offsets. Raises :class:`TablesError` if a worker runs."""
        from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

        name = topic_on_broker(topic, self._kafka)
        memo = Memo(topic_id=topic_ids(self._admin, [name]).get(name, ""), at_ms=now_ms()).encode()
        places = [TopicPartition(name, number, offset, memo) for number, offset in offsets.items()]
        wanted = ConsumerGroupTopicPartitions(self._group, places)
        done = self._result(self._admin.alter_consumer_group_offsets([wanted])[self._group])
        if failed := [place for place in done.topic_partitions if place.error is not None]:
            raise TablesError(f"a worker of {self._stage} runs ({failed[0].error}): stop all, then do this again")

    def remake(self, tables: Iterable[str], partitions: int) -> None:
        """Empty tables of so many partitions. Raises :class:`TablesError` if the brokers do not make them in time."""
        admin: Any = importlib.import_module("confluent_kafka.admin")
        names = [self._changelog(table) for table in tables]
        there = self._admin.list_topics(timeout=_TIMEOUT_S).topics
        if old := [name for name in names if name in there]:
            for future in self._admin.delete_topics(old, operation_timeout=_TIMEOUT_S).values():
                self._result(future)
        config = {"cleanup.policy": "compact", "min.insync.replicas": str(self._kafka.min_insync_replicas)}
        for name in names:
            wanted = admin.NewTopic(
                name, num_partitions=partitions, replication_factor=self._kafka.replication_factor, config=config
            )
            self._until(lambda wanted=wanted, name=name: self._admin.create_topics([wanted])[name])

    def write(self, table: str, rows: Iterable[tuple[int, str, Any]]) -> None:
        """Put rows into a table: partition, key, and what is JSON. Raises :class:`BrokerUnavailableError`."""
        from confluent_kafka import Producer

        producer = Producer(
            confluent_options(self._kafka) | {"enable.idempotence": True, "acks": "all"}, logger=silent()
        )
        problems: list[str] = []

        def delivered(error: object, _message: object) -> None:
            if error is not None:
                problems.append(str(error))

        name = self._changelog(table)
        for partition, key, value in rows:
            content = json.dumps(key).encode(), json.dumps(value).encode()
            while True:
                try:
                    producer.produce(name, content[1], content[0], partition=partition, on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(_PAUSE_S)
            producer.poll(0)
        if producer.flush(_TIMEOUT_S):
            problems.append(f"no answer from the brokers within {_TIMEOUT_S:g} s")
        if problems:
            raise BrokerUnavailableError(f"{name}: {problems[0]}")

    def _changelog(self, table: str) -> str:
        return f"{self._group}-{table}{CHANGELOG}"

    def _until(self, begin: Any) -> Any:
        """Try until it is done: a topic that was deleted is there for a moment still."""
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            with suppress(TablesError):
                return self._result(begin())
            time.sleep(_PAUSE_S)
        return self._result(begin())

    def _result(self, future: Any) -> Any:
        from confluent_kafka import KafkaException

        try:
            return future.result(timeout=_TIMEOUT_S)
        except KafkaException as error:
            cause: Any = error.args[0]
            raise TablesError(f"the brokers refuse: {cause.str()}") from None
        except TimeoutError:
            raise BrokerUnavailableError(f"no broker answers at {self._kafka.bootstrap} in time") from None
