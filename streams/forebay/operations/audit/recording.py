"""How is an act written down? Before it, so that none happens unseen, and after it, with how it ended."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from forebay.contract.clock import Clock, now_ms
from forebay.contract.json_lines import new_id
from forebay.contract.records import AuditEvent
from forebay.operations.audit.chain import AFTER, BEFORE, OF, OUTCOME, PHASE, linked
from forebay.operations.audit.trail import Trail

DONE = "done"


@dataclass
class Act:
    """What an act adds to its second record while it happens: how much it touched, and further facts."""

    count: int = 0
    details: dict[str, str] = field(default_factory=dict)


@contextmanager
def recorded(
    trail: Trail,
    action: str,
    *,
    by: str,
    subject: str,
    reason: str | None = None,
    details: Mapping[str, str] | None = None,
    clock: Clock = now_ms,
) -> Iterator[Act]:
    """Around an act: it happens only once its first record is delivered.

    Args:
        action: such as ``vault.rotate``.
        by: account name of the person.
        subject: what it is done to, without personal data.

    Raises:
        Exception: whatever reading and writing the trail raises; before the act, then it did not happen, or after it,
            then :func:`forebay.operations.audit.chain.unfinished` names it.
    """
    common = dict(details or {})
    event = AuditEvent(
        audit_id=new_id(),
        action=action,
        by=by,
        reason=reason,
        subject=subject,
        details={**common, PHASE: BEFORE},
        at=clock(),
    )
    before = linked(event, trail.read().events)
    trail.append(before)
    act, outcome = Act(), "interrupted"
    try:
        yield act
        outcome = DONE
    except Exception as error:
        outcome = type(error).__name__
        raise
    finally:
        after = replace(
            event,
            audit_id=new_id(),
            count=act.count,
            details={**common, **act.details, PHASE: AFTER, OF: before.audit_id, OUTCOME: outcome},
            at=clock(),
        )
        trail.append(linked(after, [before]))
