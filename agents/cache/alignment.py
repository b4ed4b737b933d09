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

import numpy as np
from numpy.typing import NDArray

from agents.cache.namesakes import slipped
from agents.cache.words import Rank, Word, weight
from streams.encoder import Encoded

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
        weights: how much each tells.
        vectors: unit vectors, one row a word.
    """

    stems: tuple[str, ...]
    words: tuple[str, ...]
    odd: tuple[bool, ...]
    content: NDArray[np.bool_]
    weights: Matrix
    vectors: Matrix


def word_vectors(words: Sequence[Word], encoded: Encoded) -> Matrix:
    """Mean of the pieces of each of the first words, shape (n, 384); zero for words that the encoder cut off."""
    kept = words[:MAX_WORDS]
    rows = np.zeros((len(kept), encoded.pieces.shape[1]), np.float32)
    piece, spans = 0, encoded.spans
    for row, word in enumerate(kept):
        while piece < len(spans) and spans[piece][1] <= word.start:
            piece += 1
        last = piece
        while last < len(spans) and spans[last][0] < word.end:
            last += 1
        if last > piece:
            rows[row] = encoded.pieces[piece:last].mean(axis=0)
            piece = last
    return rows


def aligned(words: Sequence[Word], vectors: Matrix, rank: Rank) -> Aligned:
    """Prepare words and their vectors (see :func:`word_vectors`) for comparison."""
    kept = words[: len(vectors)]
    vectors = vectors[: len(kept)]
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return Aligned(
        stems=tuple(word.stem for word in kept),
        words=tuple(word.lower for word in kept),
        odd=tuple(rank(word.lower) is None and word.lower.isalpha() for word in kept),
        content=np.array([word.content for word in kept], bool),
        weights=np.array(
            [(_CONTENT_WEIGHT if word.content else _FUNCTION_WEIGHT) + _tells(word, rank) for word in kept], np.float32
        ),
        vectors=vectors / np.maximum(norms, 1e-6),
    )


def _tells(word: Word, rank: Rank) -> float:
    return weight(word.lower, rank) if word.content else 0.0


FEATURES = (
    "remainder", "remainder_told", "shared_context", "unshared", "unshared_least", "unshared_most", "worst_least",
    "worst_most", "joining", "naming",
)  # fmt: skip
"""Names of what :func:`compare` returns, in order; all are higher for questions that mean the same."""


def compare(a: Aligned, b: Aligned) -> tuple[float, ...]:
    """The alignment of two questions, as numbers named by :data:`FEATURES`."""
    if not a.stems or not b.stems:
        return (0.0,) * len(FEATURES)
    cosines = a.vectors @ b.vectors.T
    best_a, best_b = cosines.max(axis=1), cosines.max(axis=0)
    in_a, in_b = set(a.stems), set(b.stems)
    left_a = np.array([stem not in in_b for stem in a.stems])
    left_b = np.array([stem not in in_a for stem in b.stems])
    _pair_slips(a, b, left_a, left_b)
    unshared = _mean(np.concatenate([best_a[left_a], best_b[left_b]]), 1.0)
    named = sorted((_mean(best_a[left_a & a.content], 1.0), _mean(best_b[left_b & b.content], 1.0)))
    worst = sorted((_least(best_a[a.content], best_a), _least(best_b[b.content], best_b)))
    return (
        _remainder(a, b, left_a, left_b, weighted=False),
        _remainder(a, b, left_a, left_b, weighted=True),
        _shared_context(a, b, cosines),
        unshared,
        *named,
        *worst,
        min(_mean(best_a[~a.content], _mean(best_a, 0.0)), _mean(best_b[~b.content], _mean(best_b, 0.0))),
        min(_mean(best_a[a.content], _mean(best_a, 0.0)), _mean(best_b[b.content], _mean(best_b, 0.0))),
    )


def _pair_slips(a: Aligned, b: Aligned, left_a: NDArray[np.bool_], left_b: NDArray[np.bool_]) -> None:
    """Take a rare word and the one that a slip of the finger made it from for shared."""
    theirs = [column for column, left in enumerate(left_b) if left]
    for row, left in enumerate(left_a):
        if left:
            for column in theirs:
                if (a.odd[row] or b.odd[column]) and slipped(a.words[row], b.words[column]):
                    left_a[row] = left_b[column] = False


def _remainder(
    a: Aligned, b: Aligned, left_a: NDArray[np.bool_], left_b: NDArray[np.bool_], *, weighted: bool
) -> float:
    """Cosine of what is left; when one question is part of the other, its whole stands for the part."""
    if not left_a.any() and not left_b.any():
        return 1.0
    return _cosine(_centre(a, left_a, weighted=weighted), _centre(b, left_b, weighted=weighted))


def _centre(one: Aligned, left: NDArray[np.bool_], *, weighted: bool) -> Matrix:
    if not left.any():
        left = np.ones_like(left)
    centre: Matrix = (one.weights * left) @ one.vectors if weighted else left.astype(np.float32) @ one.vectors
    return centre


def _shared_context(a: Aligned, b: Aligned, cosines: Matrix) -> float:
    """How alike the content words that both share are in their contexts."""
    places: dict[str, list[int]] = {}
    for column, stem in enumerate(b.stems):
        places.setdefault(stem, []).append(column)
    found = [
        float(cosines[row, places[stem]].max()) for row, stem in enumerate(a.stems) if a.content[row] and stem in places
    ]
    return sum(found) / len(found) if found else float(cosines.mean())


def _mean(values: Matrix, default: float) -> float:
    return float(values.sum()) / len(values) if len(values) else default


def _least(values: Matrix, otherwise: Matrix) -> float:
    return float(values.min()) if len(values) else float(otherwise.min())


def _cosine(x: Matrix, y: Matrix) -> float:
    return float(x @ y) / max(math.sqrt(float(x @ x) * float(y @ y)), 1e-6)
