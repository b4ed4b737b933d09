"""What operators do, for the record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LINKS, OF, OS_USER, KAFKA_USER = "after", "of", "os_user", "kafka_user"
"""Keys of an audit record's details that bind it to others, and that say who acted."""


class DeadLetterAction(StrEnum):
    """``replayed``: sent back to its stage; ``parked``: set aside for a person; ``dropped``: given up for good."""

    REPLAYED = "replayed"
    PARKED = "parked"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetterState:
    """What was done with a dead letter; ``dead_letter_id`` is partition-offset in the topic ``dlq``."""

    dead_letter_id: str = ""
    action: DeadLetterAction = DeadLetterAction.PARKED
    replay_id: str | None = None
    by: str = ""
    reason: str | None = None
    at: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEvent:
    """Who did what, when and why; ``details`` binds it to the records before it."""

    audit_id: str = ""
    action: str = ""
    by: str = ""
    reason: str | None = None
    subject: str = ""
    count: int = 0
    details: Mapping[str, str] = field(default_factory=dict)
    at: int = 0

    @property
    def facts(self) -> Mapping[str, str]:
        """The details that say more about the act itself."""
        return {key: value for key, value in self.details.items() if key not in (LINKS, OF, OS_USER, KAFKA_USER)}
