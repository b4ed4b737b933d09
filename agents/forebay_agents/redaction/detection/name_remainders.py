"""What remains of a name where an identifier is certain? The rest of it, if that is a word of its own.

The names model reads numbers as house numbers: "203.0.113.42 port 50822" became one place, and united with the address
found by its form it would hide "port 50822" and give the wrong type. What has a form wins; of the name stays what lies
outside, unless it is punctuation, digits and words that everybody uses.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

from forebay_agents.redaction.detection.normalise import View
from forebay_agents.redaction.detection.spans import Span, resolved
from forebay_agents.redaction.request_parts import SCHEMAS, Part, Sort

_WORD = re.compile(r"[^\W\d_]{2,}")
_ABBREVIATION = re.compile(r"[A-Z]{2,3}")
_EDGES = " \t\r\n,;:.-"
_CERTAIN = 0.7
KEPT = 2
"""Characters of a certain identifier that the names model reads: what it is can be told from them."""
_ADDRESSES = frozenset({"LOCATION", "STREET_ADDRESS"})


def beside(text: str, names: Sequence[Span], formed: Sequence[Span], is_common: Callable[[str], bool]) -> list[Span]:
    """``names`` without what lies in certain identifiers.

    Args:
        formed: findings by form.
        is_common: whether a lower-case word is one that everybody uses.
    """
    certain = _united(_certain(formed))
    starts, ends = [start for start, _ in certain], [end for _, end in certain]
    kept: list[Span] = []
    for name in names:
        over = certain[bisect_right(ends, name.start) : bisect_left(starts, name.end)]
        if not over:
            kept.append(name)
            continue
        at = name.start
        for border, after in [*over, (name.end, name.end)]:
            piece = text[at:border]
            if at < border and _telling(piece, is_common):
                start = border - len(piece.lstrip(_EDGES))
                end = at + len(piece.rstrip(_EDGES))
                kept.append(Span(start=start, end=end, kind=name.kind, score=name.score))
            at = max(at, after)
    return kept


def shortened(text: str, formed: Sequence[Span]) -> str:
    """``text`` of the same length with blanks for all but the first characters of long certain identifiers.

    The names model need not read a card number to its end, and pays by the piece: a third of the pieces of records
    are in identifiers. What is found in them is dropped anyway.
    """
    pieces: list[str] = []
    at = 0
    for span in resolved(_certain(formed)):
        start = span.start + KEPT
        if start < span.end:
            pieces += (text[at:start], " " * (span.end - start))
            at = span.end
    return "".join([*pieces, text[at:]]) if pieces else text


def without_schemas(view: View, parts: Sequence[Part], bounds: Sequence[tuple[int, int]]) -> str:
    """The text with the words of schemas blanked: after them, "tea" in the question looks like a field of a form."""
    pieces: list[str] = []
    at = 0
    for part, (start, end) in zip(parts, bounds, strict=True):
        if part.sort is Sort.IDENTIFIER and part.speaker in SCHEMAS:
            low, high = view.here(start), view.here(end)
            pieces += (view.text[at:low], " " * (high - low))
            at = high
    return "".join([*pieces, view.text[at:]])


def in_prose(spans: Iterable[Span], view: View, parts: Sequence[Part], bounds: Sequence[tuple[int, int]]) -> list[Span]:
    """Names and places that are not in identifiers: "paris" as a key of JSON is none."""
    identifiers = [bound for part, bound in zip(parts, bounds, strict=True) if part.sort is Sort.IDENTIFIER]
    if not identifiers:
        return list(spans)
    starts = [start for start, _ in identifiers]
    kept = []
    for span in spans:
        start, end = view.original(span.start, span.end)
        index = bisect_right(starts, start) - 1
        if index < 0 or identifiers[index][1] <= start or end > identifiers[index][1]:
            kept.append(span)
    return kept


def _united(spans: Iterable[Span]) -> list[tuple[int, int]]:
    """Start and end of what ordered ``spans`` cover, so that of each place it is quickly told what is there."""
    places: list[tuple[int, int]] = []
    for span in spans:
        if places and span.start <= places[-1][1]:
            places[-1] = (places[-1][0], max(places[-1][1], span.end))
        else:
            places.append((span.start, span.end))
    return places


def _certain(formed: Sequence[Span]) -> list[Span]:
    found = (span for span in formed if span.score >= _CERTAIN and span.kind not in _ADDRESSES)
    return sorted(found, key=lambda span: span.start)


def _telling(piece: str, is_common: Callable[[str], bool]) -> bool:
    return any(not _ABBREVIATION.fullmatch(word) and not is_common(word.lower()) for word in _WORD.findall(piece))
