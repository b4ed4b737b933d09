"""Are the topics as the catalogue and the settings have them? Create what is missing, say what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from forebay.contract.names import topics_of
from forebay.kafka.topic_admin import Difference, Found, TopicAdmin, differences, wanted
from forebay.settings import KafkaSettings, Settings, TenantSettings


class Admin(Protocol):
    """The part of :class:`forebay.kafka.topic_admin.TopicAdmin` that is needed here."""

    def create(self) -> list[str]:
        """Create what is missing; the names on the broker of what was created."""
        ...

    def describe(self) -> dict[str, Found]:
        """The catalogue's topics that exist, by their names on the broker."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicsReport:
    """The catalogue's topics that exist, by their names on the broker, and where they are not as they should be."""

    topics: Mapping[str, Found]
    differences: Sequence[Difference]


def open_admin(settings: Settings) -> Admin:
    """Of the brokers of an installation; connects when it is first asked."""
    return TopicAdmin(settings[KafkaSettings], topics=topics_of(settings[TenantSettings]))


def create(admin: Admin) -> list[str]:
    """Create the topics that are missing; those that exist are left as they are.

    Returns:
        Names on the broker of what was created.

    Raises:
        TopicsError: after 30 s there are topics missing.
    """
    return admin.create()


def describe(admin: Admin, settings: Settings) -> TopicsReport:
    """How the topics are, all asked at one moment. Raises :class:`TopicsError`."""
    found, kafka = admin.describe(), settings[KafkaSettings]
    targets = [wanted(topic, kafka) for topic in topics_of(settings[TenantSettings]).values()]
    return TopicsReport(
        topics=found, differences=[row for target in targets for row in differences(target, found.get(target.name))]
    )
