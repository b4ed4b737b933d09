"""Which words stand near a finding? Each is looked for once in a text, however many findings ask for it.

A window around every finding costs its length times the words. That is cheap for a few findings; a text that has one in
every eight characters would be read a dozen times by each rule. So from some questions on all places of the words are
noted, and what is near is looked up.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

_LONGEST = 32
"""Characters of the longest word or phrase."""
_WINDOW = 256
"""Characters that a question may cost as long as nothing is noted. It takes some 96: what was asked before everything
is noted costs less than that."""


@lru_cache(maxsize=1024)
def words(alternatives: str) -> re.Pattern[str]:
    """Pattern of ``alternatives``, in which each word says its first letter before it asks for a border (``\\b``).

    Python's engine passes over what none of the alternatives begins with, at 5 ns a character, as long as each of them
    begins with a letter; with a border in front of one of them it tries all at each character, for 150 ns. So
    ``\\bcall`` becomes "a c, before which there is no part of a word, and all".
    """
    free, bordered = [], []
    for part in _split(alternatives):
        word = part.removeprefix(r"\b")
        if word == part:
            free.append(part)
        elif word[0].isalnum() and not word[1:].startswith(("?", "*", "+", "{")):
            bordered.append(rf"{word[0]}(?<!\w{word[0]}){word[1:]}")
        else:
            bordered.append(part)
    return re.compile("|".join([*free, *bordered]))


def unmarked(pattern: str) -> str:
    """``pattern`` without signs above and below letters that stand by themselves: texts are read without them."""
    return "".join(char for char in pattern if unicodedata.category(char) != "Mn")


def _split(alternatives: str) -> list[str]:
    """Alternatives of the top level."""
    parts, depth, at = [""], 0, 0
    while at < len(alternatives):
        size = 1
        if alternatives[at] == "\\":
            size = 2
        elif alternatives[at] == "[":
            size = alternatives.index("]", at + 2) + 1 - at
        depth += {"(": 1, ")": -1}.get(alternatives[at], 0)
        if alternatives[at] == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += alternatives[at : at + size]
        at += size
    return parts


class Places:
    """Where words of a text stand.

    Args:
        pattern: of the words.
        low: the text in lower case.
    """

    def __init__(self, pattern: re.Pattern[str], low: str) -> None:
        self._pattern = pattern
        self._low = low
        self._questions = 0
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._cut: dict[tuple[bool, str], bool] = {}

    def ends(self, low: int, high: int) -> Sequence[int]:
        """Ends of the words that ``pattern.finditer(text, low, high)`` finds, in order."""
        text, starts = self._low, self._starts
        if not starts:
            self._questions += 1
            if self._questions * _WINDOW < len(text):
                return [match.end() for match in self._pattern.finditer(text, low, high)]
            found = everywhere(self._pattern, text, 0, len(text))
            starts = self._starts = [*(start for start, _ in found), len(text)]
            self._ends = [end for _, end in found]
        place = bisect_left(starts, low)
        before = text[high - 1] if high else " "
        cut = (before.isalnum() or before == "_") and high < len(text) and _in_word(text[high])
        if starts[place] >= high and not cut:
            return ()
        ends, done = [], low
        while starts[place] < high:
            if starts[place] >= done and self._ends[place] <= high:
                done = self._ends[place]
                ends.append(done)
            place += 1
        # Cut there, a word may be another one.
        if cut and self._ends_with_one(max(done, high - _LONGEST), high):
            ends.append(high)
        return ends

    def _ends_with_one(self, low: int, high: int) -> bool:
        """Whether a word ends at ``high``; of a text that is one piece over and over, the same is asked each time."""
        piece = low == 0, self._low[max(0, low - 1) : high]  # one character more: a border may be asked for
        if piece not in self._cut:
            cut = everywhere(self._pattern, self._low, low, high)
            self._cut[piece] = any(end == high for _, end in cut)
        return self._cut[piece]


def _in_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def everywhere(pattern: re.Pattern[str], text: str, low: int, high: int) -> list[tuple[int, int]]:
    """Start and end of whatever ``pattern`` finds, also of what begins in another one."""
    found = []
    while match := pattern.search(text, low, high):
        found.append(match.span())
        low = match.start() + 1
    return found
