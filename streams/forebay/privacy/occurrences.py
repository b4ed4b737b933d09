"""Where in a text is one of many values, as whole words? One pass, however many values there are."""

import re
from collections.abc import Collection, Iterator

_TOKEN = re.compile(r"\w+")


class Occurrences:
    """Finds values in whatever case they are written, but not inside a longer word or number.

    A value of letters alone is not found in lower case, unless it is so itself: "Mark" is a name, "mark" a word.

    Args:
        values: those without a letter or digit are never found.
    """

    def __init__(self, values: Collection[str]) -> None:
        self._exact = frozenset(values)
        self._values = frozenset(map(same_case, values))
        self._places: dict[str, set[tuple[int, int]]] = {}
        for value in self._values:
            first = _TOKEN.search(same_case(value))
            if first:
                # By first word: how far in it is, and how long the value is. A dictionary instead of one big
                # alternation, which would try every value at every place.
                self._places.setdefault(first[0], set()).add((first.start(), len(value)))

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each; the longest of several that begin at one word."""
        if not self._places:
            return
        done = 0
        low = same_case(text)
        for token in _TOKEN.finditer(low):
            places = self._places.get(token[0])
            if places is None or token.start() < done:
                continue
            for offset, length in sorted(places, key=lambda place: -place[1]):
                start = token.start() - offset
                end = start + length
                if start >= 0 and low[start:end] in self._values and self._meant(text[start:end], end, text):
                    done = end
                    yield start, end
                    break

    def _meant(self, written: str, end: int, text: str) -> bool:
        other_case = written not in self._exact and written.isalpha() and written.islower()
        return not other_case and not _inside(text, end)


def same_case(text: str) -> str:
    """``text`` in lower case, of the same length."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(char.lower()[:1] for char in text)


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
