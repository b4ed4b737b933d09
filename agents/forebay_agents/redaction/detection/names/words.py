"""What are the words of a text, and what do they look like from outside? Shapes, cues, and what stands between them.

The encoder reads text in lower case and knows nothing of line breaks: capitals, digits, colons and neighbours like "mr"
or "street" are told to the head here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

_CJK = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_MARKS = "\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0df3"
"""Signs above and below letters, and the blocks of India's scripts, where vowels are such signs."""
_LETTER = rf"(?:(?![{_CJK}])[^\W_]|[{_MARKS}])"
WORD = re.compile(rf"[{_CJK}]|{_LETTER}+(?:['’](?!s\b){_LETTER}+)*")
"""A word: letters and digits, inner apostrophes; a possessive s apart. Scripts without blanks: each character."""

SHAPES = 24
"""Features of a word by itself."""
GAPS = 16
"""Features of what stands before and after it."""


def listed(text: str) -> frozenset[str]:
    """The words of ``text``."""
    return frozenset(text.split())


_TITLES = listed(
    "mr mrs ms miss dr prof professor sir madam lord lady judge rev sgt capt captain president king queen saint"
)
_NAMING = listed(
    "name names named call called calling dear hi hey hello thanks thank regards sincerely signed by from contact user "
    "patient customer client employee author guest caller tenant cardholder beneficiary am i'm im is it's this mother "
    "father wife husband son daughter brother sister friend mom dad uncle aunt boss colleague under behalf tell ask "
    "with"
)
_PLACING = listed(
    "in at from near to live lives living born city town country state county street address moved travel flight visit "
    "around north south east west hotel train located based region province capital village zip postcode destination"
)
_STREET = listed(
    "street st road rd avenue ave lane ln drive blvd boulevard court ct place pl square way terrace close crescent "
    "parkway highway hwy circle apt suite unit flat floor building straße strasse rue calle via avenida weg platz plaza"
)
CALENDAR = listed(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun"
)
_FIRM = listed(
    "inc ltd llc gmbh plc corp co company group bank university college school hospital fc club ag sa bv team"
)
EVERYDAY = listed(
    "the a an and or but if of to in on at for with from by as is are was were be been am do does did have has had "
    "not no "
    "i you he she it we they me him her us them my your his its our their this that these those what which who when "
    "where "
    "why how can could will would shall should may might must there here so very just also too than then now please "
    "thanks "
    "yes ok get got go need want make made know like see say said new more some any all one two first last after before"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The words of a text: their places, and themselves."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    words: tuple[str, ...]


def split(text: str) -> Words:
    """The words of ``text``."""
    matches = list(WORD.finditer(text))
    return Words(
        starts=np.array([match.start() for match in matches], np.int64),
        ends=np.array([match.end() for match in matches], np.int64),
        words=tuple(match[0] for match in matches),
    )


def shape(word: str) -> list[float]:
    """What ``word`` looks like by itself."""
    low = word.lower()
    digits = sum(map(str.isdigit, word))
    letters = len(word) - digits
    lower = word == low
    return [
        float(word[0].isupper() and word[1:].islower()),
        float(len(word) > 1 and word.isupper()),
        float(lower and letters > 0),
        float(not lower and not word.isupper() and not word.istitle()),
        float(len(word) == 1 and word.isupper()),
        float(digits > 0),
        float(letters == 0),
        float(letters == 0 and len(word) in (4, 5)),
        float(digits > 0 and letters > 0),
        min(len(word), 12) / 12,
        float(len(word) <= 2),
        float("'" in word or "’" in word),
        float(not word.isascii()),
        float(not word.isascii() and ord(max(word)) > 0x250),
        float(low in _TITLES),
        float(low in _NAMING),
        float(low in _PLACING),
        float(low in _STREET),
        float(low in CALENDAR),
        float(low in _FIRM),
        float(low in EVERYDAY),
        float(low.endswith(("ing", "ed", "ly", "tion", "ness", "able"))),
        float(low.endswith(("s", "es"))),
        float(lower and len(word) > 1 and low not in EVERYDAY),
    ]


def gaps(text: str, words: Words) -> Matrix:
    """What stands before and after each word: ``GAPS`` numbers a word."""
    count = len(words.words)
    if not count:
        return np.zeros((0, GAPS), np.float32)
    ends, starts = words.ends.tolist(), words.starts.tolist()
    between = [_gap(text[end:start], False) for end, start in zip(ends, starts[1:], strict=False)]
    before = [_gap(text[: starts[0]], True), *between]
    after = [*between, _gap(text[ends[-1] :], True)]
    rows = b"".join([part for one, two in zip(before, after, strict=True) for part in (one[0], two[1])])
    return np.frombuffer(rows, np.float32).reshape(count, GAPS)


def _gap(gap: str, edge: bool) -> tuple[bytes, bytes]:
    """What ``gap`` is to the word behind it, and to the one before it: as bytes of a row of the matrix."""
    if len(gap) > _LONGEST_GAP:
        return _read_gap.__wrapped__(gap, edge)
    return _read_gap(gap, edge)


@lru_cache(maxsize=4096)
def _read_gap(gap: str, edge: bool) -> tuple[bytes, bytes]:
    found = np.array(
        [
            float(edge),
            float("\n" in gap),
            float("," in gap),
            float(any(char in gap for char in ":=\t|;")),
            float(any(char in gap for char in ".!?…")),
            float(any(char in gap for char in "\"'“”‘’`")),
            float(gap == "-" or gap == ""),
            float("@" in gap),
            float("#" in gap),
            float(any(char in gap for char in "()[]{}<>/\\")),
        ],
        np.float32,
    )
    return found.tobytes(), found[:6].tobytes()


_LONGEST_GAP = 8


def of_text(words: Sequence[str]) -> list[float]:
    """Features of a whole text: its casing and length."""
    sample = words[:200]
    alphabetic = [word for word in sample if word[0].isalpha()] or ["x"]
    count = len(alphabetic)
    return [
        sum(word.isupper() and len(word) > 1 for word in alphabetic) / count,
        sum(word[0].isupper() for word in alphabetic) / count,
        sum(word.islower() for word in alphabetic) / count,
        min(len(words), 100) / 100,
        float(len(words) <= 3),
        float(sum(not word[0].isalpha() for word in sample) / max(len(sample), 1)),
    ]


OF_TEXT = 6
