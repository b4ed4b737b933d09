"""What do findings hide? The text without them, where one stands close against something that may be more."""

import re
from collections.abc import Iterable, Sequence

from forebay_agents.redaction.detection.spans import Span


def bared(text: str, spans: Sequence[Span]) -> str:
    """``text`` without ``spans``, if one stands close against something: what it hid from the patterns shows.

    In "12 Mar 1985+91 98765 43210" the number's sign follows a digit, and no number begins there; once the date is
    gone, it does. In "4  5 7 1 6 4 9 3 8 0 9 6 5 7 19, Troy" the place takes the last of the digits, and without it the
    others are a card's. Found by fuzzing.

    Args:
        spans: ordered, not overlapping.
    """
    if not any(
        _CLOSE_BEHIND.match(text, s.end) or _CLOSE_BEFORE.search(text, max(0, s.start - 3), s.start) for s in spans
    ):
        return ""
    pieces: list[str] = []
    at = 0
    for span in spans:
        pieces += (text[at : span.start], _GONE * (span.end - span.start))
        at = span.end
    return "".join([*pieces, text[at:]])


def around(spans: Iterable[Span], length: int) -> list[tuple[int, int]]:
    """Start and end of the places in a text of ``length`` in which ``spans`` may have hidden something."""
    places: list[tuple[int, int]] = []
    for span in sorted(spans):
        low, high = max(0, span.start - _NEAR), min(length, span.end + _NEAR)
        if places and low <= places[-1][1]:
            places[-1] = (places[-1][0], max(high, places[-1][1]))
        else:
            places.append((low, high))
    return places


_NEAR = 1_000
"""Characters on each side: more than labels stand before what they announce, or a line of a table is long."""
_CLOSE_BEHIND, _CLOSE_BEFORE = re.compile(r"[\w+\-/=]|\W{1,2}\d"), re.compile(r"(?:[\w+\-/=]|\d\W{1,2})\Z")
"""What would be read with a finding, were it not for the finding: a glued character, or a digit of a longer number."""
_GONE = "\0"
"""Takes the place of each character: no number goes on across it, as one goes on across a blank."""
