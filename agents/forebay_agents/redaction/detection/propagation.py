"""Where else is what was found? A name found once is redacted everywhere, in lower case and by its parts too.

A part that is also an everyday word ("Mark", "Grace") counts elsewhere only when it is written with a capital.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from forebay.privacy.occurrences import Occurrences, same_case, telling
from forebay.privacy.pseudonyms import parse
from forebay_agents.redaction.detection.names.words import CALENDAR, EVERYDAY, WORD, listed
from forebay_agents.redaction.detection.spans import Span

_SCORE = 0.6
_NAMES, _PLACES = "PERSON", "LOCATION"
_PARTICLES = listed("van von der den del dos las los bin ben ibn san jr sr iii mac the and for with from")
_LEAST_PART, _LEAST_PLACE = 3, 4
_LEAST_DIGITS, _LONGEST = 6, 64
_GAP = r"[ .\-_/]{0,2}"
_BETWEEN = re.compile(_GAP)
_RUN = re.compile(r"[^\W_]+")


def propagated(text: str, spans: Sequence[Span], known: Mapping[str, str], common: Callable[[str], bool]) -> list[Span]:
    """Further places of what ``spans`` cover and of what the conversation already knows.

    Args:
        known: tag to value.
        common: whether a lower-case word is an everyday word.
    """
    values = [(span.kind, text[span.start : span.end]) for span in spans]
    values += [(parsed[0], value) for tag, value in known.items() if (parsed := parse(tag)) is not None]
    if not values:
        return []
    elsewhere = _Elsewhere(text, spans)
    people = elsewhere.those(_parts((value for kind, value in values if kind == _NAMES), _LEAST_PART))
    whole = elsewhere.those({value for kind, value in values if kind == _PLACES and len(value) >= _LEAST_PLACE})
    exact = {value: kind for kind, value in values if telling(value)}
    exact = {value: exact[value] for value in elsewhere.those(exact)}
    loose = {value: kind for kind, value in values if kind not in (_NAMES, _PLACES) and _long(value)}
    if not elsewhere.digits:
        loose = {}
    return [
        *_of_people(text, people, common),
        *_literal(text, whole, common),
        *_exact(text, exact),
        *_respaced(text, loose),
    ]


class _Elsewhere:
    """Tells which values stand somewhere else than in what was found: mostly none, and that is quickly told.

    Args:
        spans: what was found, ordered and not overlapping.
    """

    def __init__(self, text: str, spans: Sequence[Span]) -> None:
        self._low = same_case(text)
        self._found = "\0".join(self._low[span.start : span.end] for span in spans)
        at, between = 0, []
        for span in spans:
            between.append(text[at : span.start])
            at = span.end
        self.digits = _DIGIT.search("".join([*between, text[at:]])) is not None
        """Whether a digit was not found."""

    def those(self, values: Iterable[str]) -> frozenset[str]:
        """Of ``values`` those that the text has more often than what was found has."""
        low, found = self._low, self._found
        return frozenset(value for value in values if low.count(each := same_case(value)) != found.count(each))


_DIGIT = re.compile(r"\d")


def _parts(names: Iterable[str], least: int) -> frozenset[str]:
    found = (word.lower() for name in names for word in WORD.findall(name))
    return frozenset(
        word
        for word in found
        if len(word) >= least and word.isalpha() and not {word} & (_PARTICLES | EVERYDAY | CALENDAR)
    )


def _of_people(text: str, parts: Collection[str], common: Callable[[str], bool]) -> list[Span]:
    if not parts:
        return []
    found: list[Span] = []
    for match in WORD.finditer(text):
        word, (start, end) = match[0], match.span()
        low = word.lower()
        if low not in parts or (not word[0].isupper() and common(low)):
            continue
        if found and text[found[-1].end : start] in (" ", "-"):
            found[-1] = Span(start=found[-1].start, end=end, kind=_NAMES, score=_SCORE)
        else:
            found.append(Span(start=start, end=end, kind=_NAMES, score=_SCORE))
    return found


def _literal(text: str, values: Iterable[str], common: Callable[[str], bool]) -> list[Span]:
    chosen = sorted((v for v in values if "\n" not in v), key=len, reverse=True)[:200]
    if not chosen:
        return []
    found = _longest(_places(same_case(text), {same_case(value) for value in chosen}))
    return [
        Span(start=start, end=end, kind=_PLACES, score=_SCORE)
        for start, end in found
        if text[start].isupper() or " " in text[start:end] or not common(text[start:end].lower())
    ]


def _places(low: str, values: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Start and end of each of ``values`` as whole words; a pattern made of them takes longer to compile than this."""
    for value in values:
        at = low.find(value)
        while at >= 0:
            end = at + len(value)
            if not (at and _is_word(low[at - 1])) and not (end < len(low) and _is_word(low[end])):
                yield at, end
            at = low.find(value, at + 1)


def _longest(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Of overlapping ``places`` the leftmost, of those the longest: as a pattern of alternatives finds them."""
    done = 0
    for start, end in sorted(places, key=lambda place: (place[0], -place[1])):
        if start >= done:
            done = end
            yield start, end


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _long(value: str) -> bool:
    """Whether an identifier is long enough to be known again without its blanks and dashes."""
    return sum(map(str.isdigit, value)) >= _LEAST_DIGITS and len(value) <= _LONGEST


def _respaced(text: str, values: Mapping[str, str]) -> list[Span]:
    """Identifiers that stand elsewhere in another case or with other blanks, dots and dashes."""
    bodies = {same_case("".join(filter(str.isalnum, value))): kind for value, kind in list(values.items())[:200]}
    return [Span(start=start, end=end, kind=bodies[body], score=_SCORE) for start, end, body in _spread(text, bodies)]


def _spread(text: str, bodies: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """Start, end and body of each of ``bodies``, whose letters and digits may have gaps between them.

    A pattern made of the bodies would find the same, but takes 1.5 ms to compile for a few values.
    """
    if not bodies:
        return
    runs = [match.span() for match in _RUN.finditer(text)]
    low = same_case(text)
    compact = "".join(low[start:end] for start, end in runs)
    borders = list(accumulate((end - start for start, end in runs), initial=0))
    found: list[tuple[int, int, str]] = []
    for body in bodies:
        at = compact.find(body)
        while at >= 0:
            first = bisect_left(borders, at)
            last = bisect_left(borders, at + len(body))
            whole = first < len(borders) and borders[first] == at and borders[last] == at + len(body)
            if whole and all(
                _BETWEEN.fullmatch(text, runs[run][1], runs[run + 1][0]) for run in range(first, last - 1)
            ):
                found.append((runs[first][0], runs[last - 1][1], body))
            # A value begins where a run does: so there are at most as many steps as runs.
            at = compact.find(body, borders[bisect_right(borders, at)])
    done = 0
    for start, end, body in sorted(found, key=lambda item: (item[0], -len(item[2]))):
        if start >= done:
            done = end
            yield start, end, body


def _exact(text: str, values: Mapping[str, str]) -> list[Span]:
    """Whatever was found, wherever else it stands: what the last check (forebay.privacy.egress) would stop."""
    kinds = {same_case(value): kind for value, kind in values.items()}
    return [
        Span(start=start, end=end, kind=kinds[same_case(text[start:end])], score=_SCORE)
        for start, end in Occurrences(values).find(text)
    ]
