"""Where is the trail? In the topic ``audit``, written to all replicas."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from forebay.contract.handlers import Output
from forebay.contract.records import AuditEvent
from forebay.kafka.reader import TopicReader
from forebay.operations.publishing import publish
from forebay.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Read:
    """What the topic has, in the order of the brokers' time; ``unreadable`` records of it are no audit events."""

    events: Sequence[AuditEvent]
    unreadable: int = 0


class Trail(Protocol):
    """Records of acts, which are added and never changed."""

    def read(self) -> Read:
        """All that is there."""
        ...

    def append(self, event: AuditEvent) -> None:
        """Add a record; returns once it cannot be lost."""
        ...


class KafkaTrail:
    """The trail on the brokers of ``settings``. It takes READ and WRITE on the topic ``audit``.

    Args:
        newest: only so many records of each partition, for those who add to it; ``None``: all.
    """

    def __init__(self, settings: Settings, newest: int | None = None) -> None:
        self._settings = settings
        self._newest = newest

    def read(self) -> Read:
        """The records. Raises :class:`forebay.kafka.queries.BrokerUnavailableError`."""
        events, unreadable = list[tuple[int, AuditEvent]](), 0
        with TopicReader(self._settings, ["audit"], newest=self._newest) as reader:
            for record in reader.read_to_end():
                if isinstance(record.value, AuditEvent):
                    events.append((record.source.timestamp_ms, record.value))
                else:
                    unreadable += 1
        # By the brokers' clock: that of whoever wrote may be wrong, and is set right while they do.
        events.sort(key=lambda found: (found[0], found[1].audit_id))
        return Read(events=[event for _, event in events], unreadable=unreadable)

    def append(self, event: AuditEvent) -> None:
        """Publish a record. Raises PublishError, and InvalidChoiceError when there is personal data in it."""
        publish(self._settings, [Output(topic="audit", key=event.audit_id, value=event)])
