"""Are two words opposites? A list of pairs, their inflections, and prefixes that turn a word round."""

from functools import cache, lru_cache
from importlib.resources import files


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
def opposite(one: str, other: str) -> bool:
    """Whether lower-cased words, or their likely base forms, mean the opposite of each other."""
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
