"""By which words is asked for something, and what stands around an answer? Lists by language in ``languages/``.

All languages are read at once: a turn is short, and its language is hard to tell ("Pin?"). What a list says of one
language is rarely wrong in another, and where it is, the shape of the answer decides.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from forebay_agents.redaction.conversation.words import Phrases
from forebay_agents.redaction.public.folding import fold

_FOLDER = Path(__file__).with_name("languages")
ASKING = ("names", "weak", "nouns", "asks", "numbers", "requests", "not_asked", "not_this", "frames", "mine",
          "indefinite", "small", "again", "refers")  # fmt: skip
"""Sorts of phrases that a question is read by; in ``names``, ``weak``, ``nouns`` and ``asks`` by kind."""
ANSWERING = ("names", "nouns", "numbers", "fillers", "ends", "nothing", "alone", "copulas", "alternatives")
"""Sorts of phrases that an answer is read by."""
_KEYS = frozenset((*ASKING, *ANSWERING, "units", "amounts", "months", "ordinals", "digits", "counts", "joins"))


class Suffixed:
    """Words, some of which are given by their beginning or end (``*zehnten``)."""

    def __init__(self, given: Iterable[str]) -> None:
        every = [fold(one) for one in given]
        self._words = frozenset(one for one in every if "*" not in one)
        self._ends = tuple(one[1:] for one in every if one.startswith("*"))
        self._starts = tuple(one[:-1] for one in every if one.endswith("*"))

    def __contains__(self, word: str) -> bool:
        return word in self._words or (bool(self._ends) and word.endswith(self._ends)) or word.startswith(self._starts)


@dataclass(frozen=True, kw_only=True)
class Cues:
    """All languages together.

    Attributes:
        asking, answering: phrases that a question and an answer are read by.
        units: behind a number that counts something; amounts: before one that is money.
        months, ordinals, joins: words of a date; digits: with their values; counts: other words of spoken numbers.
    """

    asking: Phrases
    answering: Phrases
    units: Suffixed
    amounts: Suffixed
    months: Suffixed
    ordinals: Suffixed
    joins: Suffixed
    digits: Mapping[str, str]
    counts: Suffixed

    @classmethod
    def of(cls, languages: Iterable[Mapping[str, Any]]) -> "Cues":
        """From what is in the files. Raises ``ValueError`` for a list that none of them should have."""
        every = list(languages)
        for one in every:
            if unknown := one.keys() - _KEYS:
                raise ValueError(f"no such list: {', '.join(sorted(unknown))}")

        def flat(name: str) -> Suffixed:
            return Suffixed(phrase for one in every for phrase in one.get(name, ()))

        digits = {fold(word): str(value) for one in every for value, word in enumerate(one.get("digits", ())) if word}
        return cls(
            asking=Phrases(phrase for one in every for phrase in _phrases(one, ASKING)),
            answering=Phrases(phrase for one in every for phrase in _phrases(one, ANSWERING)),
            units=flat("units"),
            amounts=flat("amounts"),
            months=flat("months"),
            ordinals=flat("ordinals"),
            joins=flat("joins"),
            digits=digits | _ALSO_DIGITS,
            counts=flat("counts"),
        )


_ALSO_DIGITS = {"oh": "0", "o": "0", "nought": "0", "naught": "0", "zwo": "2", "nil": "0", "meia": "6", "duas": "2"}


def _phrases(language: Mapping[str, Any], sorts: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for sort in sorts:
        given = language.get(sort, ())
        if isinstance(given, Mapping):
            for kind, phrases in given.items():
                yield from ((sort, kind, phrase) for phrase in phrases)
        else:
            yield from ((sort, "", phrase) for phrase in given)


@lru_cache(maxsize=1)
def shipped() -> Cues:
    """The languages in the package."""
    return Cues.of(tomllib.loads(file.read_text("utf-8")) for file in sorted(_FOLDER.glob("*.toml")))
