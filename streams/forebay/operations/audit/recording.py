"""How is an act written down? Before it, so that none happens unseen, and after it, with how it ended.

An act on many things is one act: a replay of a thousand letters has two records, with a count.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from forebay.contract.clock import Clock, now_ms
from forebay.contract.json_lines import new_id
from forebay.contract.records import AuditEvent
from forebay.contract.records.operations import OF
from forebay.operations.audit.chain import AFTER, BEFORE, OUTCOME, PHASE, linked
from forebay.operations.audit.trail import Trail

DONE = "done"


@dataclass
class Act:
    """What an act adds to its second record while it happens: how much it touched, and further facts."""

    count: int = 0
    details: dict[str, str] = field(default_factory=dict)


class Recorder(Protocol):
    """Writes down the acts of whoever runs this process; :func:`forebay.operations.audit.opening.recorder` makes it."""

    def __call__(
        self,
        action: str,
        /,
        *,
        subject: str,
        by: str = "",
        reason: str | None = None,
        count: int = 0,
        details: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Act]:
        """As :func:`recorded`; ``by`` is the account of the process unless a person is named."""
        ...


@contextmanager
def unrecorded(
    _action: str,
    *,
    subject: str,
    by: str = "",
    reason: str | None = None,
    count: int = 0,
    details: Mapping[str, str] | None = None,
) -> Iterator[Act]:
    """For what touches no installation, such as a folder of one's own."""
    del subject, by, reason, count, details
    yield Act()


@contextmanager
def recorded(
    trail: Trail,
    action: str,
    *,
    by: str,
    subject: str,
    reason: str | None = None,
    count: int = 0,
    details: Mapping[str, str] | None = None,
    clock: Clock = now_ms,
) -> Iterator[Act]:
    """Around an act: it happens only once its first record is delivered.

    Args:
        action: such as ``vault.rotate``.
        by: account name of the person.
        subject: what it is done to, without personal data.
        count: how many things it is meant to touch; the second record has how many it did.

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
        count=count,
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
