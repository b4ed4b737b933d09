"""How is a long text searched so that nobody else has to wait? In pieces that overlap; others have turns between them.

Python's engine of patterns lets no other thread run while it searches: over a megabyte of text that nearly matches, for
seconds. So it is given 32,768 characters at a time, and what may follow them. What is found is what one search of the
whole would find, at the seams too: a match begins in one piece and is read to its end in the overlap, and the next
search goes on behind it.
"""

import re
from collections.abc import Iterator

from forebay_agents.redaction.detection.pace import breathe

SIZE = 32_768
"""Characters of a piece."""
OVERLAP = 4_096
"""Characters behind a piece in which what began in it may end, and what must not follow it is looked for."""


def matches(
    pattern: re.Pattern[str],
    text: str,
    low: int = 0,
    high: int | None = None,
    *,
    size: int = SIZE,
    overlap: int = OVERLAP,
) -> Iterator[re.Match[str]]:
    """What ``pattern.finditer(text, low, high)`` finds, unless it is longer than ``overlap``."""
    end = len(text) if high is None else high
    if end - low <= size + overlap:
        return pattern.finditer(text, low, end)
    return _in_pieces(pattern, text, low, end, size, overlap)


def _in_pieces(
    pattern: re.Pattern[str], text: str, low: int, high: int, size: int, overlap: int
) -> Iterator[re.Match[str]]:
    for start in range(low, high, size):
        border = start + size if start + size < high else high + 1
        for match in pattern.finditer(text, max(low, start), min(high, border + overlap)):
            if match.start() >= border:
                break
            yield match
            low = match.end()
        breathe()


def first(
    pattern: re.Pattern[str], text: str, low: int = 0, high: int | None = None, *, size: int = SIZE
) -> re.Match[str] | None:
    """What ``pattern.search(text, low, high)`` finds, in pieces as :func:`matches`."""
    return next(matches(pattern, text, low, high, size=size), None)
