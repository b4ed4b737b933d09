"""Which differences between two questions make one answer wrong for the other, however near they are?

Each guard is a pure function of the facts of both questions that says whether it sees a difference. Every difference
counts against the score, which stays a graded probability. A difference that is *decisive* also forbids the hit,
whatever the score: one that both questions spell out (3.8 against 3.11), or one that is about all that tells them apart
(a number in one of two otherwise equal questions). In questions worded quite differently a number on one side is
mostly a detail of somebody's story, and only the score speaks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from agents.cache.antonyms import opposite
from agents.cache.facts import NOT_TOLD, Asked, Facts, is_superlative
from agents.cache.words import listed

Guard = Callable[[Facts, Facts], bool]


def numbers(a: Facts, b: Facts) -> bool:
    """Other numbers, dates, versions or amounts: 3.8 against 3.11."""
    return a.numbers != b.numbers


def units(a: Facts, b: Facts) -> bool:
    """Other units or currencies: euros against yen. One without a unit may mean any."""
    return bool(a.units) and bool(b.units) and a.units != b.units


def names(a: Facts, b: Facts) -> bool:
    """Another named entity: both name something, and one names what the other nowhere mentions."""
    if not a.names or not b.names:
        return False
    return bool(_unmentioned(a.names, b) and _unmentioned(b.names, a))


def verbatim(a: Facts, b: Facts) -> bool:
    """Other code, quotations, addresses or ids: what is verbatim must be equal."""
    return a.verbatim != b.verbatim


def pseudonyms(a: Facts, b: Facts) -> bool:
    """Other people or things behind pseudonyms, or several of a kind, whose roles may have changed places."""
    if frozenset(a.tags) != frozenset(b.tags):
        return True
    kinds = [tag.rsplit("_", 1)[0] for tag in a.tags]
    return len(set(kinds)) < len(kinds) and _skeleton(a) != _skeleton(b)


def negation(a: Facts, b: Facts) -> bool:
    """One denies what the other affirms."""
    return a.negations % 2 != b.negations % 2


def polarity(a: Facts, b: Facts) -> bool:
    """A word of one has its opposite in the other, and neither has both: enable against disable."""
    ours, theirs = frozenset(a.words.lower), frozenset(b.words.lower)
    only_ours, only_theirs = ours - theirs, theirs - ours
    return any(opposite(one, other) for one in only_ours for other in only_theirs)


def direction(a: Facts, b: Facts) -> bool:
    """From A to B against from B to A; also the same words in an order that changes who does what."""
    if a.direction is not None and b.direction is not None and a.direction != b.direction:
        (start, end), (other_start, other_end) = a.direction, b.direction
        if start == other_end or end == other_start:
            return True
    if _symmetric(a) or _symmetric(b):
        return False
    return (_same_bag(a, b) and _order(a) != _order(b)) or _names_swapped(a, b)


def comparison(a: Facts, b: Facts) -> bool:
    """Is A better than B against is B better than A."""
    if a.compared is None or b.compared is None:
        return False
    return a.compared[0] == b.compared[2] and a.compared[2] == b.compared[0] and a.compared[1] == b.compared[1]


def quantifier(a: Facts, b: Facts) -> bool:
    """All against some, best against any: a quantifier or superlative of one is missing in the other."""
    return a.quantifiers != b.quantifiers


def question_type(a: Facts, b: Facts) -> bool:
    """When against where against why: another kind of answer is wanted."""
    return not (a.asked is b.asked or {a.asked, b.asked} & _VAGUE)


def timely(a: Facts, b: Facts) -> bool:
    """The answer depends on when it is asked: today, latest, weather."""
    return a.timely or b.timely


GUARDS: dict[str, Guard] = {
    "numbers": numbers,
    "units": units,
    "names": names,
    "verbatim": verbatim,
    "pseudonyms": pseudonyms,
    "negation": negation,
    "polarity": polarity,
    "direction": direction,
    "comparison": comparison,
    "quantifier": quantifier,
    "question_type": question_type,
    "timely": timely,
}
"""Reason code to guard; the codes are stable."""

_VAGUE = frozenset({Asked.OTHER, Asked.WHICH, Asked.YES_NO})
"""Kinds that a question of any other kind can be put as: "Which way …", "Can you tell me when …"."""


_ALIKE, _REORDERED = 0.5, 0.75
"""Shared share of the content words from which a one-sided difference is what tells two questions apart."""
_FEW = 3
"""Opposites stop deciding when both questions have more words than these that the other lacks."""


def _numbers_decide(a: Facts, b: Facts) -> bool:
    return bool(a.numbers - b.numbers and b.numbers - a.numbers) or _shared(a, b) >= _ALIKE


def _units_decide(a: Facts, b: Facts) -> bool:
    return a.numbers == b.numbers or _shared(a, b) >= _ALIKE


def _polarity_decides(a: Facts, b: Facts) -> bool:
    return min(len(_told(a) - _told(b)), len(_told(b) - _told(a))) <= _FEW


def _quantifier_decides(a: Facts, b: Facts) -> bool:
    ours, theirs = a.quantifiers - b.quantifiers, b.quantifiers - a.quantifiers
    if any(map(is_superlative, ours)) and any(map(is_superlative, theirs)):
        return True
    return not (ours | theirs) <= _TALK and _shared(a, b) >= _ALIKE


def _direction_decides(a: Facts, b: Facts) -> bool:
    return a.direction is not None or b.direction is not None or _shared(a, b) >= _REORDERED


def _alike(a: Facts, b: Facts) -> bool:
    return _shared(a, b) >= _ALIKE


_DECIDES: dict[str, Guard] = {
    "numbers": _numbers_decide,
    "units": _units_decide,
    "verbatim": lambda a, b: bool(a.verbatim - b.verbatim and b.verbatim - a.verbatim) or _alike(a, b),
    "negation": _alike,
    "polarity": _polarity_decides,
    "direction": _direction_decides,
    "quantifier": _quantifier_decides,
    "question_type": _alike,
}
"""When a difference decides; those that are not here always do."""
_TALK = frozenset({"first", "last", "always", "easiest"})
"""Quantifiers that one wording has and another leaves out: which language first, how long does it last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Differences:
    """What the guards say, as codes in the order of :data:`GUARDS`.

    Attributes:
        seen: by any guard.
        decisive: those of them that forbid the hit.
    """

    seen: tuple[str, ...]
    decisive: tuple[str, ...]


