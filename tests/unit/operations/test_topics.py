"""What an operator may do to topics, called as a console calls it."""

from dataclasses import replace

import pytest

from forebay.contract.topics import TOPICS
from forebay.kafka.topic_admin import Difference, Found, TopicsError, wanted
from forebay.operations import topics
from forebay.settings import KafkaSettings, Settings

SETTINGS = Settings({"kafka": {"topic_prefix": "fb.", "partitions": 3}})
WANTED = {target.name: target for target in (wanted(topic, SETTINGS[KafkaSettings]) for topic in TOPICS.values())}


class Admin:
    """Topics in memory; ``refuses`` is what the broker says."""

    def __init__(self, *missing: str, refuses: str = "") -> None:
        self.refuses = refuses
        self.found = {
            name: Found(partitions=target.partitions, replication=target.replication, config=target.config)
            for name, target in WANTED.items()
            if name not in missing
        }

    def create(self) -> list[str]:
        if self.refuses:
            raise TopicsError(self.refuses)
        missing = [name for name in WANTED if name not in self.found]
        self.found |= Admin().found
        return missing

    def describe(self) -> dict[str, Found]:
        if self.refuses:
            raise TopicsError(self.refuses)
        return self.found


def test_what_is_missing_is_said_made_and_missing_no_more() -> None:
    admin = Admin("fb.usage")
    report = topics.describe(admin, SETTINGS)
    assert report.differences == [Difference(topic="fb.usage", key="topic", wanted="present", found=None)]
    assert "fb.usage" not in report.topics
    assert topics.create(admin) == ["fb.usage"]
    assert topics.create(admin) == []
    assert topics.describe(admin, SETTINGS).differences == []


def test_what_is_otherwise_is_named() -> None:
    admin = Admin()
    usage = admin.found["fb.usage"]
    admin.found["fb.usage"] = replace(usage, partitions=2, config={**usage.config, "retention.ms": "1000"})
    retention = str(400 * 86_400_000)
    assert topics.describe(admin, SETTINGS).differences == [
        Difference(topic="fb.usage", key="partitions", wanted="3", found="2"),
        Difference(topic="fb.usage", key="retention.ms", wanted=retention, found="1000"),
    ]


def test_what_the_brokers_refuse_is_raised() -> None:
    admin = Admin(refuses="the broker does not answer")
    with pytest.raises(TopicsError):
        topics.create(admin)
    with pytest.raises(TopicsError):
        topics.describe(admin, SETTINGS)


def test_the_real_one_is_asked_when_it_is_needed() -> None:
    assert topics.open_admin(SETTINGS) is not None
