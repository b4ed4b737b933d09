"""Does a word look like a given name, a family name, a place, or a common word? By its letters, and by public lists.

A word's letter n-grams are hashed into a small table of a linear model (fastText's idea: Joulin et al., 2016), so that
a name that is in no list still reads like one. The lists themselves are kept as 32-bit hashes: one in 30,000 other
words is taken for a member, which the head learns to live with.
"""

import math
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forebay_agents.redaction.detection.names.words import Matrix

BUCKETS = 1 << 13
CLASSES = 4
"""Given name, family name, place, common word."""
LISTS = 3
"""Given names, family names, places."""
_SIZES = (2, 3, 4, 5)
_COMMON = 0.5
_REMEMBERED = 50_000
"""Words whose features are kept."""
SHIPPED = Path(__file__).parent / "head.npz"
"""The head that is in the package, with its table and lists."""


def buckets(word: str) -> list[int]:
    """Table rows of the n-grams of ``word``."""
    data = f"^{word.lower()}$".encode("utf-8", "replace")
    return [
        zlib.crc32(data[at : at + size]) % BUCKETS for size in _SIZES for at in range(max(len(data) - size + 1, 0))
    ] or [0]


def hashed(words: Sequence[str]) -> NDArray[np.uint32]:
    """Sorted hashes of ``words``."""
    codes = {zlib.crc32(word.lower().encode("utf-8", "replace")) for word in words}
    return np.array(sorted(codes), np.uint32)


class Lexical:
    """The table and the lists.

    Args:
        table: (BUCKETS, CLASSES).
        lists: sorted hashes, one array a list.
    """

    def __init__(self, table: Matrix, lists: Sequence[NDArray[np.uint32]]) -> None:
        self._table = table
        self._lists = [frozenset(codes.tolist()) for codes in lists]
        self._known: dict[str, list[float]] = {}

    def features(self, word: str) -> list[float]:
        """Probabilities of the classes, then membership in the lists."""
        low = word.lower()
        known = self._known.get(low)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[low] = self._looked_up(low)
        return known

    def _looked_up(self, low: str) -> list[float]:
        rows = buckets(low)
        scores = [score / len(rows) for score in np.add.reduce(self._table[rows], axis=0).tolist()]
        # Four numbers: plain floats take a quarter of the time of arrays.
        most = max(scores)
        odds = [math.exp(score - most) for score in scores]
        total = sum(odds)
        code = zlib.crc32(low.encode("utf-8", "replace"))
        return [*(one / total for one in odds), *(float(code in members) for members in self._lists)]


def common_word(word: str) -> bool:
    """Whether ``word``, in lower case, is an everyday word: "may", "mark", "grace"."""
    return shipped().features(word)[CLASSES - 1] > _COMMON


def listed_name(word: str) -> bool:
    """Whether ``word`` is in a list of names or places."""
    return any(shipped().features(word)[CLASSES:])


@cache
def shipped() -> Lexical:
    """What is in the package."""
    with np.load(SHIPPED, allow_pickle=False) as weights:
        return Lexical(weights["table"].astype(np.float32), [weights[f"list{index}"] for index in range(LISTS)])
