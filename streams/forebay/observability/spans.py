"""Where did a request's time go? Each hop adds one entry to the header ``forebay-spans``.

An entry is ``stage;accepted_ms;waited_ms;worked_us;outcome``: when the stage took the record in hand (ms since the
epoch, by the broker's clock), how long it had lain on its topic, how long the handler took, and how that ended: ``ok``,
``retry:CODE`` or a code of docs/reference/errors.md. Entries are joined by commas and hold no text of a request.
The header stays below a size: the oldest entries between the first and the last give way to one ``+N``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LONGEST = 1_024
"""Bytes of the header: some twenty entries; a request has four, and two more for each time that it is tried again."""

_ENTRY = rb"[a-z]{1,16};[0-9]{1,15};[0-9]{1,13};[0-9]{1,14};[a-z0-9_:]{1,80}"
_HEADER = re.compile(rb"(?:" + _ENTRY + rb"|\+[0-9]{1,9})(?:,(?:" + _ENTRY + rb"|\+[0-9]{1,9}))*")
_CODE = re.compile(r"[a-z0-9_:]{1,80}")
_LARGEST_MS, _LARGEST_US = 10**13 - 1, 10**14 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """What one stage did with a request once.

    Attributes:
        accepted_ms: when its handler began, ms since the epoch by the broker's clock.
        waited_ms: from the record's timestamp until then, never negative.
        worked_us: how long the handler took, in microseconds.
        outcome: ``ok``, ``retry:CODE`` or a code.
    """

    stage: str
    accepted_ms: int
    waited_ms: int
    worked_us: int
    outcome: str = "ok"

    @property
    def ended_ms(self) -> int:
        """When the handler was done, ms since the epoch."""
        return self.accepted_ms + self.worked_us // 1_000


def sound(header: bytes) -> bool:
    """Whether ``header`` has the form of a list of entries; one that has not is dropped, and says nothing."""
    return len(header) <= LONGEST and _HEADER.fullmatch(header) is not None


def added(header: bytes, span: Span) -> bytes:
    """``header`` with one entry more; what has not the form of one counts as empty."""
    entry = _written(span)
    if not header or not sound(header):
        return entry
    longer = header + b"," + entry
    return longer if len(longer) <= LONGEST else _shortened(longer.split(b","))


def read(header: bytes) -> list[Span]:
    """The entries that are there, oldest first; none of what has not the form of a header."""
    if not sound(header):
        return []
    return [_read(entry) for entry in header.split(b",") if not entry.startswith(b"+")]


def left_out(header: bytes) -> int:
    """How many entries gave way."""
    return sum(_count(entry) for entry in header.split(b",")) if sound(header) else 0


def worked(spans: Iterable[Span]) -> dict[str, int]:
    """Stage to the microseconds of its last handling."""
    return {span.stage: span.worked_us for span in spans}


def _written(span: Span) -> bytes:
    outcome = span.outcome if _CODE.fullmatch(span.outcome) else "other"
    accepted = min(max(span.accepted_ms, 0), _LARGEST_MS)
    waited, micros = min(max(span.waited_ms, 0), _LARGEST_MS), min(max(span.worked_us, 0), _LARGEST_US)
    return b"%b;%d;%d;%d;%b" % (span.stage.encode(), accepted, waited, micros, outcome.encode())


def _shortened(entries: Sequence[bytes]) -> bytes:
    """The first entry, a count of those that gave way, and as many of the latest as there is room for."""
    first, rest, gone = entries[0], list(entries[1:]), 0
    while True:
        gone += _count(rest[0]) or 1
        rest = rest[1:]
        shorter = b",".join([first, b"+%d" % gone, *rest])
        if len(shorter) <= LONGEST or len(rest) == 1:
            return shorter


def _count(entry: bytes) -> int:
    return int(entry[1:]) if entry.startswith(b"+") else 0


def _read(entry: bytes) -> Span:
    stage, accepted, waited, micros, outcome = entry.split(b";")
    return Span(
        stage=stage.decode(),
        accepted_ms=int(accepted),
        waited_ms=int(waited),
        worked_us=int(micros),
        outcome=outcome.decode(),
    )
