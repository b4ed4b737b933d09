"""Which hits of the model count in a language that it was not made for?

The encoder knows English pieces: it cuts other scripts into letters and takes common words for rare names, often in the
middle of a word. So a word in a script without capitals counts only where something announces it; a word in lower case
not in any other language, in English not if it is an everyday word ("mark", "rose"); and the first word of a sentence
only with a capitalised one behind it, or if a list has it.
"""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from forebay_agents.redaction.detection.names.word_names import ENGLISH_TOO
from forebay_agents.redaction.detection.names.words import Words

_MODEL_KNOWS = frozenset(("en", None))
_LEARNED = frozenset(("de", "fr", "es", "it", "pt", "nl"))
"""Languages in which it was trained: the first word of a sentence may be a name."""
_BEGINS = re.compile(r"(?:\A|[.!?…:;¿¡\n])[\s\"'«„“(\-–—*•\d.)]{0,8}\Z")
_BEFORE = 10


def counting(text: str, words: Words, language: str | None, known: Callable[[str], bool]) -> NDArray[np.bool_]:
    """Whether each word may count without being announced.

    Args:
        known: whether a word is in a list of names or places, and no everyday word.
    """
    count = len(words.words)
    result = np.ones(count, bool)
    if text.islower() and text.isascii():
        return result  # in lower case nothing tells a name from a word
    untold = language is None and count >= _WORDS
    if text.isascii() and language in _MODEL_KNOWS and not untold:
        result[[index for index, word in enumerate(words.words) if word in ENGLISH_TOO]] = False
        return result
    english, learned = language in _MODEL_KNOWS and not untold, untold or language in _LEARNED
    small = not any(map(str.isupper, text))
    for index, word in enumerate(words.words):
        first = word[0]
        start, end = int(words.starts[index]), int(words.ends[index])
        if not first.isalpha():
            continue
        if first.lower() == first.upper():
            result[index] = False
        elif first.islower():
            glued = text[start - 1 : start] in _GLUE or _GLUE_BEHIND.match(text, end)
            latin = first < _GREEK
            result[index] = (
                (small and latin) or bool(glued) or (english and word not in ENGLISH_TOO) or (untold and known(word))
            )
        elif not english and not learned and _doubted(text, word, start, known):
            following = words.words[index + 1] if index + 1 < count else ""
            result[index] = following[:1].isupper() and not following.isupper()
    return result


def _doubted(text: str, word: str, start: int, known: Callable[[str], bool]) -> bool:
    """Whether a capital says nothing: at the beginning of a sentence, of a word that no list has."""
    return word in _FIRST or (not known(word) and _BEGINS.search(text, max(0, start - _BEFORE), start) is not None)


_GREEK = "\u0370"
_GLUE, _GLUE_BEHIND = frozenset(".-_(/@:;=#"), re.compile(r"[\-_@/;=]|\.\w")
"""What stands between the parts of handles, of file names and of lists: words there are no words of a sentence."""
_WORDS = 4
"""Words of a text without a small word of any language that is not taken for English."""
_FIRST = frozenset(
    ("Anda", "Jika", "Sandi", "Kata", "Nilai", "Anna", "Jos", "Kun", "Hei", "Bu", "Bir", "Lütfen", "Kérem", "Ha", "Ez")
)
"""Words of other languages that lists have as names."""
