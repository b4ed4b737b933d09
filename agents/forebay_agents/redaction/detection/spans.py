"""Where in a text is personal data? Half-open spans in code points, and what happens when they overlap."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """``text[start:end]`` is an entity of type ``kind``, with ``score`` in 0…1.

    A tuple: a text makes dozens of them, and a frozen dataclass takes three times as long to make.
    """

    start: int
    end: int
    kind: str
    score: float

    def shifted(self, by: int) -> "Span":
        """The same span in a text that begins ``by`` characters earlier."""
        return Span(start=self.start + by, end=self.end + by, kind=self.kind, score=self.score)


def resolved(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, none overlapping, and nothing uncovered that was covered.

    Overlapping spans become one: it covers all of them, since a gap would leak, and takes the kind of the one with the
    best score, the longer one if they are equal.
    """
    result: list[Span] = []
    best: Span | None = None
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if span.end <= span.start:
            continue
        if best is not None and span.start < result[-1].end:
            last = result[-1]
            if (span.score, span.end - span.start) > (best.score, best.end - best.start):
                best = span
            result[-1] = Span(start=last.start, end=max(last.end, span.end), kind=best.kind, score=best.score)
        else:
            best = span
            result.append(span)
    return result


def per_part(spans: Iterable[Span], bounds: Sequence[tuple[int, int]]) -> list[list[Span]]:
    """Spans of a document as spans of its parts; one that crosses a border is cut there.

    Args:
        spans: ordered, not overlapping.
        bounds: start and end of each part in the document, ordered.
    """
    result: list[list[Span]] = [[] for _ in bounds]
    index = 0
    for span in spans:
        while index < len(bounds) and bounds[index][1] <= span.start:
            index += 1
        for part in range(index, len(bounds)):
            start, end = bounds[part]
            if start >= span.end:
                break
            low, high = max(span.start, start), min(span.end, end)
            if low < high:
                result[part].append(Span(start=low - start, end=high - start, kind=span.kind, score=span.score))
    return result
