"""What is cheaply known of a text? Where its numbers are and how long, its lower case, where a word stands.

Made once for a text and shared by all recognisers: with it most patterns are skipped on most texts.
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from forebay.privacy.occurrences import same_case
from forebay_agents.redaction.detection.recognizers.hints import NONE, Hints
from forebay_agents.redaction.detection.recognizers.nearby import Places, everywhere
from forebay_agents.redaction.detection.windows import SIZE, first

_GAP = 8
"""Characters between digits of one number, at most: "GB82 WEST 1234"."""
_MARGIN = 100
"""Characters around an anchor in which a pattern is tried: longer than any label that a pattern begins with."""
_DIGITS = re.compile(r"[0-9]+")
CLUSTER = 6
"""Digits of the shortest national identifier."""
_RUN = re.compile(r"[\w\-]{12,}")
_MIXED = re.compile(r"(?<![a-z0-9])(?=[a-z]{0,16}[0-9])(?=[0-9]{0,16}[a-z])[a-z0-9]{7,20}(?![a-z0-9])")

_SHAPES = "".join(
    "9" if c.isdigit() else "A" if c.isupper() else "a" if c.islower() else c for c in map(chr, range(128))
)

Region = tuple[int, int]
"""Start and end."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is cheaply known of a text; made once for all recognisers.

    Attributes:
        piece: characters that are searched at once (:mod:`forebay_agents.redaction.detection.windows`).
        hints: of all recognisers that are asked.
    """

    text: str
    piece: int = SIZE
    hints: Hints = NONE

    @cached_property
    def clusters(self) -> list[tuple[int, int, int]]:
        """Start, end and digits of everything that might be one number."""
        found: list[tuple[int, int, int]] = []
        for match in _DIGITS.finditer(self.text):
            start, end = match.span()
            if found and start - found[-1][1] <= _GAP:
                first, _, count = found[-1]
                found[-1] = (first, end, count + end - start)
            else:
                found.append((start, end, end - start))
        return found

    @cached_property
    def digits(self) -> int:
        """Digits of the longest number."""
        return max((count for _, _, count in self.clusters), default=0)

    @cached_property
    def run(self) -> int:
        """Characters of the longest word, if it has twelve: a key has, and few words of prose."""
        return max(map(len, _RUN.findall(self.text)), default=0)

    @cached_property
    def low(self) -> str:
        """In lower case, of the same length."""
        return same_case(self.text)

    def shaped(self, shapes: Sequence[str]) -> bool:
        """Whether one of ``shapes`` is in it: see :class:`forebay_agents.redaction.detection.recognizers.rules.Rule`.

        Beyond ASCII that cannot be told: always.
        """
        shape = self._shape
        for one in shapes:
            if one in shape:
                return True
        return not shape

    @cached_property
    def _shape(self) -> str:
        if not self.text.isascii():
            return ""
        cased = self.text.translate(_SHAPES)
        low = cased.lower()
        return "\n".join((cased, low, low.replace("9", "w").replace("a", "w")))

    def said(self, hints: Hints) -> AbstractSet[str]:
        """Which of ``hints`` the text has; it may have others of :attr:`hints`, too."""
        return self._said if self.hints.cover(hints) else hints.among(self.low)

    @cached_property
    def _said(self) -> AbstractSet[str]:
        return self.hints.among(self.low)

    def numbers(self, digits: int) -> list[Region]:
        """Where numbers of at least ``digits`` digits are, with room around them."""
        found = self._numbers.get(digits)
        if found is None:
            places = [(start, end) for start, end, count in self.clusters if count >= digits]
            found = self._numbers[digits] = self._widened(places, _MARGIN)
        return found

    @cached_property
    def _numbers(self) -> dict[int, list[Region]]:
        """What was asked before: sixty rules ask for a dozen lengths."""
        return {}

    def places(self, words: re.Pattern[str]) -> Places:
        """Where ``words`` stand in the lower-case text."""
        found = self._places.get(id(words))  # a pattern's own hash is made of all its code, each time
        if found is None:
            found = self._places[id(words)] = Places(words, self.low)
        return found

    @cached_property
    def _places(self) -> dict[int, Places]:
        """What was asked before: many rules have the same words."""
        return {}

    def leads(self, pattern: re.Pattern[str]) -> dict[int, int]:
        """End to last start of all that ``pattern`` finds in the lower-case text, also in one another."""
        found = self._leads.get(id(pattern))
        if found is None:
            places = everywhere(pattern, self.low, 0, len(self.low))
            found = self._leads[id(pattern)] = {end: start for start, end in places}
        return found

    @cached_property
    def _leads(self) -> dict[int, dict[int, int]]:
        return {}

    @cached_property
    def mixed(self) -> frozenset[Region]:
        """Regions of longer numbers in which letters stand among the digits."""
        if not self.shaped(("a9", "9a")):
            return frozenset()
        return frozenset(region for region in self.numbers(CLUSTER) if first(_MIXED, self.low, *region))

    def hinted(self, hints: Sequence[str], reach: int) -> list[Region]:
        """Where one of ``hints`` is, with room before and ``reach`` characters after it."""
        low, found = self.low, []
        for hint in hints:
            at = low.find(hint)
            while at >= 0:
                start, size = at, len(hint)
                # Those whose regions meet are one: a text may consist of hints, and the last of them is enough.
                while (further := low.rfind(hint, at + 1, at + size + reach + _MARGIN + size)) > 0:
                    at = further
                found.append((start, at + size))
                at = low.find(hint, at + 1)
        return self._widened(sorted(found), reach)

    def _widened(self, places: list[Region], after: int) -> list[Region]:
        text, regions = self.text, []  # type: str, list[Region]
        for start, end in places:
            low, high = max(0, start - _MARGIN), min(len(text), end + after)
            if regions and low <= regions[-1][1]:
                regions[-1] = (regions[-1][0], max(high, regions[-1][1]))
            else:
                regions.append((low, high))
        return [(self._edge(low), high) for low, high in regions]

    def _edge(self, low: int) -> int:
        """A place at or before ``low`` where no word is cut, unless the word is very long."""
        for at in range(low, max(0, low - 40), -1):
            if self.text[at - 1].isspace():
                return at
        return max(0, low - 40)
