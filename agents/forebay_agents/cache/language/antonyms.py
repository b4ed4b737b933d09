"""Are two words opposites? A list of pairs, their inflections, and prefixes that turn a word round."""

from functools import cache, lru_cache
from importlib.resources import files

from forebay_agents.cache.language.words import listed


@cache
def opposites() -> dict[str, frozenset[str]]:
    """Word to its opposites, both ways."""
    found: dict[str, set[str]] = {}
    text = (files("forebay_agents.cache.language") / "antonyms.txt").read_text("utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            one, other = line.split()
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


_PREFIXES = ("un", "dis", "de", "non", "in", "im", "il", "ir")
_NO_OPPOSITES = listed(
    "ingrown inside income install inform indoor insure instill default depart detail desire deliver design demand "
    "delight detest discover discount display disease dispatch disorder district import impress improve impact immune "
    "illness irate depend defend decease denote derive despite details deposit deserve distend"
)
"""Words that only look like a prefix before another word."""


@lru_cache(maxsize=65_536)
def opposite(one: str, other: str) -> bool:
    """Whether lower-cased words, or their likely base forms, mean the opposite of each other."""
    if other in opposites().get(one, ()) or _inflected(one) & _inflected_opposites(other):
        return True
    short, long = sorted((one, other), key=len)
    if len(short) < 4 or any(form in _NO_OPPOSITES for form in _inflected(long)):
        return False
    return any(long == prefix + short for prefix in _PREFIXES)


_ENDINGS = (
    ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"), ("s", ""), ("es", ""), ("d", ""), ("er", ""), ("er", "e"),
    ("ier", "y"), ("est", ""), ("est", "e"), ("iest", "y"), ("ly", ""), ("ily", "y"),
)  # fmt: skip


@lru_cache(maxsize=16_384)
def _inflected(word: str) -> frozenset[str]:
    """The word and its likely base forms."""
    forms = {word}
    for suffix, instead in _ENDINGS:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            forms.add(word[: -len(suffix)] + instead)
    return frozenset(forms)


@lru_cache(maxsize=16_384)
def _inflected_opposites(word: str) -> frozenset[str]:
    return frozenset().union(*(opposites().get(form, frozenset()) for form in _inflected(word)))
