"""Which numbers is the decision made on? The cheap ones first, the second encoder's only when they may matter."""

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forebay_agents.cache.language.words import Words
from forebay_agents.cache.matching import alignment
from forebay_agents.cache.matching.alignment import Aligned, Matrix
from forebay_agents.cache.matching.guards import GUARDS, Differences
from forebay_agents.embeddings import DIMENSIONS

Row = NDArray[np.float64]

SURFACE = ("overlap", "grams", "surplus")
CROSSED = ("cosine_2", "remainder_2", "cosine_remainder")
WORD_DIMENSIONS = 128
"""Of stored word vectors: 384 rank no better on the pairs that check, and take three times the memory."""
DIRECTIONS = (*(f"whole {at}" for at in range(DIMENSIONS)), *(f"left {at}" for at in range(WORD_DIMENSIONS)))
"""Products of both sentences' coordinates and of what is left of both: which directions matter is learnt."""
NEAR = ("cosine", *alignment.FEATURES, *SURFACE, *CROSSED, *(f"guard_{code}" for code in GUARDS), *DIRECTIONS)
"""Features of the first level, in order."""
FAR = (
    *NEAR, "far_cosine", *(f"far_{name}" for name in alignment.FEATURES), "far_cosine_remainder",
    *(f"far {name}" for name in DIRECTIONS),
)  # fmt: skip
"""Features of the second level, in order. Lengths are left out on purpose: how long a paraphrase is depends on who
wrote it, and a model that knows lengths learns its teachers."""

GLANCE = ("cosine", "cosine_2", *(f"whole {at}" for at in range(DIMENSIONS)))
"""Features of the glance that is cast first, in order: those that cost next to nothing."""
_GUARDS_AT = NEAR.index(f"guard_{next(iter(GUARDS))}")

TYPED_AGAIN = 0.6
"""Shared spelling from which a glance drops no pair: one slip of the finger moves a vector far (cosine 0.41 seen)."""
_NOT_TEXT = re.compile(r"[^a-z0-9]+")


def glance(wholes: Matrix) -> NDArray[np.float64]:
    """What is known of stored questions from the vectors of their sentences alone, one row a question.

    Args:
        wholes: products of the coordinates, one row a stored question.
    """
    cosines = wholes.sum(axis=1, dtype=np.float64)[:, None]
    return np.concatenate([cosines, cosines * cosines, wholes], axis=1)


def near(whole: Matrix, a: Aligned, b: Aligned, words_a: Words, words_b: Words) -> Row:
    """Features that the first encoder and the surface give, as if no guard saw a difference (:func:`guarded`).

    Args:
        whole: products of the coordinates of the sentences.
    """
    cosine = float(whole.sum())
    meaning, left = alignment.compare(a, b)
    content_a, content_b = set(words_a.content_stems), set(words_b.content_stems)
    remainder = meaning[0]
    named = np.array(
        [
            cosine,
            *meaning,
            len(content_a & content_b) / (len(content_a | content_b) or 1),
            spelling(words_a.text, words_b.text),
            -_surplus(a, b),
            cosine * cosine,
            remainder * remainder,
            cosine * remainder,
            *(0.0,) * len(GUARDS),
        ]
    )
    return np.concatenate([named, whole, left])


def guarded(row: Row, found: Differences) -> Row:
    """``row`` with what the guards see filled in; it is changed in place. That never raises a score (see ``fit``)."""
    for place, code in enumerate(GUARDS, _GUARDS_AT):
        row[place] = 0.5 * (code in found.seen) + 0.5 * (code in found.decisive)
    return row


def spelling(a: str, b: str) -> float:
    """How much of their spelling two texts share: Dice's coefficient of their trigrams."""
    grams_a, grams_b = _grams(a), _grams(b)
    return 2 * len(grams_a & grams_b) / (len(grams_a) + len(grams_b) or 1)


def far(first: Row, whole: Matrix, a: Aligned, b: Aligned) -> Row:
    """Features with those of the second encoder added."""
    cosine = float(whole.sum())
    meaning, left = alignment.compare(a, b)
    return np.concatenate([first, [cosine, *meaning, cosine * meaning[0]], whole, left])


def _surplus(a: Aligned, b: Aligned) -> float:
    """How much one question tells beyond another that it contains: a narrower question wants another answer."""
    in_a, in_b = frozenset(a.stems), frozenset(b.stems)
    more_a = sum(
        told
        for told, stem, is_content in zip(a.told, a.stems, a.content, strict=True)
        if is_content and stem not in in_b
    )
    more_b = sum(
        told
        for told, stem, is_content in zip(b.told, b.stems, b.content, strict=True)
        if is_content and stem not in in_a
    )
    return 0.0 if more_a and more_b else min(3.0, float(more_a + more_b))


@lru_cache(maxsize=4_096)
def _grams(text: str) -> frozenset[str]:
    padded = f" {_NOT_TEXT.sub(' ', text.lower()).strip()} "
    return frozenset(padded[index : index + 3] for index in range(len(padded) - 2))
