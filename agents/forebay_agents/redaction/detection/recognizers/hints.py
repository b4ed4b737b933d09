"""Which of the words that rules wait for does a text have? Found in one look at it, for all rules of all recognisers.

There are over a thousand such hints, and a text of eighty characters has four. To ask for each took a twentieth of
redaction, mostly to bring them back into the processor's cache; here the text's characters, pairs and triples are
looked up among the beginnings of all hints.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from itertools import pairwise

_HEAD = 3
"""Characters of a beginning: few texts have those of hints that they do not have."""


class Hints:
    """Hints, in lower case.

    Args:
        hints: all of them.
        parts: that these are made of: who asks a text for one of those can be answered from all.
    """

    def __init__(self, hints: Iterable[str], parts: Iterable["Hints"] = ()) -> None:
        self.all = frozenset(hints)
        self._parts = frozenset(parts)
        self._every = _Table(self.all)
        self._ascii = _Table(hint for hint in self.all if hint.isascii())

    @classmethod
    def together(cls, parts: Iterable["Hints"]) -> "Hints":
        """All of ``parts``."""
        parts = list(parts)
        return cls((hint for part in parts for hint in part.all), parts)

    def cover(self, other: "Hints") -> bool:
        """Whether ``other`` is these, or a part of them."""
        return other is self or other in self._parts

    def among(self, low: str) -> AbstractSet[str]:
        """Those that are somewhere in ``low``, a text in lower case."""
        return (self._ascii if low.isascii() else self._every).among(low)


class _Table:
    """Hints by their beginning: a third of them is in ASCII, and so small a table stays in the processor's cache."""

    def __init__(self, hints: Iterable[str]) -> None:
        self._singles: set[str] = set()
        self._pairs: dict[tuple[str, ...], str] = {}
        self._heads: dict[tuple[str, ...], list[str]] = {}
        for hint in hints:
            if len(hint) >= _HEAD:
                self._heads.setdefault(tuple(hint[:_HEAD]), []).append(hint)
            elif len(hint) > 1:
                self._pairs[tuple(hint)] = hint
            else:
                self._singles.add(hint)
        self._two, self._three = frozenset(self._pairs), frozenset(self._heads)

    def among(self, low: str) -> set[str]:
        """See :meth:`Hints.among`."""
        found = self._singles.intersection(low)
        for pair in self._two.intersection(pairwise(low)):
            found.add(self._pairs[pair])
        for head in self._three.intersection(zip(low, low[1:], low[2:], strict=False)):
            for hint in self._heads[head]:
                if hint in low:
                    found.add(hint)
        return found


NONE = Hints(())
