"""Who did what to dead letters, when and why? An entry of the audit trail for each action."""

from collections.abc import Mapping

from forebay.contract.handlers import Output
from forebay.contract.json_lines import new_id
from forebay.contract.records import AuditEvent


def audit(
    action: str,
    *,
    by: str,
    reason: str | None,
    subject: str,
    count: int,
    at: int,
    details: Mapping[str, str] | None = None,
) -> Output:
    """The audit record of one action on ``count`` letters, at ``at`` ms since the epoch.

    Args:
        subject: which letters, in words: their ids, or the filter that they were chosen by.
    """
    event = AuditEvent(
        audit_id=new_id(),
        action=action,
        by=by,
        reason=reason,
        subject=subject,
        count=count,
        details=dict(details or {}),
        at=at,
    )
    return Output(topic="audit", key=event.audit_id, value=event)
