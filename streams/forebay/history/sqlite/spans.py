"""How are the hops of a request kept? In some nine bytes each, of thirty as text."""

from collections.abc import Sequence
from dataclasses import dataclass

from forebay.history.packing import numbers, numbers_of, signed, unsigned
from forebay.history.sqlite.names import Kind, Names
from forebay.observability.spans import Span, sound

_FIELDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Hop:
    """One entry, as sums need it: numbers of names, ms and µs."""

    stage: int
    outcome: int
    waited_ms: int
    worked_us: int


def packed(text: str, base_ms: int, names: Names) -> bytes | None:
    """Entries of the header ``forebay-spans``; ``None`` where there are none, or it has not the form of one.

    Args:
        base_ms: from when times count.
    """
    header = text.encode(errors="replace")
    if not sound(header):
        return None
    gone, out, before = 0, [0], base_ms
    for entry in text.split(","):
        if entry.startswith("+"):
            gone += int(entry)
            continue
        stage, accepted, waited, micros, outcome = entry.split(";")
        at = int(accepted)
        out += (
            names.number(Kind.STAGE, stage),
            names.number(Kind.CODE, outcome),
            signed(at - before),
            int(waited),
            int(micros),
        )
        before = at
    out[0] = gone
    return numbers(out)


def hops(kept: bytes | None) -> list[Hop]:
    """What sums need of what :func:`packed` made."""
    found = list(numbers_of(kept or b""))[1:]
    return [
        Hop(stage=found[at], outcome=found[at + 1], waited_ms=found[at + 3], worked_us=found[at + 4])
        for at in range(0, len(found) - _FIELDS + 1, _FIELDS)
    ]


def unpacked(kept: bytes | None, base_ms: int, names: Names) -> tuple[Sequence[Span], int]:
    """The entries, oldest first, and how many gave way between the first and the others."""
    gone, *found = list(numbers_of(kept or b"")) or [0]
    spans, before = [], base_ms
    for at in range(0, len(found) - _FIELDS + 1, _FIELDS):
        before += unsigned(found[at + 2])
        span = Span(
            stage=names.name(found[at]) or "",
            accepted_ms=before,
            waited_ms=found[at + 3],
            worked_us=found[at + 4],
            outcome=names.name(found[at + 1]) or "",
        )
        spans.append(span)
    return spans, gone
