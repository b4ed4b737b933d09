"""Which hits of the model count in a language that it was not made for?

The encoder knows English pieces: it cuts other scripts into letters and takes common words for rare names, often in the
middle of a word. So a word in a script without capitals counts only where something announces it; a word in lower case
not in any other language, in English not if it is an everyday word ("mark", "rose"); and the first word of a sentence
only with a capitalised one behind it, or if a list has it.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from forebay_agents.redaction.detection.language import ENGLISH_ALONE, SMALL_ABROAD
from forebay_agents.redaction.detection.names.lexical import common_word, listed_name
from forebay_agents.redaction.detection.names.word_names import ENGLISH_TOO
from forebay_agents.redaction.detection.names.words import Words, listed

_MODEL_KNOWS = frozenset(("en", None))
_LEARNED = frozenset(("de", "fr", "es", "it", "pt", "nl"))
"""Languages in which it was trained: the first word of a sentence may be a name."""
_BEGINS = re.compile(r"(?:\A|[!?…:;¿¡\n]|(?<!\b[^\W\d_])(?<!\b[^\W\d_]{2})\.)[\s\"'«„“(\-–—*•\d.)]{0,8}\Z")
_BEFORE = 10


def counting(text: str, words: Words, language: str | None, known: Callable[[str], bool]) -> NDArray[np.bool_]:
    """Whether each word may count without being announced.

    Args:
        known: whether a word is in a list of names or places, and no everyday word.
    """
    count = len(words.words)
    result = np.ones(count, bool)
    untold = language is None and count >= _WORDS
    strange = untold and _strange(words.words)
    if text.islower() and text.isascii():
        if strange or language not in _MODEL_KNOWS | _LEARNED:  # where nothing tells a name from a word but the lists
            names = [word not in SMALL_ABROAD and known(word) for word in words.words]
            result[:] = [any(names[max(at - 1, 0) : at + 2]) for at in range(count)]
        return result
    if text.isascii() and language in _MODEL_KNOWS and not untold:
        result[[index for index, word in enumerate(words.words) if word in ENGLISH_TOO]] = False
        return result
    english = language in _MODEL_KNOWS and not untold
    learned = (untold and not strange) or language in _LEARNED
    foreign = not english and not learned
    small = not any(map(str.isupper, text))
    for index, word in enumerate(words.words):
        first = word[0]
        start, end = int(words.starts[index]), int(words.ends[index])
        if not first.isalpha():
            continue
        if first.lower() == first.upper():
            result[index] = False
        elif first.islower():
            before, listed = text[start - 1 : start], known(word) and word not in SMALL_ABROAD
            if before in _GLUE or _GLUE_BEHIND.match(text, end):
                result[index] = listed or not foreign or before in _HANDLE
            elif small and first < _GREEK:
                result[index] = listed or not foreign or _listed_beside(words.words, index, known)
            else:
                particle = word in PARTICLES and index + 1 < count and words.words[index + 1][0].isupper()
                named = (listed and not strange) or particle
                result[index] = (english and word not in ENGLISH_TOO) or (untold and named)
        elif foreign:
            result[index] = _capital_counts(text, words, index, known)
    return result


def _capital_counts(text: str, words: Words, index: int, known: Callable[[str], bool]) -> bool:
    """Whether a word with a capital may be a name in a language that the model knows little of."""
    word = words.words[index]
    if word.isupper() and not known(word):  # "UUID", "SRID"; but "PG Troydan", "William L."
        return text.isupper() or (len(word) <= _INITIALS and _name_beside(words.words, index))
    if word.lower() in SMALL_ABROAD:
        return _name_beside(words.words, index)
    if not _doubted(text, word, int(words.starts[index]), known):
        return True
    following = words.words[index + 1] if index + 1 < len(words.words) else ""
    if not following[:1].isupper() or following.isupper():
        return False
    return following.lower() not in SMALL_ABROAD or following.lower() in PARTICLES


def _listed_beside(words: Sequence[str], index: int, known: Callable[[str], bool]) -> bool:
    """Whether a list has a word beside it: "martin short"."""
    beside = (*words[max(index - 1, 0) : index], *words[index + 1 : index + 2])
    return any(known(word) and word not in SMALL_ABROAD for word in beside)


def _name_beside(words: Sequence[str], index: int) -> bool:
    """Whether a capitalised word that is no small one stands beside a small one: "Dan Kowalsky", not "Dan Anda"."""
    return any(
        word[0].isupper() and not word.isupper() and word.lower() not in SMALL_ABROAD
        for word in (*words[max(index - 1, 0) : index], *words[index + 1 : index + 2])
    )


def _doubted(text: str, word: str, start: int, known: Callable[[str], bool]) -> bool:
    """Whether a capital says nothing: at the beginning of a sentence, of a word that no list has."""
    if word in _FIRST:
        return True
    if known(word):
        return False
    return _BEGINS.search(text, max(0, start - _BEFORE), start) is not None


def _strange(words: Sequence[str]) -> bool:
    """Whether hardly one of the words looks like an everyday word of English, by its letters."""
    long = [word.lower() for word in words if len(word) >= _LONG and word.isalpha()]
    if not ENGLISH_ALONE.isdisjoint(long):
        return False
    english = sum(common_word(word) and not listed_name(word) for word in long)
    return len(long) >= _LEAST_LONG and english < _ENGLISH * len(long)


_HANDLE = frozenset("._@=#")
PARTICLES = listed("de del della di da do dos du la le van von der den el al bin ibn ten ter")
"""Small words that stand inside names: "Adenet Le Roi", "de Jong"."""
_INITIALS = 2
"""Capitals that may be somebody's initials beside a name."""
_LONG, _LEAST_LONG, _ENGLISH = 3, 2, 0.2
"""Of texts whose language is not told, half of those in Finnish, Hungarian, Turkish have no such word, one in ten of
those in English; of these the first word of a sentence is all that is lost, and only if no list has it."""
_GREEK = "\u0370"
_GLUE, _GLUE_BEHIND = frozenset(".-_(/@:;=#"), re.compile(r"[\-_@/;=]|\.\w")
"""What stands between the parts of handles, of file names and of lists: words there are no words of a sentence."""
_WORDS = 4
"""Words of a text without a small word of any language that is not taken for English."""
_FIRST = frozenset(
    ("Anda", "Jika", "Sandi", "Kata", "Nilai", "Anna", "Jos", "Kun", "Hei", "Bu", "Bir", "Lütfen", "Kérem", "Ha", "Ez")
)
"""Words of other languages that lists have as names."""
