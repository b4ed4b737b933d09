"""What somebody should look at: a condition that begins, and ends.

Each says which condition it is about by a fingerprint, so that whoever hears of the same one a thousand times, or from
two workers, knows it for one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from forebay.observability.plain import shown


class Severity(StrEnum):
    """How soon a person has to look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertState(StrEnum):
    """Whether the condition holds."""

    FIRING = "firing"
    RESOLVED = "resolved"


_PLAIN = ("subject", "message", "summary", "action")
_FINGERPRINT_CHARS = 32  # 128 bits


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """Something a person should look at; ``kind`` is catalogued in docs/reference/alerts.md.

    ``subject`` and the texts go to pagers, chats and mails, which know nothing of
    :mod:`forebay.observability.plain`: so they are plain from the beginning, whoever made or sent the alert.

    ``fingerprint`` is a hash of what the condition is: kind, subject, tenant and ``labels``; made here where it is
    missing, so that records of before have one too. ``starts_at``: since when it holds, 0 in those: ``created_at``.
    ``ends_at``: when it ended. One that fires and says so already, as a budget's share does that is used up until
    midnight, is told of once: it is not repeated, and its end is no news. ``summary``: in a few words; ``action``: what
    to do.
    """

    alert_id: str = ""
    kind: str = ""
    severity: Severity = Severity.WARNING
    tenant_id: str | None = None
    subject: str = ""
    message: str = ""
    value: float = 0.0
    threshold: float = 0.0
    created_at: int = 0
    fingerprint: str = ""
    state: AlertState = AlertState.FIRING
    labels: Mapping[str, str] = field(default_factory=dict)
    starts_at: int = 0
    ends_at: int | None = None
    summary: str = ""
    action: str = ""

    def __post_init__(self) -> None:
        for name in _PLAIN:
            text = getattr(self, name)
            if isinstance(text, str):  # what is none is for the schema to refuse
                object.__setattr__(self, name, shown(text, lines=True))
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", fingerprint(self.kind, self.subject, self.tenant_id, self.labels))


def fingerprint(kind: str, subject: str, tenant_id: str | None, labels: Mapping[str, str]) -> str:
    """What tells a condition from every other: 32 hexadecimal digits. Raises nothing, whatever the fields hold."""
    named = [kind, subject, tenant_id, sorted(labels.items()) if isinstance(labels, Mapping) else labels]
    text = json.dumps(named, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT_CHARS]


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """A message to people about alerts, for one channel; the same id is the same message."""

    notification_id: str = ""
    channel: str = ""
    alerts: tuple[Alert, ...] = ()
    created_at: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """Nobody hears of alerts that fit all ``matchers`` until ``ends_at``; ``*`` in a matcher stands for anything."""

    silence_id: str = ""
    matchers: Mapping[str, str] = field(default_factory=dict)
    ends_at: int = 0
    by: str = ""
    reason: str | None = None
    created_at: int = 0
