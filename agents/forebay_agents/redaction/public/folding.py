"""When are two spellings one name? Without regard to case, accents, hyphens and the endings of cases.

An ending is only tried where the word itself is in no list, and in the languages that decline names; what is made up by
trying has to be in a list to count, so that a wrong guess finds nothing.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b

TOKEN = re.compile(r"[^\W_]+")
"""A word or a number; hyphens and apostrophes stand between two."""
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "ß": "ss", "ı": "i", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
_REMEMBERED = 20_000


@lru_cache(maxsize=_REMEMBERED)
def fold(text: str) -> str:
    """``text`` as it is compared: one case, no accents."""
    low = unicodedata.normalize("NFKC", text).casefold()
    if low.isascii():
        return low
    plain = unicodedata.normalize("NFD", low.translate(_LETTERS))
    return "".join(char for char in plain if not unicodedata.combining(char))


def key(text: str) -> str:
    """The words of ``text``, folded, with one blank between two."""
    return " ".join(TOKEN.findall(fold(text)))


def code(words: str) -> int:
    """32 bits that stand for a key in the lists."""
    return int.from_bytes(blake2b(words.encode("utf-8", "replace"), digest_size=4).digest(), "big")


def _pairs(endings: str) -> tuple[tuple[str, str], ...]:
    """``ending>nominative``, with blanks between."""
    return tuple((ending, nominative) for ending, _, nominative in (pair.partition(">") for pair in endings.split()))


_ENDINGS = {
    "de": _pairs("s> es> ns>n sche> schen> scher> sches> schem>"),
    "nl": _pairs("s>"),
    "tr": _pairs("in> un> da> de> ta> te> dan> den> ya> ye> nin> nun> i> u> a> e>"),
    "pl": _pairs(
        "ji>ja ii>ia y>a i>a e>a a> u> em> owi> ie> ie>a ce>ka dze>ga ze>ra ia>ien iu> ech>y ach>y ego>i "
        "iego>i cie>ta dzie>da dzie>d ej>a a>o u>o ka>ek iej>a ra>er"
    ),
    "ru": _pairs(
        "ии>ия ию>ия иеи>ия и>я и>а ы>а е>а у>а ои>а а> у> ом> е> я>ь и>ь ю>ь ем>ь я>и ю>и е>и ого>ии "
        "ого>ои ому>ои ому>ии ым>ои ом>ои ым> и> е>о ои>ая ю>я е>я ам>ы ах>ы ца>ец"
    ),
}
"""By language: an ending, and what stands in its place when somebody is called by name. Folded."""
_LEAST = 3


def uninflected(word: str, language: str) -> Iterator[str]:
    """What a folded ``word`` of ``language`` may be in a list."""
    for ending, nominative in _ENDINGS.get(language, ()):
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST:
            yield word[: len(word) - len(ending)] + nominative
