"""Where else is what was found? A name found once is redacted everywhere: by its parts, inflected, in lower case.

A part that is also an everyday word ("Mark", "Grace") counts elsewhere only when it is written with a capital.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from forebay.privacy.occurrences import Occurrences, beginning, same_case, telling
from forebay.privacy.pseudonyms import parse
from forebay_agents.redaction.conversation.spreading import bodies
from forebay_agents.redaction.detection.names.forms import glued, inflected, short_forms, short_places, stems
from forebay_agents.redaction.detection.names.word_names import WORDS_TOO
from forebay_agents.redaction.detection.names.words import CALENDAR, EVERYDAY, WORD, listed
from forebay_agents.redaction.detection.spans import Span

_SCORE = 0.6
_NAMES, _PLACES = "PERSON", "LOCATION"
_PARTICLES = listed("van von der den del dos las los bin ben ibn san jr sr iii mac the and for with from")
_LEAST_PART, _LEAST_PLACE = 3, 4
_LEAST_DIGITS, _LONGEST = 6, 64
_SAID, _LEAST_SAID = frozenset(("SECURITY_ANSWER", "PASSWORD", "USERNAME")), 4
"""Kinds of words that somebody gave for an answer, and letters of those that are looked for in any case."""
_GAP = r"[ .\-_/]{0,2}"
_BETWEEN = re.compile(_GAP)
_RUN = re.compile(r"[^\W_]+")


def propagated(
    text: str,
    spans: Sequence[Span],
    known: Mapping[str, str],
    common: Callable[[str], bool],
    language: str | None = None,
) -> list[Span]:
    """Further places of what ``spans`` cover and of what the conversation already knows.

    Args:
        known: tag to value.
        common: whether a lower-case word is an everyday word.
        language: of the text, if it is known: in some, names are inflected.
    """
    values = [(span.kind, text[span.start : span.end]) for span in spans]
    values += [(parsed[0], value) for tag, value in known.items() if (parsed := parse(tag)) is not None]
    if not values:
        return []
    elsewhere = _Elsewhere(text, spans)
    names = [value for kind, value in values if kind == _NAMES]
    every = _parts(names, _LEAST_PART)
    people = _People(
        parts=elsewhere.those(every),
        stems=elsewhere.those(stems(every, language, text.isascii())),
        cased=frozenset(word.lower() for name in names for word in WORD.findall(name) if word[0].isupper()),
    )
    short = frozenset[str]() if text.isascii() else elsewhere.those(short_forms(names))
    whole = elsewhere.those({value for kind, value in values if kind == _PLACES and len(value) >= _LEAST_PLACE})
    exact = {value: kind for kind, value in values if telling(value)}
    exact = {value: exact[value] for value in elsewhere.those(exact)}
    loose = {value: kind for kind, value in values if kind not in (_NAMES, _PLACES) and _long(value)}
    loose = bodies(values) | loose if elsewhere.digits else {}
    said = {value: kind for kind, value in values if kind in _SAID and len(value) >= _LEAST_SAID}
    if said and not elsewhere.those(said.keys() | stems(set(map(same_case, said)), language, text.isascii())):
        said = {}
    return [
        *_of_people(text, people, common),
        *(Span(start=start, end=end, kind=_NAMES, score=_SCORE) for start, end in short_places(text, short)),
        *_literal(text, whole, common),
        *_exact(text, exact),
        *_respaced(text, loose),
        *_repeated(text, said, language),
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

    def those(self, values: Collection[str]) -> frozenset[str]:
        """Of ``values`` those that the text has more often than what was found has."""
        low, found = self._low, self._found
        if len(values) * len(low) <= _STEPS:
            return frozenset(value for value in values if low.count(each := same_case(value)) != found.count(each))
        return frozenset(value for value in values if self._more(_RUN.search(same_case(value))))

    def _more(self, first: re.Match[str] | None) -> bool:
        """Whether the first word of a value stands elsewhere: so much is known of all words after one look at each."""
        return first is not None and self._words[0][first[0]] != self._words[1][first[0]]

    @cached_property
    def _words(self) -> tuple[Counter[str], Counter[str]]:
        return Counter(_RUN.findall(self._low)), Counter(_RUN.findall(self._found))


_STEPS = 100_000_000
"""Characters that may be read to look for values one by one: 50 ms, a thousand values in a text of 100,000."""


_DIGIT = re.compile(r"\d")


def _parts(names: Iterable[str], least: int) -> frozenset[str]:
    found = (word.lower() for name in names for word in WORD.findall(name))
    return frozenset(word for word in found if len(word) >= least and word.isalpha() and word not in _NO_PART)


_NO_PART = _PARTICLES | EVERYDAY | CALENDAR


@dataclass(frozen=True, kw_only=True, slots=True)
class _People:
    """Words that are parts of names, in lower case.

    Attributes:
        parts: that stand elsewhere too.
        stems: with which inflected forms begin.
        cased: that were written with a capital where they were found.
    """

    parts: frozenset[str]
    stems: frozenset[str]
    cased: frozenset[str]


def _of_people(text: str, people: _People, common: Callable[[str], bool]) -> list[Span]:
    if not people.parts and not people.stems:
        return []
    few = people.parts if len(people.parts) <= _FEW else frozenset[str]()
    found: list[Span] = []
    for match in WORD.finditer(text):
        place = _mentioned(match[0], people, few, common)
        if place is None:
            continue
        start, end = match.start() + place[0], match.start() + place[1]
        if found and text[found[-1].end : start] in (" ", "-"):
            found[-1] = Span(start=found[-1].start, end=end, kind=_NAMES, score=_SCORE)
        else:
            found.append(Span(start=start, end=end, kind=_NAMES, score=_SCORE))
    return found


def _mentioned(
    word: str, people: _People, few: Collection[str], common: Callable[[str], bool]
) -> tuple[int, int] | None:
    """The part of ``word`` that is a name's."""
    low = word.lower()
    if low in people.parts:
        # Whoever writes "Mark" means the word with "mark".
        a_word = not word[0].isupper() and (common(low) or (low in people.cased and low in WORDS_TOO))
        return None if a_word else (0, len(word))
    head = low.replace("’", "'").partition("'")[0]
    if len(head) < len(low) and head in people.parts and word[0].isupper():
        return 0, len(head)  # Turkish: "Elif'in"
    if low[-1] == "s" and low[:-1] in people.parts and word[0].isupper() and low[:-1] not in WORDS_TOO:
        return 0, len(word)  # German: "Krügers"
    if people.stems and not word[0].islower() and inflected(low, people.stems):
        return 0, len(word)
    return glued(word, low, few) if few and len(low) > _LEAST_PART + 1 else None


