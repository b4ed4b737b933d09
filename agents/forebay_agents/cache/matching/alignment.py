"""Do two questions mean the same beyond the words they share? Contextual word vectors, aligned and compared.

Two ideas carry the decision. *Alignment* (after BERTScore, Zhang et al. 2020): every word of one question looks for its
closest word in the other, and the worst-served content word tells what is missing. *Remainder*: words that both
questions share are taken out, and the mean contextual vectors of what is left are compared. Near-duplicates that differ
in one decisive word and paraphrases without a common word have much the same cosine of sentences; their remainders lie
far apart and close together. On hand-written medical pairs the remainder alone ranks with an area under the curve of
0.95 where the cosine has 0.79 (docs/explanation/cache.md).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from forebay_agents.cache.language.spelling_variants import slipped
from forebay_agents.cache.language.words import Rank, Word, weight
from forebay_agents.embeddings import Encoded

Matrix = NDArray[np.float32]

MAX_WORDS = 64
"""Words beyond are not aligned: the cost is quadratic, and the sentence's vector still covers them."""
_FUNCTION_WEIGHT, _CONTENT_WEIGHT = 0.15, 0.4
"""Least weight of a word that joins, and of one that names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Aligned:
    """One question ready to be aligned.

    Attributes:
        stems: of its first words.
        words: the same as typed, lower-cased.
        odd: whether a word is too rare to have a rank: a name, a term, or a slip of the finger.
        content: which of them are content words.
        told: how much each tells.
        weights: the same as a vector.
        vectors: unit vectors, one row a word.
    """

    stems: tuple[str, ...]
    words: tuple[str, ...]
    odd: tuple[bool, ...]
    content: tuple[bool, ...]
    told: tuple[float, ...]
    weights: Matrix
    vectors: Matrix


def word_vectors(words: Sequence[Word], encoded: Encoded) -> Matrix:
    """Mean of the pieces of each of the first words, shape (n, 384); zero for words that the encoder cut off."""
    kept = words[:MAX_WORDS]
    parts = np.zeros((len(kept), len(encoded.spans)), np.float32)
    piece, spans = 0, encoded.spans
    for row, word in enumerate(kept):
        while piece < len(spans) and spans[piece][1] <= word.start:
            piece += 1
        last = piece
        while last < len(spans) and spans[last][0] < word.end:
            last += 1
        if last > piece:
            parts[row, piece:last] = 1.0 / (last - piece)
            piece = last
    rows: Matrix = parts @ encoded.pieces  # one product: a mean for each word costs more than the rest of the reading
    return rows


def aligned(words: Sequence[Word], vectors: Matrix, rank: Rank) -> Aligned:
    """Prepare words and their vectors (see :func:`word_vectors`) for comparison."""
    kept = words[: len(vectors)]
    vectors = vectors[: len(kept)]
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    told = tuple((_CONTENT_WEIGHT + weight(w.lower, rank)) if w.content else _FUNCTION_WEIGHT for w in kept)
    return Aligned(
        stems=tuple(word.stem for word in kept),
        words=tuple(word.lower for word in kept),
        odd=tuple(_odd(word.lower, rank) for word in kept),
        content=tuple(word.content for word in kept),
        told=told,
        weights=np.array(told, np.float32),
        vectors=vectors / np.maximum(norms, 1e-6),
    )


@lru_cache(maxsize=65_536)
def _odd(word: str, rank: Rank) -> bool:
    return rank(word) is None and word.isalpha()


FEATURES = (
    "remainder", "remainder_told", "shared_context", "unshared", "unshared_least", "unshared_most", "worst_least",
    "worst_most", "joining", "naming",
)  # fmt: skip
"""Names of what :func:`compare` returns, in order; all are higher for questions that mean the same."""


def compare(a: Aligned, b: Aligned) -> tuple[tuple[float, ...], Matrix]:
    """The alignment of two questions, as numbers named by :data:`FEATURES`, and by direction.

    The second are the products of what is left of both, coordinate by coordinate: they sum to ``remainder_told``, and
    let the model learn which directions of the space matter.
    """
    if not a.stems or not b.stems:
        return (0.0,) * len(FEATURES), np.zeros(a.vectors.shape[1], np.float32)
    cosines = a.vectors @ b.vectors.T
    # Questions are short: plain lists are several times as fast as arrays of ten numbers.
    best_a, best_b = cosines.max(axis=1).tolist(), cosines.max(axis=0).tolist()
    left_a, left_b = _left(a, b)
    told_a, told_b = _both(left_a, a.content), _both(left_b, b.content)
    all_a, all_b = sum(best_a) / len(best_a), sum(best_b) / len(best_b)
    named = sorted((_mean(best_a, told_a, 1.0), _mean(best_b, told_b, 1.0)))
    worst = sorted((_least(best_a, a.content), _least(best_b, b.content)))
    plain, told = (_alike(x, y) for x, y in zip(_centres(a, left_a), _centres(b, left_b), strict=True))
    nothing_left = not any(left_a) and not any(left_b)
    joins_a, joins_b = [not content for content in a.content], [not content for content in b.content]
    numbers = (
        1.0 if nothing_left else float(plain.sum()),
        1.0 if nothing_left else float(told.sum()),
        _shared_context(a, b, cosines.tolist()),
        _mean(best_a + best_b, left_a + left_b, 1.0),
        *named,
        *worst,
        min(_mean(best_a, joins_a, all_a), _mean(best_b, joins_b, all_b)),
        min(_mean(best_a, a.content, all_a), _mean(best_b, b.content, all_b)),
    )
    return numbers, told


def _left(a: Aligned, b: Aligned) -> tuple[list[bool], list[bool]]:
    """Which words of each the other lacks; a rare word and what a slip of the finger made of it are shared."""
    in_a, in_b = set(a.stems), set(b.stems)
    left_a, left_b = [stem not in in_b for stem in a.stems], [stem not in in_a for stem in b.stems]
    theirs = [column for column, left in enumerate(left_b) if left]
    for row, left in enumerate(left_a):
        if left:
            for column in theirs:
                if (a.odd[row] or b.odd[column]) and slipped(a.words[row], b.words[column]):
                    left_a[row] = left_b[column] = False
    return left_a, left_b


def _centres(one: Aligned, left: list[bool]) -> Matrix:
    """Sums of what is left, plain and by what words tell, in two rows; with nothing left, of the whole."""
    chosen = np.array(left if any(left) else [True] * len(left), np.float32)
    return np.stack([chosen, chosen * one.weights]) @ one.vectors


def _shared_context(a: Aligned, b: Aligned, cosines: list[list[float]]) -> float:
    """How alike the content words that both share are in their contexts."""
    places: dict[str, list[int]] = {}
    for column, stem in enumerate(b.stems):
        places.setdefault(stem, []).append(column)
    found = [
        max(cosines[row][column] for column in places[stem])
        for row, stem in enumerate(a.stems)
        if a.content[row] and stem in places
    ]
    return sum(found) / len(found) if found else sum(map(sum, cosines)) / (len(a.stems) * len(b.stems))


def _both(one: Sequence[bool], other: Sequence[bool]) -> list[bool]:
    return [first and second for first, second in zip(one, other, strict=True)]


def _mean(values: list[float], chosen: Sequence[bool], default: float) -> float:
    taken = list(compress(values, chosen))
    return sum(taken) / len(taken) if taken else default


def _least(values: list[float], chosen: Sequence[bool]) -> float:
    return min(compress(values, chosen), default=min(values))


def _alike(x: Matrix, y: Matrix) -> Matrix:
    """Products of the coordinates of two vectors made unit: they sum to the cosine."""
    return x * y / max(math.sqrt(float(x @ x) * float(y @ y)), 1e-6)