def differences(a: Facts, b: Facts) -> Differences:
    """Ask all guards."""
    seen = tuple(code for code, guard in GUARDS.items() if guard(a, b))
    return Differences(seen=seen, decisive=tuple(code for code in seen if code not in _DECIDES or _DECIDES[code](a, b)))


def _shared(a: Facts, b: Facts) -> float:
    """Shared share of what is told beside numbers, negations and quantifiers."""
    ours, theirs = _told(a), _told(b)
    return len(ours & theirs) / (len(ours | theirs) or 1)


@lru_cache(maxsize=4_096)
def _told(facts: Facts) -> frozenset[str]:
    return frozenset(
        word.stem
        for word in facts.words.all
        if word.content and not word.text[0].isdigit() and word.lower not in NOT_TOLD
    )


_ALIASES = {"usa": "us", "america": "us", "american": "us", "americans": "us", "britain": "uk", "british": "uk"}


def _unmentioned(mentioned: frozenset[str], other: Facts) -> bool:
    present = frozenset(other.words.lower) | {_ALIASES[word] for word in other.words.lower if word in _ALIASES}
    initials = "".join(word[0] for word in other.words.lower if word.isalpha())
    for spelt in mentioned:
        name = _ALIASES.get(spelt, spelt)
        if name in present or any(word.startswith(name) or name.startswith(word) for word in present if len(word) > 3):
            continue
        if len(name) <= 4 and name in initials:
            continue  # an abbreviation of what the other spells out
        return True
    return False


def _names_swapped(a: Facts, b: Facts) -> bool:
    ours = [name for name in a.names_in_order if name in b.names_in_order]
    theirs = [name for name in b.names_in_order if name in a.names_in_order]
    return len(ours) > 1 and ours == theirs[::-1]


def _order(facts: Facts) -> tuple[str, ...]:
    return facts.words.content_stems


def _same_bag(a: Facts, b: Facts) -> bool:
    """The very same words but for articles: then their order is all that differs, and likely means something."""
    return len(_order(a)) > 1 and _bag(a) == _bag(b)


def _bag(facts: Facts) -> list[str]:
    return sorted(word.stem for word in facts.words.all if word.lower not in ("a", "an", "the"))


_SYMMETRIC = listed("difference differences between vs versus or and distance compare comparison")


def _symmetric(facts: Facts) -> bool:
    return bool(_SYMMETRIC & frozenset(facts.words.lower)) and facts.compared is None


def _skeleton(facts: Facts) -> list[str]:
    """Content words and pseudonyms in order: equal skeletons leave every pseudonym in its role."""
    return [word.text if word.text.startswith("<") else word.stem for word in facts.words.all if word.content]