_FEW = 40
"""Parts of names for which each word is tried as glued together of them."""


def _literal(text: str, values: Iterable[str], common: Callable[[str], bool]) -> list[Span]:
    chosen = sorted((v for v in values if "\n" not in v), key=len, reverse=True)[:200]
    if not chosen:
        return []
    return [
        Span(start=start, end=end, kind=_PLACES, score=_SCORE)
        for start, end in Occurrences(chosen, any_case=True).find(text)
        if not (start and _is_word(text[start - 1]))
        and not (end < len(text) and _is_word(text[end]))
        and (text[start].isupper() or " " in text[start:end] or not common(text[start:end].lower()))
    ]


def _repeated(text: str, values: Mapping[str, str], language: str | None) -> list[Span]:
    """What was said in answer, in any case and inflected."""
    kinds = {same_case(value): kind for value, kind in values.items() if not {same_case(value)} & EVERYDAY}
    if not kinds:
        return []
    found = [
        Span(start=start, end=end, kind=kinds.get(same_case(text[start:end]), _NAMES), score=_SCORE)
        for start, end in Occurrences(kinds, any_case=True).find(text)
    ]
    single = {value: kind for value, kind in kinds.items() if value.isalpha()}
    begun = stems(single, language, text.isascii())
    for match in WORD.finditer(text) if single else ():
        low = match[0].lower()
        body = low[:-1] if low[-1] == "s" else low
        if body in single or (begun and inflected(low, begun)):
            kind = single.get(body) or next(iter(single.values()))
            found.append(Span(start=match.start(), end=match.end(), kind=kind, score=_SCORE))
    return found


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
    known = sorted(body for body in bodies if body in compact)
    if not known:
        return
    begun, longest = {body[:2] for body in known}, max(map(len, known))
    borders = list(accumulate((end - start for start, end in runs), initial=0))
    numbers = {border: number for number, border in enumerate(borders)}
    # Gaps up to each run that are too wide: two runs are of one value if there is none between them.
    wide = list(
        accumulate((not _BETWEEN.fullmatch(text, one[1], other[0]) for one, other in pairwise(runs)), initial=0)
    )
    done = 0
    for first, at in enumerate(borders[:-1]):
        if at < done or compact[at : at + 2] not in begun:
            continue
        for body in beginning(known, compact[at : at + longest]):
            last = numbers.get(at + len(body), 0)
            if last and wide[last - 1] == wide[first]:
                done = at + len(body)
                yield runs[first][0], runs[last - 1][1], body
                break


def _exact(text: str, values: Mapping[str, str]) -> list[Span]:
    """Whatever was found, wherever else it stands: what the last check (forebay.privacy.egress) would stop."""
    kinds = {same_case(value): kind for value, kind in values.items()}
    return [
        Span(start=start, end=end, kind=kinds[same_case(text[start:end])], score=_SCORE)
        for start, end in Occurrences(values).find(text)
    ]
