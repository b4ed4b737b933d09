"""Which words are no names by what they are part of? Those of web addresses, and handles with digits.

The head reads the letters of "http://t.co/gKQYPNEA" as a rare name. A word that a list of names knows counts all the
same: "linkedin.com/in/jane-miller" names somebody.
"""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from forebay_agents.redaction.detection.names.words import Words
from forebay_agents.redaction.detection.windows import matches

_ADDRESS = re.compile(r"(?:https? ?:|www\.)[^\s<>\"']+", re.IGNORECASE)
_LETTERS_OF_A_NAME = 3
"""Shorter words are parts of addresses that happen to be names: "co", "li", "de"."""
_LETTERS_OF_A_HANDLE = 4
"""Fewer letters beside digits may be a postcode: "ec1a"."""


def unlikely(text: str, words: Words, known: Callable[[str], bool]) -> NDArray[np.bool_]:
    """Whether each word names nobody by its form.

    Args:
        known: whether a word is in a list of names or places.
    """
    result = np.zeros(len(words.words), bool)
    for match in matches(_ADDRESS, text):
        low = int(np.searchsorted(words.ends, match.start(), side="right"))
        high = int(np.searchsorted(words.starts, match.end(), side="left"))
        result[low:high] = True
    for index, word in enumerate(words.words):
        if result[index]:
            result[index] = len(word) < _LETTERS_OF_A_NAME or not known(word)
        elif not word.isalpha() and not word.isupper():
            letters = sum(map(str.isalpha, word))
            result[index] = letters >= _LETTERS_OF_A_HANDLE and any(map(str.isdigit, word))
    return result
