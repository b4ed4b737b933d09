"""Which differences between two questions make one answer wrong for the other, however near they are?

Each guard is a pure function of the facts of both questions that says whether it sees a difference. Every difference
counts against the score, which stays a graded probability. A difference that is *decisive* also forbids the hit,
whatever the score: one that both questions spell out (3.8 against 3.11), or one that is about all that tells them apart
(a number in one of two otherwise equal questions). In questions worded quite differently a number on one side is
mostly a detail of somebody's story, and only the score speaks.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from forebay_agents.cache.language.antonyms import opposite
from forebay_agents.cache.language.facts import NOT_TOLD, Asked, Facts, is_superlative
from forebay_agents.cache.language.roles import comparison, converse, direction, names_swapped, skeleton
from forebay_agents.cache.language.spelling_variants import same_name, slipped
from forebay_agents.cache.language.words import listed

Guard = Callable[[Facts, Facts], bool]


def numbers(a: Facts, b: Facts) -> bool:
    """Other numbers, dates, versions or amounts: 3.8 against 3.11."""
    return a.numbers != b.numbers


def units(a: Facts, b: Facts) -> bool:
    """Other units or currencies: euros against yen. One that names fewer may mean any: 5 mg, 5 mg a day."""
    return bool(a.units - b.units and b.units - a.units)


def names(a: Facts, b: Facts) -> bool:
    """Another named entity: both name something, and one names what the other nowhere mentions."""
    if not a.names or not b.names:
        return False
    return bool(_unmentioned(a.names, b) and _unmentioned(b.names, a))


def verbatim(a: Facts, b: Facts) -> bool:
    """Other code, quotations, addresses or ids: what is verbatim must be equal."""
    return _cited(a, b) != _cited(b, a)


def _cited(a: Facts, b: Facts) -> frozenset[str]:
    """What is verbatim in ``a``, but for what ``b`` has without marks or capitals, and not as a part of something."""
    plain = b.words.text.lower()
    return frozenset(one for one in a.verbatim if one in b.verbatim or not _whole(one.strip('"“”').lower(), plain))


def _whole(part: str, text: str) -> bool:
    """Whether ``part`` stands by itself in ``text``: /etc is not in /etc/hosts, nor war in software."""
    return re.search(rf"(?<![\w/.\-]){re.escape(part)}s?(?!\w|[/.\-]\w)", text) is not None


def pseudonyms(a: Facts, b: Facts) -> bool:
    """Other people or things behind pseudonyms, or several of a kind, whose roles may have changed places."""
    if frozenset(a.tags) != frozenset(b.tags):
        return True
    kinds = [tag.rsplit("_", 1)[0] for tag in a.tags]
    return len(set(kinds)) < len(kinds) and skeleton(a) != skeleton(b)


def negation(a: Facts, b: Facts) -> bool:
    """One denies what the other affirms."""
    return a.negations % 2 != b.negations % 2


def polarity(a: Facts, b: Facts) -> bool:
    """A word of one has its opposite in the other, and neither has both: enable against disable."""
    if converse(a, b):
        return False
    only_ours, only_theirs = _alone(a, b), _alone(b, a)
    found = [{one, other} for one in only_ours for other in only_theirs if opposite(one, other)]
    if a.asked in _OPEN_TO_BOTH and b.asked in _OPEN_TO_BOTH:
        found = [pair for pair in found if not pair <= _SCALES]
    if "no" in a.words.lower or "no" in b.words.lower:
        # Without money and with no money say the same; the guard for negation has an eye on the rest.
        found = [pair for pair in found if pair != {"with", "without"}]
    return bool(found)


_OPEN_TO_BOTH = frozenset({Asked.YES_NO, Asked.HOW, Asked.QUANTITY})
_SCALES = listed(
    "safe unsafe dangerous danger risky harmful harmless healthy unhealthy easy simple hard difficult tough "
    "complicated cheap expensive"
)
"""Who asks whether something is safe asks whether it is dangerous, or how dangerous."""


def _alone(a: Facts, b: Facts) -> frozenset[str]:
    """Words of ``a`` that ``b`` has in no form; what is called the least is none of them."""
    before = ("", *a.words.lower)
    return frozenset(
        word.lower
        for word, preceding in zip(a.words.all, before, strict=False)
        if word.lower not in b.words.lower and word.stem not in b.words.stems and preceding not in ("least", "less")
    )


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


_ALIKE, _REORDERED, _ASKED_OF_THE_SAME, _NAMED_ALIKE = 0.5, 0.75, 0.3, 0.3
"""Shared share of the content words from which a one-sided difference is what tells two questions apart."""
_FEW, _MANY = 3, 4
"""Opposites stop deciding when both have more words than ``_FEW`` that the other lacks, or one more than ``_MANY``."""


def _numbers_decide(a: Facts, b: Facts) -> bool:
    return bool(a.numbers - b.numbers and b.numbers - a.numbers) or _shared(a, b) >= _ALIKE


def _units_decide(a: Facts, b: Facts) -> bool:
    return a.numbers == b.numbers or _shared(a, b) >= _ALIKE


def _polarity_decides(a: Facts, b: Facts) -> bool:
    if _has_both_poles(a, b) or _has_both_poles(b, a):
        return False
    ours, theirs = len(_told(a) - _told(b)), len(_told(b) - _told(a))
    return min(ours, theirs) <= _FEW and max(ours, theirs) <= _MANY


def _has_both_poles(a: Facts, b: Facts) -> bool:
    """Whether all words of ``a`` that oppose one of ``b`` are opposed in ``a`` itself: delete a file that I added."""
    theirs = _alone(b, a)
    opposing = [one for one in _alone(a, b) if any(opposite(one, other) for other in theirs)]
    return bool(opposing) and all(any(opposite(one, other) for other in a.words.lower) for one in opposing)


def _quantifier_decides(a: Facts, b: Facts) -> bool:
    ours, theirs = a.quantifiers - b.quantifiers, b.quantifiers - a.quantifiers
    if any(map(is_superlative, ours)) and any(map(is_superlative, theirs)):
        return True
    if any(map(is_superlative, ours | theirs)) and _merely_stronger(a, b, ours | theirs):
        return False
    return not (ours | theirs) <= _TALK and _shared(a, b) >= _ALIKE


def _merely_stronger(a: Facts, b: Facts, ranked: frozenset[str]) -> bool:
    """Quickest where the other says fast: a superlative of a word that the other has, or that means the same."""
    plain = a.words.stems | b.words.stems
    return all(not is_superlative(one) or one in ("fastest", "easiest") or one[:-3] in plain for one in ranked)


def _direction_decides(a: Facts, b: Facts) -> bool:
    if names_swapped(a, b) and _shared(a, b, names=False) >= _ALIKE:
        return True
    return a.direction is not None or b.direction is not None or _shared(a, b) >= _REORDERED


def _alike(a: Facts, b: Facts) -> bool:
    return _shared(a, b) >= _ALIKE


_DECIDES: dict[str, Guard] = {
    "numbers": _numbers_decide,
    "units": _units_decide,
    # In questions of few common words, other names are as often other words (EC2, an Amazon server) as other things.
    "names": lambda a, b: _shared(a, b, names=False) >= _NAMED_ALIKE,
    "verbatim": lambda a, b: bool(_cited(a, b) - b.verbatim and _cited(b, a) - a.verbatim) or _alike(a, b),
    "negation": lambda a, b: _alike(a, b) and not (_denies(a) if a.negations < b.negations else _denies(b)),
    "polarity": _polarity_decides,
    "direction": _direction_decides,
    "quantifier": _quantifier_decides,
    "question_type": lambda a, b: {a.asked, b.asked} not in _AKIN and _shared(a, b) >= _ASKED_OF_THE_SAME,
}
"""When a difference decides; those that are not here always do."""
_AKIN: tuple[set[Asked], ...] = ({Asked.HOW, Asked.WHERE}, {Asked.HOW, Asked.WHO})
"""Where can I set it, whom do I ask: how is it done?"""
_TALK = frozenset({"first", "last", "always", "easiest", "most efficient", "most effective"})
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


def _shared(a: Facts, b: Facts, *, names: bool = True) -> float:
    """Shared share of what is told beside numbers, negations and quantifiers, and names if so wished."""
    ours, theirs = _told(a), _told(b)
    if not names:
        ours, theirs = ours - _stems_of_names(a), theirs - _stems_of_names(b)
    return len(ours & theirs) / (len(ours | theirs) or 1)


@lru_cache(maxsize=4_096)
def _told(facts: Facts) -> frozenset[str]:
    return frozenset(
        word.stem
        for word in facts.words.all
        if word.content and not word.text[0].isdigit() and word.lower not in NOT_TOLD
    )


_DENYING = listed(
    "stop stops stopping avoid avoiding prevent preventing quit refuse refuses fail fails failing unable lack lacks "
    "lacking impossible keep keeps rid free"
)


def _denies(facts: Facts) -> bool:
    """Whether a verb does what a negation would: to stop barking, not to bark."""
    return bool(_DENYING & frozenset(facts.words.lower))


def _unmentioned(mentioned: frozenset[str], other: Facts) -> bool:
    present = frozenset(other.words.lower)
    initials = "".join(word[0] for word in other.words.lower if word.isalpha())
    for name in mentioned:
        if name in present:
            continue
        if any(same_name(name, word) or slipped(name, word) for word in present if len(word) > 1):
            continue
        if len(name) <= 4 and name in initials:
            continue  # an abbreviation of what the other spells out
        return True
    return False


def _stems_of_names(facts: Facts) -> frozenset[str]:
    return frozenset(word.stem for word in facts.words.all if word.lower in facts.names)
