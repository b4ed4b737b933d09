"""Topics as the catalogue wants them, also on brokers that do not know each setting."""

from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from forebay.contract.topics import TOPICS
from forebay.kafka.topic_admin import UNPACKED_BYTES, Found, TopicAdmin, TopicsError, differences, wanted
from forebay.settings import KafkaSettings

KAFKA = KafkaSettings()


class Broker:
    """Refuses settings that it does not know, as brokers do: topic by topic."""

    def __init__(self, unknown: str) -> None:
        self.unknown = unknown
        self.topics: dict[str, Any] = {}
        self.asked = 0

    def list_topics(self, timeout: float) -> Any:
        return SimpleNamespace(topics=self.topics)

    def create_topics(self, new: list[Any], operation_timeout: float) -> dict[str, Any]:
        self.asked += 1
        return {topic.topic: self._create(topic) for topic in new}

    def _create(self, topic: Any) -> Any:
        done: Future[None] = Future()
        if self.unknown in topic.config:
            why = f"Unknown topic config name: {self.unknown}"
            done.set_exception(KafkaException(KafkaError(KafkaError.INVALID_CONFIG, why)))
        else:
            self.topics[topic.topic] = SimpleNamespace(partitions={}, config=topic.config)
            done.set_result(None)
        return done


def admin(broker: Broker) -> TopicAdmin:
    return TopicAdmin(KAFKA, broker, sleep=lambda _seconds: None)


def test_a_broker_that_does_not_bound_what_records_unpack_to_gets_topics_without_that() -> None:
    broker = Broker(UNPACKED_BYTES)
    assert len(admin(broker).create()) == len(TOPICS) == len(broker.topics)
    assert broker.asked == 2
    assert all("max.message.bytes" in topic.config for topic in broker.topics.values())


def test_a_broker_that_does_bound_it_is_told_by_how_much() -> None:
    broker = Broker("no such setting")
    admin(broker).create()
    config = broker.topics["forebay.requests"].config
    assert config[UNPACKED_BYTES] == config["max.message.bytes"] == str(KAFKA.max_record_bytes + 65_536)


def test_a_setting_that_must_be_there_is_not_left_out() -> None:
    with pytest.raises(TopicsError, match=r"retention\.ms"):
        admin(Broker("retention.ms")).create(timeout_s=0)


def test_a_setting_of_newer_brokers_is_a_difference_only_where_there_is_one() -> None:
    target = wanted(TOPICS["usage"], KAFKA)
    same = Found(partitions=target.partitions, replication=target.replication, config=dict(target.config))
    older = replace(same, config={key: value for key, value in same.config.items() if key != UNPACKED_BYTES})
    unbounded = replace(same, config=dict(same.config) | {UNPACKED_BYTES: "2147483639"})
    assert differences(target, same) == differences(target, older) == []
    assert [row.key for row in differences(target, unbounded)] == [UNPACKED_BYTES]
