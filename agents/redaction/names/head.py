"""Which words of a text are names or places? A small perceptron on the encoder's third layer; plain numpy.

Input of a word: its own vector (384), the vectors of the words around it through a projection, what it and its
neighbours look like from outside, what stands between them, and the casing of the whole text. Output: probability of
nothing, person, place. How it was trained: :mod:`agents.redaction.training`; figures: docs/explanation/names-model.md.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.redaction.names.layer import Layer, third_layer
from agents.redaction.names.lexical import CLASSES, LISTS, SHIPPED, Lexical, shipped
from agents.redaction.names.words import GAPS, OF_TEXT, SHAPES, Matrix, Words, gaps, of_text, shape, split

REACH = 2
"""Words on each side whose outside counts."""
FAR = 3
"""Words on each side whose vector counts."""
PROJECTED = 32
OF_WORD = SHAPES + CLASSES + LISTS + 2
INPUTS = 384 + 2 * FAR * PROJECTED + (2 * REACH + 1) * OF_WORD + GAPS + OF_TEXT
_CACHED_WORDS = 50_000
OUTPUTS = 3
_SLICE = 2_000
"""Words whose input is made at once."""


class Features:
    """Makes the head's input.

    Args:
        layer: the encoder's third layer.
        lexical: what words look like.
    """

    def __init__(self, layer: Layer, lexical: Lexical) -> None:
        self._layer = layer
        self._lexical = lexical
        self._words: dict[str, bytes] = {}

    def raw(self, text: str) -> tuple[Words, Matrix, Matrix]:
        """Words, their vectors, and their outside: (n, OF_WORD + GAPS + OF_TEXT)."""
        words = split(text)
        vectors, known = self._layer.vectors(text, words)
        outside = np.empty((len(words.words), OF_WORD + GAPS + OF_TEXT), np.float32)
        if words.words:
            rows = np.frombuffer(b"".join(map(self._of, words.words)), np.float32)
            outside[:, : OF_WORD - 2] = rows.reshape(len(words.words), OF_WORD - 2)
            outside[:, OF_WORD - 2 : OF_WORD] = known
            outside[:, OF_WORD : OF_WORD + GAPS] = gaps(text, words)
            outside[:, OF_WORD + GAPS :] = of_text(words.words)
        return words, vectors, outside

    def _of(self, word: str) -> bytes:
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= _CACHED_WORDS:
                self._words.clear()
            known = self._words[word] = np.array(shape(word) + self._lexical.features(word), np.float32).tobytes()
        return known


def assembled(vectors: Matrix, near: Matrix, outside: Matrix) -> Matrix:
    """The head's input for the words of one text, (n, INPUTS).

    Args:
        vectors: (n, 384).
        near: the same through the projection, (n, PROJECTED).
        outside: (n, OF_WORD + GAPS + OF_TEXT).
    """
    result = np.zeros((len(vectors), INPUTS), np.float32)
    result[:, : vectors.shape[1]] = vectors
    at = vectors.shape[1]
    for source, reach in ((near, FAR), (outside[:, :OF_WORD], REACH)):
        for by in range(-reach, reach + 1):
            if by or source is not near:
                _shift(source, by, result[:, at : at + source.shape[1]])
                at += source.shape[1]
    result[:, at:] = outside[:, OF_WORD:]
    return result


def _shift(rows: Matrix, by: int, into: Matrix) -> None:
    """Row ``i`` of ``into``, which is zero, becomes row ``i + by``, unless that is beyond the ends."""
    if by > 0:
        into[:-by] = rows[by:]
    elif by < 0:
        into[-by:] = rows[:by]
    else:
        into[:] = rows


class Head:
    """The trained head.

    Args:
        weights: arrays by name, as :mod:`agents.redaction.training` writes them.
        layer: the encoder's third layer.
        lexical: what words look like, if that is at hand.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]], layer: Layer, lexical: Lexical | None = None) -> None:
        if lexical is None:
            lexical = Lexical(weights["table"].astype(np.float32), [weights[f"list{i}"] for i in range(LISTS)])
        self.features = Features(layer, lexical)
        self._projection: Matrix = weights["projection"].astype(np.float32)
        self._layers = [
            (weights[f"w{i}"].astype(np.float32), weights[f"b{i}"].astype(np.float32))
            for i in range(sum(name.startswith("w") for name in weights))
        ]

    def probabilities(self, text: str) -> tuple[Words, Matrix]:
        """Words of ``text``; of each, the probability of nothing, person, place."""
        words, vectors, outside = self.features.raw(text)
        near = vectors @ self._projection
        count = len(vectors)
        odds = np.empty((count, OUTPUTS), np.float32)
        # In slices, each with the words that its first and last ones look at: a megabyte would take 0.5 GB at once.
        for start in range(0, count, _SLICE):
            end = min(count, start + _SLICE)
            low, high = max(0, start - FAR), min(count, end + FAR)
            seen = assembled(vectors[low:high], near[low:high], outside[low:high])[start - low : end - low]
            odds[start:end] = self._odds(seen)
        return words, odds

    def _odds(self, hidden: Matrix) -> Matrix:
        for index, (weight, bias) in enumerate(self._layers):
            hidden = hidden @ weight + bias
            if index + 1 < len(self._layers):
                np.maximum(hidden, 0, out=hidden)
        odds: Matrix = np.exp(hidden - hidden.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        return odds


@cache
def loaded(path: Path = SHIPPED) -> Head:
    """The head in a file. Raises :class:`streams.artifacts.ArtifactError` when the encoder is missing."""
    with np.load(path, allow_pickle=False) as weights:
        return Head(dict(weights), third_layer(), shipped() if path == SHIPPED else None)
