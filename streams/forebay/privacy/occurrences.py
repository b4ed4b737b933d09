"""Where in a text is one of many values, as whole words? One pass, however many values there are, and however alike."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge

_TOKEN = re.compile(r"\w+")


class Occurrences:
    """Finds values in whatever case they are written, but not inside a longer word or number.

    A value of letters alone is not found in lower case, unless it is so itself: "Mark" is a name, "mark" a word.

    Args:
        values: those without a letter or digit are never found.
        any_case: find a value of letters alone in lower case too.
    """

    def __init__(self, values: Collection[str], *, any_case: bool = False) -> None:
        self._exact = frozenset(values)
        self._any_case = any_case
        # By first word, then by what stands before that in a value. A dictionary instead of one big alternation, which
        # would try every value at every place.
        self._begun: dict[str, dict[str, list[str]]] = {}
        for value in sorted(map(same_case, self._exact)):
            first = _TOKEN.search(value)
            if first:
                leads = self._begun.setdefault(first[0], {})
                leads.setdefault(value[: first.start()], []).append(value[first.start() :])
        self._longest = max(map(len, self._exact), default=0)

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each; the longest of several that begin at one word."""
        if not self._begun:
            return
        done = 0
        low = same_case(text)
        for token in _TOKEN.finditer(low):
            leads = self._begun.get(token[0])
            if leads is None or token.start() < done:
                continue
            for start, end in self._at(low, token.start(), leads):
                if self._meant(text[start:end], end, text):
                    done = end
                    yield start, end
                    break

    def _at(self, low: str, place: int, leads: Mapping[str, Sequence[str]]) -> Iterator[tuple[int, int]]:
        """Start and end of the values whose first word is at ``place``, the longest first."""
        text = low[place : place + self._longest]
        fitting = [
            _places(place - len(lead), place, beginning(rests, text))
            for lead, rests in leads.items()
            if place >= len(lead) and low.startswith(lead, place - len(lead))
        ]
        return fitting[0] if len(fitting) == 1 else merge(*fitting, key=lambda found: found[0] - found[1])

    def _meant(self, written: str, end: int, text: str) -> bool:
        if not self._any_case and written not in self._exact and written.isalpha() and written.islower():
            return False
        return not _inside(text, end)


def _places(start: int, place: int, rests: Iterable[str]) -> Iterator[tuple[int, int]]:
    for rest in rests:
        yield start, place + len(rest)


def beginning(values: Sequence[str], text: str) -> Iterator[str]:
    """Which of ``values``, which are in order, ``text`` begins with, the longest first.

    Whatever begins ``text`` stands before it in the order, and all between the two begin with it as well: so each step
    finds one, or tells how much of ``text`` need not be looked at any more. Trying every length that a value has took
    eighty times as long for three hundred addresses that begin alike.
    """
    while text and (index := bisect_right(values, text) - 1) >= 0:
        nearest = values[index]
        if text.startswith(nearest):
            yield nearest
            text = nearest[:-1]
        else:
            text = text[: common_start(text, nearest)]


def common_start(one: str, other: str) -> int:
    """Characters with which both begin."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def same_case(text: str) -> str:
    """``text`` in lower case, of the same length."""
    # The one character whose lower case is longer: an i, and its dot as a mark.
    return text.replace("İ", "i").lower()


def telling(value: str) -> bool:
    """Whether finding ``value`` in a text tells something: "Ann" or "42 Elm St" does, the lower-case word "may" not."""
    return sum(map(str.isalnum, value)) >= _LEAST and not (value.islower() and value.isalpha())


_LEAST = 3
"""Letters and digits from which a value can be told from chance."""


def _inside(text: str, end: int) -> bool:
    """Whether a word goes on at ``end``."""
    return end < len(text) and _word(text[end - 1]) and _word(text[end])


def _word(char: str) -> bool:
    return char.isalnum() or char == "_"
