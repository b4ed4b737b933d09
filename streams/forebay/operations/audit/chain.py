"""Is a record of the trail missing, or not what it was? Each names those before it, with their hashes.

A record links to every record that no other linked to when it was written. Of two writers at once each links to the
same ones, and the next writer to both: a fork is no gap. What is gone shows, since a record that stayed names it;
whether retention took it or somebody did tells the time that its id carries (UUIDv7): a broker deletes nothing early.
What nobody linked to yet, the newest records, can go unseen until the next act. Git keeps history in the same way.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from forebay.contract.records import AuditEvent
from forebay.contract.records.operations import LINKS, OF

PHASE, OUTCOME = "phase", "outcome"
BEFORE, AFTER = "before", "after"
_MOST_LINKS = 64
_TOLERANCE_MS = 3_600_000
"""By which the clock of a writer may be ahead of the broker's."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A record that another names and that is not there."""

    audit_id: str
    named_by: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a look at the whole trail found.

    Attributes:
        events: records that are there.
        unlinked: of these, written without links: by what does not bind its records yet.
        expired: records that are named and that retention took.
        missing: records that are named, are younger, and are gone.
        altered: ids of records that are not what others say that they were.
        unfinished: ids of acts that were begun and of which no outcome was written.
        unreadable: records that are no audit events.
    """

    events: int
    unlinked: int
    expired: int
    missing: Sequence[Missing]
    altered: Sequence[str]
    unfinished: Sequence[str]
    unreadable: int

    @property
    def whole(self) -> bool:
        """Whether nothing is gone that should be there, and nothing is another."""
        return not (self.missing or self.altered or self.unreadable)


def digest(event: AuditEvent) -> str:
    """SHA-256 of all that ``event`` says, its links included."""
    text = json.dumps(asdict(event), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=dict)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def linked(event: AuditEvent, trail: Iterable[AuditEvent]) -> AuditEvent:
    """``event``, bound to those of ``trail`` that nothing is bound to yet, the newest 64 of them."""
    known = {one.audit_id: one for one in trail}
    named = {audit_id for one in known.values() for audit_id in _links(one)}
    heads = sorted(known.keys() - named)[-_MOST_LINKS:]
    links = " ".join(f"{audit_id}:{digest(known[audit_id])}" for audit_id in heads)
    return replace(event, details={**event.details, LINKS: links})


def verify(trail: Sequence[AuditEvent], *, now_ms: int, retention_ms: int | None, unreadable: int = 0) -> Verdict:
    """Follow every link.

    Args:
        trail: all that the topic has, in any order; a record that was delivered twice counts once.
        now_ms: the time, ms since 1970.
        retention_ms: how long records are kept; ``None``: for ever.
        unreadable: records of the topic that could not be decoded.
    """
    found: dict[str, str] = {}
    altered: dict[str, None] = {}
    for event in trail:
        if found.setdefault(event.audit_id, digest(event)) != digest(event):
            altered[event.audit_id] = None
    missing: dict[str, Missing] = {}
    expired: set[str] = set()
    for event in trail:
        for audit_id, said in _links(event).items():
            if audit_id in found:
                if found[audit_id] != said:
                    altered[audit_id] = None
            elif retention_ms is not None and _age_ms(audit_id, now_ms) >= retention_ms - _TOLERANCE_MS:
                expired.add(audit_id)
            else:
                missing.setdefault(audit_id, Missing(audit_id=audit_id, named_by=event.audit_id))
    return Verdict(
        events=len(found),
        unlinked=len({event.audit_id for event in trail if LINKS not in event.details}),
        expired=len(expired),
        missing=list(missing.values()),
        altered=list(altered),
        unfinished=unfinished(trail),
        unreadable=unreadable,
    )


def unfinished(trail: Sequence[AuditEvent]) -> list[str]:
    """Acts that were begun and of which nobody wrote down how they ended, the oldest first."""
    ended = {event.details.get(OF) for event in trail}
    begun = {event.audit_id for event in trail if event.details.get(PHASE) == BEFORE}
    return sorted(begun - ended)


def _links(event: AuditEvent) -> Mapping[str, str]:
    pairs = (link.partition(":") for link in event.details.get(LINKS, "").split())
    return {audit_id: said for audit_id, _, said in pairs}


def _age_ms(audit_id: str, now_ms: int) -> int:
    """How old a record is by its id (RFC 9562, 5.7); an id that tells no time is young: its absence is a gap."""
    try:
        made_ms = int(audit_id.replace("-", "")[:12], 16)
    except ValueError:
        return 0
    return now_ms - made_ms
