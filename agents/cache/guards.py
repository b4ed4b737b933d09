"""Which differences between two questions make one answer wrong for the other, however near they are?

Each guard is a pure function of the facts of both questions that says whether it *objects*. An objection forbids the
hit, whatever the score; it also is a feature of the score, which stays a graded probability. Guards err on the side of
objecting: a needless objection costs a model call, a missing one gives somebody a wrong answer.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib.resources import files

from agents.cache.facts import Asked, Facts
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
    return any(_opposite(one, other) for one in only_ours for other in only_theirs)


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


def objections(a: Facts, b: Facts) -> tuple[str, ...]:
    """Codes of the guards that object, in the order of :data:`GUARDS`."""
    return tuple(code for code, guard in GUARDS.items() if guard(a, b))


@cache
def opposites() -> dict[str, frozenset[str]]:
    """Word to its opposites, both ways."""
    found: dict[str, set[str]] = {}
    text = (files("agents.cache") / "data" / "antonyms.txt").read_text("utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            one, other = line.split()
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


_PREFIXES = ("un", "dis", "de", "non", "in", "im", "il", "ir")


@lru_cache(maxsize=65_536)
def _opposite(one: str, other: str) -> bool:
    if other in opposites().get(one, ()) or _inflected(one) & _inflected_opposites(other):
        return True
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and any(long == prefix + short for prefix in _PREFIXES)


@lru_cache(maxsize=16_384)
def _inflected(word: str) -> frozenset[str]:
    """The word and its likely base forms."""
    forms = {word}
    for suffix, instead in (("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"), ("s", ""), ("es", ""), ("d", "")):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            forms.add(word[: -len(suffix)] + instead)
    return frozenset(forms)


@lru_cache(maxsize=16_384)
def _inflected_opposites(word: str) -> frozenset[str]:
    return frozenset().union(*(opposites().get(form, frozenset()) for form in _inflected(word)))


def _unmentioned(mentioned: frozenset[str], other: Facts) -> bool:
    present = other.words.lower
    initials = "".join(word[0] for word in present if word.isalpha())
    for name in mentioned:
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
