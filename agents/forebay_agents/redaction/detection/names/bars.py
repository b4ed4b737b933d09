"""How sure must the head be of a word? That depends on how the word is written, and on whether a list has it.

A capitalised word that a list of names has is seldom anything else; a lower-case word that none has, in a text whose
writer does use capitals, seldom is a name. The factors were read off real text that heads had not been trained on
(docs/explanation/names-model.md).
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from forebay_agents.redaction.detection.names.words import Matrix, Words

_LISTED, _CAPITALISED, _SHOUTED, _MIXED = 0.37, 0.62, 0.8, 1.3
_LOWER_LISTED, _LOWER, _LOWER_AMONG_CAPITALS = 0.5, 0.7, 0.95
_DIGITS, _UNCASED = 0.5, 1.3
"""Factors of the threshold; the last is of scripts without capitals, of which the encoder knows little."""
_SHOUTING = 0.6
"""Share of words in capitals from which capitals say nothing."""


def bars(words: Words, threshold: float, known: Callable[[str], bool]) -> Matrix:
    """The probability from which each word counts.

    Args:
        threshold: what the factors are of.
        known: whether a word is in a list of names or places, and no everyday word.
    """
    cased = [word for word in words.words if word.lower() != word.upper()]
    shouts = sum(word.isupper() for word in cased) >= _SHOUTING * len(cased)
    capitals = any(word[0].isupper() and len(word) > 1 for word in cased)
    factors = [_factor(word, shouts=shouts, capitals=capitals, known=known) for word in words.words]
    result: Matrix = np.minimum(np.array(factors, np.float32) * threshold, 0.99).astype(np.float32)
    return result


@lru_cache(maxsize=50_000)
def _factor(word: str, *, shouts: bool, capitals: bool, known: Callable[[str], bool]) -> float:
    low = word.lower()
    if any(map(str.isdigit, word)):
        return _DIGITS
    if low == word.upper():
        return _UNCASED
    if word == low:
        if known(word):
            return _LOWER_LISTED
        return _LOWER_AMONG_CAPITALS if capitals else _LOWER
    if word[0].isupper() and word[1:] == low[1:]:
        return _LISTED if known(word) else _CAPITALISED
    if word.isupper():
        return (_LISTED if known(word) else _CAPITALISED) if shouts else _SHOUTED
    return _LISTED if known(word) else _MIXED
