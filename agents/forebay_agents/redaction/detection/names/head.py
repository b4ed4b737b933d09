"""Which words of a text are names or places? A small perceptron on the encoder's third layer; plain numpy.

Input of a word: its own vector (384), the vectors of the words around it through a projection, what it and its
neighbours look like from outside, what stands between them, and the casing of the whole text. Output: probability of
nothing, person, place. How it was trained: :mod:`forebay_agents.redaction.training`; figures:
docs/explanation/names-model.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forebay_agents.redaction.detection.names.encoder.layer import DIMENSIONS, Layer, third_layer
from forebay_agents.redaction.detection.names.encoder.pieces import Pieces, tokenizer
from forebay_agents.redaction.detection.names.encoder.readings import Readings
from forebay_agents.redaction.detection.names.lexical import LISTS, SHIPPED, Lexical, shipped
from forebay_agents.redaction.detection.names.outside import OF_WORD, OUTSIDE, Outside
from forebay_agents.redaction.detection.names.words import Matrix, Words, split

REACH = 2
"""Words on each side whose outside counts."""
FAR = 3
"""Words on each side whose vector counts."""
PROJECTED = 32
OF_PLACE = OUTSIDE - OF_WORD
"""Features of where a word stands."""
INPUTS = DIMENSIONS + 2 * FAR * PROJECTED + (2 * REACH + 1) * OF_WORD + OF_PLACE
OUTPUTS = 3
_SLICE = 2_000
"""Words whose input is made at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """Texts as the head reads them, one after another with ``FAR`` empty rows behind each.

    Attributes:
        words: of each text.
        vectors: (rows, DIMENSIONS).
        outside: (rows, OUTSIDE).
    """

    words: Sequence[Words]
    vectors: Matrix
    outside: Matrix


class Reader:
    """Makes what the head reads; thread-safe.

    Args:
        layer: the encoder's third layer.
        lexical: what words look like.
    """

    def __init__(self, layer: Layer, lexical: Lexical) -> None:
        self._layer = layer
        self._outside = Outside(lexical)
        self._tokenizer = tokenizer()

    def read(self, texts: Sequence[str], readings: Readings | None = None) -> Read:
        """Read ``texts``, in one run of the encoder where their lengths allow it; see :class:`Readings`."""
        words = [split(text) for text in texts]
        pieces = [self._tokenizer.pieces(text, own) for text, own in zip(texts, words, strict=True)]
        rows = sum(len(own.words) + FAR for own in words)
        vectors, outside = np.zeros((rows, DIMENSIONS), np.float32), np.zeros((rows, OUTSIDE), np.float32)
        at = 0
        vectors_of = self._layer.vectors([one.ids for one in pieces], [one.wanted for one in pieces], readings)
        for text, own, cut, found in zip(texts, words, pieces, vectors_of, strict=True):
            end = at + len(own.words)
            _pool(found, cut, vectors[at:end])
            outside[at:end] = self._outside.of(text, own, cut)
            at = end + FAR
        return Read(words=words, vectors=vectors, outside=outside)


def _pool(vectors: Matrix, pieces: Pieces, into: Matrix) -> None:
    """A word's vector is the mean of its pieces'."""
    if not pieces.owners:
        return
    rows = list(accumulate(pieces.counts[:-1], initial=0))
    if len(rows) == len(vectors):
        into[pieces.owners] = vectors
        return
    sums = np.add.reduceat(vectors, rows, axis=0)
    sums /= np.array(pieces.counts, np.float32)[:, None]
    into[pieces.owners] = sums


def assembled(vectors: Matrix, near: Matrix, outside: Matrix) -> Matrix:
    """The head's input for rows, (n, INPUTS).

    Args:
        vectors: (n, DIMENSIONS).
        near: the same through the projection, (n, PROJECTED).
        outside: (n, OUTSIDE).
    """
    result = np.zeros((len(vectors), INPUTS), np.float32)
    result[:, :DIMENSIONS] = vectors
    at = DIMENSIONS
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
    """The trained head; thread-safe.

    Args:
        weights: arrays by name, as :mod:`forebay_agents.redaction.training` writes them.
        layer: the encoder's third layer.
        lexical: what words look like, if that is at hand.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]], layer: Layer, lexical: Lexical | None = None) -> None:
        if lexical is None:
            lexical = Lexical(weights["table"].astype(np.float32), [weights[f"list{i}"] for i in range(LISTS)])
        self._reader = Reader(layer, lexical)
        self._projection: Matrix = weights["projection"].astype(np.float32)
        self._layers = [
            (weights[f"w{i}"].astype(np.float32), weights[f"b{i}"].astype(np.float32))
            for i in range(sum(name.startswith("w") for name in weights))
        ]

    def probabilities(self, texts: Sequence[str], readings: Readings | None = None) -> list[tuple[Words, Matrix]]:
        """Words of each text; of each word, the probability of nothing, person, place: (words, OUTPUTS)."""
        read = self._reader.read(texts, readings)
        near = read.vectors @ self._projection
        count = len(near)
        odds = np.empty((count, OUTPUTS), np.float32)
        # In slices, each with the words that its first and last ones look at: a megabyte would take 0.5 GB at once.
        for start in range(0, count, _SLICE):
            end = min(count, start + _SLICE)
            low, high = max(0, start - FAR), min(count, end + FAR)
            seen = assembled(read.vectors[low:high], near[low:high], read.outside[low:high])
            odds[start:end] = self._odds(seen[start - low : end - low])
        found, at = [], 0
        for own in read.words:
            found.append((own, odds[at : at + len(own.words)]))
            at += len(own.words) + FAR
        return found

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
    """The head in a file. Raises :class:`forebay.artifacts.ArtifactError` when the encoder is missing."""
    with np.load(path, allow_pickle=False) as weights:
        return Head(dict(weights), third_layer(), shipped() if path == SHIPPED else None)
