"""Who does what to whom: is it the other way round in the other question?"""

from forebay_agents.cache.language.antonyms import opposite
from forebay_agents.cache.language.facts import Facts
from forebay_agents.cache.language.order import fronted
from forebay_agents.cache.language.words import listed


def direction(a: Facts, b: Facts) -> bool:
    """From A to B against from B to A; also the same words in an order that changes who does what."""
    if a.direction is not None and b.direction is not None and a.direction != b.direction:
        (start, end), (other_start, other_end) = a.direction, b.direction
        if start == other_end or end == other_start:
            return True
    if _symmetric(a) or _symmetric(b) or converse(a, b) or fronted(a.words, b.words):
        return False
    if a.direction is not None and a.direction == b.direction:
        return False
    return _roles_changed(a, b) or names_swapped(a, b)


def comparison(a: Facts, b: Facts) -> bool:
    """Is A better than B against is B better than A."""
    if a.compared is None or b.compared is None:
        return False
    return a.compared[0] == b.compared[2] and a.compared[2] == b.compared[0] and a.compared[1] == b.compared[1]


def converse(a: Facts, b: Facts) -> bool:
    """Is tea cheaper than coffee, is coffee dearer than tea: both turned round, so the same is asked."""
    if a.compared is None or b.compared is None or a.compared[0] != b.compared[2] or a.compared[2] != b.compared[0]:
        return False
    return opposite(a.compared[1].split()[-1], b.compared[1].split()[-1]) or {a.compared[1], b.compared[1]} <= _DEARER


_DEARER = frozenset({"cheaper", "more expensive", "dearer", "costlier"})


def names_swapped(a: Facts, b: Facts) -> bool:
    ours = [name for name in a.names_in_order if name in b.names_in_order]
    theirs = [name for name in b.names_in_order if name in a.names_in_order]
    return len(ours) > 1 and ours == theirs[::-1]


def _order(facts: Facts) -> tuple[str, ...]:
    return facts.words.content_stems


def _roles_changed(a: Facts, b: Facts) -> bool:
    """The very same words but for articles and pronouns, in another order: it likely means something."""
    ours, theirs = _order(a), _order(b)
    if ours == theirs or len(ours) < 2 or _PARTED & set(a.words.text + b.words.text):
        return False
    return sorted(ours) == sorted(theirs) and _framing(a) == _framing(b)


_PARTED = frozenset(",:")
"""After these a sentence says again, or in another order, what stood before them: hair loss, what causes it?"""
_SLIGHT = listed("a an the i me my mine we our us you your one it its is are do does")


def _framing(facts: Facts) -> frozenset[str]:
    return frozenset(word.lower for word in facts.words.all if not word.content and word.lower not in _SLIGHT)


_SYMMETRIC = listed("difference differences between vs versus or and distance compare comparison")


def _symmetric(facts: Facts) -> bool:
    return bool(_SYMMETRIC & frozenset(facts.words.lower)) and facts.compared is None


def skeleton(facts: Facts) -> list[str]:
    """Content words and pseudonyms in order: equal skeletons leave every pseudonym in its role."""
    return [word.text if word.text.startswith("<") else word.stem for word in facts.words.all if word.content]
