"""What are the words of a question, and how much does each weigh? The surface that guards and alignment share."""

import math
import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import NamedTuple

_WORD = re.compile(
    r"<[A-Z][A-Z0-9_]*_\d+>"  # a pseudonym
    r"|\d+(?:[.,:/-]\d+)*"  # 3, 3.11, 10,000, 12:30, 2015-16
    r"|[^\W\d_]+(?:['’][^\W\d_]+)?(?:\+\+|\#)?"  # word, don't, C++, C#
    r"|\w+"
)
_COMMON_RANK, _RARE_RANK = 1_996, 30_522
"""BERT's vocabulary: whole words from rank 1,996 on, by falling frequency."""
_RARE_WEIGHT = 1.0


def listed(words: str) -> frozenset[str]:
    """A set written as words with blanks between them."""
    return frozenset(words.split())


FUNCTION_WORDS = listed(
    """a an the is are was were be been being am do does did doing done have has had having i me my mine we us our you
    your yours he him his she her it its they them their this that these those of in on at to for from by with about as
    into than then so if or and but not no nor what which who whom whose when where why how can could should would shall
    will may might must there here any some one just really very also too much many more most get got getting ok okay
    please tell help want need like know make someone anyone people person way best good im i'm i've it's what's don't
    doesn't didn't can't isn't there's"""
)
_SUFFIXES = (
    "ingly", "edly", "ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "er", "est", "ed", "es",
    "ly", "s",
)  # fmt: skip

Rank = Callable[[str], int | None]
"""Rank of a lower-cased word by frequency; ``None`` for words too rare to have one."""


class Word(NamedTuple):
    """One word: as written, lower-cased, its crude stem, its place in the text (code points).

    Attributes:
        content: whether it names something rather than joins; US and IT are no pronouns.
    """

    text: str
    lower: str
    stem: str
    start: int
    end: int
    content: bool


class Words:
    """The words of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.all = tuple(_word(match) for match in _WORD.finditer(text))

    @cached_property
    def lower(self) -> tuple[str, ...]:
        """Lower-cased words in order."""
        return tuple(word.lower for word in self.all)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Stems of all words."""
        return frozenset(word.stem for word in self.all)

    @cached_property
    def content_stems(self) -> tuple[str, ...]:
        """Stems of the content words in order."""
        return tuple(word.stem for word in self.all if word.content)

    def __len__(self) -> int:
        return len(self.all)


@lru_cache(maxsize=4_096)
def words_of(text: str) -> Words:
    """The words of ``text``."""
    return Words(text)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A stem crude enough to be fast: inflections of a word meet, some strangers too."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word.rstrip("e") if len(word) > 3 else word


@lru_cache(maxsize=65_536)
def weight(word: str, rank: Rank) -> float:
    """How much a word tells, from 0 (the commonest) to 1: its rank stands in for its inverse document frequency."""
    place = rank(word)
    if place is None:
        return _RARE_WEIGHT
    above = max(place, _COMMON_RANK) - _COMMON_RANK + 1
    return min(1.0, math.log(above) / math.log(_RARE_RANK - _COMMON_RANK))


def _word(match: re.Match[str]) -> Word:
    text = match[0]
    lower = text.lower().replace("’", "'")
    content = lower not in FUNCTION_WORDS or (len(text) > 1 and text.isupper())
    return Word(text=text, lower=lower, stem=stem(lower), start=match.start(), end=match.end(), content=content)
