"""Which listed names are in a finding, and is the finding nothing else? Findings are often cut beside the name.

"столица Испании", "Liegt Innsbruck", "de Colombia": what is beside the name must be small words or none that is a name.
"Marie Curie-Lopez" and "Tesla Martinez" are nobody who is listed.
"""

from dataclasses import dataclass
from itertools import pairwise

from forebay_agents.redaction.detection.names.lexical import CLASSES, shipped
from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.public.clauses import Clause
from forebay_agents.redaction.public.folding import fold
from forebay_agents.redaction.public.lists import Listed, Lists

_LONGEST = 6
_BACK = 4
_GENERIC = frozenset(
    map(
        fold,
        listed(
            "mount mt mont monte lake lago lac river rio rivière fluss fiume rzeka sea city state republic province "
            "the saint st isle island islands gulf bay cape north south east west nord süd sud norte sur sul ost of "
            "république republik republica repubblica stadt ciudad ville cidade città stad miasto реки река озеро гора "
            "город dağı gölü nehri el la le los las il lo d c u s uk us county district region old new greater upper "
            "lower góra jezioro morze jeziora góry île insel isola isla ilha eiland golf see berg"
        ),
    )
)
"""Beside a place's name, part of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """A listed name: words ``first`` to ``last`` (exclusive) of a clause."""

    first: int
    last: int
    kind: Listed
    key: str


def is_name(word: str) -> bool:
    """Whether neighbours are called so: a given name or a surname of the names model's lists."""
    return any(shipped().features(word)[CLASSES : CLASSES + 2])


def sighted(text: str, span: Span, clause: Clause, lists: Lists) -> list[Sighting]:
    """The listed names that ``span`` consists of, in order; none if it holds anything else that may be a name."""
    words = clause.words
    inside = [at for at, word in enumerate(words) if word.start < span.end and word.end > span.start]
    if not inside:
        return []
    found: list[Sighting] = []
    at = max(inside[0] - _BACK, 0)
    while at <= inside[-1]:
        one = _longest(text, clause, lists, at, inside[0])
        if one is None:
            at += 1
            continue
        found.append(one)
        at = one.last
    covered = {at for one in found for at in range(one.first, one.last)}
    if not all(at in covered or _harmless(clause, at) for at in inside):
        return []
    if any(
        two.first == one.last and text[clause.words[two.first - 1].end : clause.words[two.first].start] == " "
        for one, two in pairwise(found)
    ):
        return []  # "kirin engelhart" is no brewery and no town
    return [] if any(_part_of_more(text, clause, one, covered) for one in found) else found


def _longest(text: str, clause: Clause, lists: Lists, first: int, reach: int) -> Sighting | None:
    """The longest listed name from ``first`` on that reaches beyond word ``reach``."""
    assert clause.spoken is not None
    words = clause.words
    lower = plain(clause)
    most = min(_LONGEST, len(words) - first)
    for last in range(first + most, max(first, reach), -1):
        members = words[first:last]
        if not (lower or any(word.capital for word in members)) or not _together(text, clause, first, last):
            continue
        wanted = " ".join(word.folded for word in members)
        if last - first == 1 and (wanted in clause.spoken.cues.words.singles or len(wanted) < _SHORT):
            continue
        kind = lists.named(wanted, clause.spoken.language)
        if kind:
            return Sighting(first=first, last=last, kind=kind, key=wanted)
    return None


_SHORT = 2
_INNER, _LONGEST_GAP = frozenset(" .-'’&"), 3


def _together(text: str, clause: Clause, first: int, last: int) -> bool:
    """Whether only blanks, hyphens, apostrophes and points are between the words."""
    words = clause.words
    return all(
        set(text[words[at].end : words[at + 1].start]) <= set(" .-'’&")
        and words[at + 1].start - words[at].end <= _SHORT + 1
        for at in range(first, last - 1)
    )


def _harmless(clause: Clause, at: int) -> bool:
    """Whether a word beside a listed name is no name: a small word, or what a clause begins with."""
    assert clause.spoken is not None
    word, cues = clause.words[at], clause.spoken.cues
    if word.text.isdigit() or word.folded in cues.words.singles or word.folded in _GENERIC:
        return True
    if at == clause.start and (cues.questions.at(clause.folded, at) or cues.tasks.at(clause.folded, at)):
        return True
    return word.text.islower() and not plain(clause) and not is_name(word.folded)


def plain(clause: Clause) -> bool:
    """Whether capitals tell nothing, since there are none: then each word may be a part of a name."""
    return not any(word.capital for word in clause.words[1:])


def _part_of_more(text: str, clause: Clause, one: Sighting, covered: set[int]) -> bool:
    """Whether a hyphen or a neighbouring name makes it somebody else's: "Curie-Lopez", "Karen Newton"."""
    words = clause.words
    for at, gap in (
        (one.first - 1, text[words[one.first - 1].end : words[one.first].start] if one.first else ""),
        (one.last, text[words[one.last - 1].end : words[one.last].start] if one.last < len(words) else ""),
    ):
        if not 0 <= at < len(words) or at in covered:
            continue
        if gap in ("-", "‐", "‑") and words[at].capital:
            return True
        if (
            gap == " "
            and (words[at].capital or plain(clause))
            and not _harmless(clause, at)
            and is_name(words[at].folded)
        ):
            return True
    return False
