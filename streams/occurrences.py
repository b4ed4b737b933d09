"""Where in a text is one of many values, as whole words? One pass, however many values there are."""

import re
from collections.abc import Collection, Iterator

_TOKEN = re.compile(r"\w+")


class Occurrences:
    """Finds values exactly as they are written, but not inside a longer word or number.

    Args:
        values: those without a letter or digit are never found.
    """

    def __init__(self, values: Collection[str]) -> None:
        self._values = frozenset(values)
        self._places: dict[str, set[tuple[int, int]]] = {}
        for value in self._values:
            first = _TOKEN.search(value)
            if first:
                # By first word: how far in it is, and how long the value is. A dictionary instead of one big
                # alternation, which would try every value at every place.
                self._places.setdefault(first[0], set()).add((first.start(), len(value)))

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each; the longest of several that begin at one word."""
        if not self._places:
            return
        done = 0
        for token in _TOKEN.finditer(text):
            places = self._places.get(token[0])
            if places is None or token.start() < done:
                continue
            for offset, length in sorted(places, key=lambda place: -place[1]):
                start = token.start() - offset
                end = start + length
                if start >= 0 and text[start:end] in self._values and not _inside(text, end):
                    done = end
                    yield start, end
                    break


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
