"""Which names are public, and as what? A list of hashes: places, people of history and fiction, brands.

32 bits a name: one in about 30,000 other words is taken for a member, so a member alone decides nothing
(:mod:`forebay_agents.redaction.public.deciding`). Without its file nothing is public.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from enum import IntFlag
from functools import lru_cache
from pathlib import Path

import numpy as np

from forebay_agents.redaction.public.folding import code, key, uninflected

SHIPPED = Path(__file__).with_name("public.npz")
"""Made by ``python -m forebay_agents.redaction.training.public_lists``."""
_REMEMBERED = 20_000


class Listed(IntFlag):
    """What a name is in the lists; a name can be several."""

    COUNTRY = 1
    CITY = 2
    """Of 100,000 people and more, or a capital."""
    TOWN = 4
    LANDMARK = 8
    PERSON = 16
    """A full name of a person of public life."""
    SINGLE = 32
    """A name of one word that is no neighbour's."""
    SURNAME = 64
    FICTION = 128
    BRAND = 256

    PLACE = COUNTRY | CITY | TOWN | LANDMARK
    SOMEBODY = PERSON | SINGLE | SURNAME | FICTION


class Lists:
    """The names.

    Args:
        codes: hashes, sorted.
        kinds: what each is.
    """

    def __init__(self, codes: Iterable[int] = (), kinds: Iterable[int] = ()) -> None:
        self._codes = array("I", codes)
        self._kinds = array("H", kinds)
        self.named = lru_cache(_REMEMBERED)(self._named)
        """What folded words are in the lists, or would be without the ending of their case in a language."""

    @classmethod
    def of(cls, names: Iterable[tuple[str, Listed]]) -> "Lists":
        """Lists of a few names."""
        kinds: dict[int, int] = {}
        for name, kind in names:
            at = code(key(name))
            kinds[at] = kinds.get(at, 0) | kind
        return cls(sorted(kinds), [kinds[at] for at in sorted(kinds)])

    def __bool__(self) -> bool:
        return bool(self._codes)

    def _exact(self, words: str) -> Listed:
        wanted = code(words)
        at = bisect_left(self._codes, wanted)
        return Listed(self._kinds[at] if at < len(self._codes) and self._codes[at] == wanted else 0)

    def _named(self, words: str, language: str) -> Listed:
        found = self._exact(words)
        if found:
            return found
        first, _, last = words.rpartition(" ")
        begin = f"{first} " if first else ""
        for nominative in uninflected(last, language):
            found = self._exact(begin + nominative)
            if found:
                return found
        if first and language in _DECLINED:
            return self._declined(words.split(), language)
        return Listed(0)

    def _declined(self, words: list[str], language: str) -> Listed:
        """Where each word has an ending: "Льва Толстого" stays undecided, "Альберта Эйнштейна" is found."""
        if len(words) != _PAIR:
            return Listed(0)
        for first in uninflected(words[0], language):
            for last in uninflected(words[1], language):
                found = self._exact(f"{first} {last}")
                if found:
                    return found
        return Listed(0)


_DECLINED = ("ru", "pl")
_PAIR = 2


def opened(path: Path = SHIPPED) -> Lists:
    """The lists in ``path``; none of them where it is not there: then nothing is public."""
    if not path.is_file():
        return Lists()
    with np.load(path, allow_pickle=False) as arrays:
        return Lists(arrays["codes"].tolist(), arrays["kinds"].tolist())
