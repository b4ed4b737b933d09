"""The audit trail in memory, which may refuse, and whoever writes to it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from forebay.contract.records import AuditEvent
from forebay.operations.audit.recording import Act, recorded
from forebay.operations.audit.trail import Read


class MemoryTrail:
    """Records of acts; from the ``refuses_from``-th on the brokers are gone."""

    def __init__(self, refuses_from: int = 1_000) -> None:
        self.events: list[AuditEvent] = []
        self.refuses_from = refuses_from

    def read(self) -> Read:
        return Read(events=list(self.events))

    def append(self, event: AuditEvent) -> None:
        if len(self.events) >= self.refuses_from:
            raise OSError("the brokers are gone")
        self.events.append(event)

    def record(
        self,
        action: str,
        *,
        subject: str,
        by: str = "",
        reason: str | None = None,
        count: int = 0,
        details: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Act]:
        """A recorder for operations."""
        return recorded(self, action, by=by or "os-user", subject=subject, reason=reason, count=count, details=details)

    @property
    def acts(self) -> list[tuple[str, str]]:
        """Action and phase, of an end its outcome."""
        return [(one.action, one.details.get("outcome", "begun")) for one in self.events]
