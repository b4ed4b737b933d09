"""How is the head fitted? Adam on cross-entropy, dropout, a falling learning rate; plain numpy, one thread, seeded."""

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forebay_agents.redaction.detection.names.encoder.layer import DIMENSIONS
from forebay_agents.redaction.detection.names.head import FAR, INPUTS, OF_PLACE, PROJECTED, REACH, Reader
from forebay_agents.redaction.detection.names.lexical import BUCKETS, CLASSES, LISTS, buckets
from forebay_agents.redaction.detection.names.outside import LISTED, OF_WORD
from forebay_agents.redaction.detection.names.words import Matrix
from forebay_agents.redaction.training.rows import Row

Integers = NDArray[np.int64]
_LABELS = {"PERSON": 1, "LOCATION": 2}
HIDDEN, EPOCHS, BATCH, RATE, DROPOUT, DECAY = 128, 3, 256, 1e-3, 0.3, 1e-4
_TOGETHER = 64
"""Texts that are read at once."""
LISTS_DROPPED = 0.2
"""Share of words whose lists are hidden in training, so that names in no list are learnt."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Words of all rows, one after another."""

    vectors: NDArray[np.float16]
    outside: NDArray[np.float16]
    labels: Integers
    row: Integers
    fold: Integers
    first: Integers


def encode(rows: Sequence[Row], reader: Reader) -> Encoded:
    """Features and labels of every word; -1 where nothing is to be learnt."""
    vectors, outside, labels, counts = [], [], [], []
    for start in range(0, len(rows), _TOGETHER):
        chosen = rows[start : start + _TOGETHER]
        read = reader.read([row.text.text for row in chosen])
        at = 0
        for row, words in zip(chosen, read.words, strict=True):
            end = at + len(words.words)
            label = np.zeros(len(words.words), np.int64)
            for low, high, kind in row.text.spans:
                label[(words.starts < high) & (words.ends > low)] = _LABELS.get(kind, -1)
            vectors.append(read.vectors[at:end].astype(np.float16))
            outside.append(read.outside[at:end].astype(np.float16))
            labels.append(label)
            counts.append(len(label))
            at = end + FAR
    return Encoded(
        vectors=np.concatenate(vectors),
        outside=np.concatenate(outside),
        labels=np.concatenate(labels),
        row=np.repeat(np.arange(len(rows)), counts),
        fold=np.repeat(np.array([item.fold for item in rows]), counts),
        first=np.concatenate([[0], np.cumsum(counts)]),
    )


def lexical_table(words: Sequence[Sequence[str]], rng: random.Random) -> Matrix:
    """The n-gram table of :mod:`forebay_agents.redaction.detection.names.lexical`: softmax regression by stochastic
    gradient descent.

    Args:
        words: given names, family names, places, common words.
    """
    samples = [(word, label) for label, group in enumerate(words) for word in group]
    table = np.zeros((BUCKETS, CLASSES), np.float32)
    for epoch in range(4):
        rng.shuffle(samples)
        rate = 8.0 * (1 - epoch / 4)
        for word, label in samples:
            rows = buckets(word)
            scores = table[rows].mean(axis=0)
            odds = np.exp(scores - scores.max())
            odds /= odds.sum()
            odds[label] -= 1
            np.add.at(table, rows, -rate * odds / len(rows))
    return table


def projection(data: Encoded, at: Integers, seed: int) -> Matrix:
    """The principal components of the vectors of the words ``at``, scaled."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(at, min(40_000, len(at)), replace=False)
    sample = data.vectors[chosen].astype(np.float32)
    sample -= sample.mean(axis=0)
    axes, scales, _ = np.linalg.svd(sample.T @ sample)
    result: Matrix = (0.3 * axes[:, :PROJECTED] / np.sqrt(scales[:PROJECTED] / len(sample))).astype(np.float32)
    return result


def inputs(data: Encoded, near: Matrix, at: Integers) -> Matrix:
    """The head's input for the words ``at``; the same as
    :func:`forebay_agents.redaction.detection.names.head.assembled`."""
    pieces = [data.vectors[at].astype(np.float32)]
    for by in range(-FAR, FAR + 1):
        if by:
            place, inside = _beside(data, at, by)
            pieces.append(near[place] * inside)
    for by in range(-REACH, REACH + 1):
        place, inside = _beside(data, at, by)
        pieces.append(data.outside[place, :OF_WORD].astype(np.float32) * inside)
    pieces.append(data.outside[at, OF_WORD:].astype(np.float32))
    return np.concatenate(pieces, axis=1)


def _beside(data: Encoded, at: Integers, by: int) -> tuple[Integers, Matrix]:
    place = np.clip(at + by, 0, len(data.row) - 1)
    inside = (at + by == place) & (data.row[place] == data.row[at])
    return place, inside[:, None].astype(np.float32)


def fit(data: Encoded, projected: Matrix, at: Integers, seed: int) -> list[Matrix]:
    """Weights and biases fitted to the words ``at``."""
    rng = np.random.default_rng(seed)
    near = (data.vectors.astype(np.float32) @ projected).astype(np.float32)
    assert INPUTS == DIMENSIONS + 2 * FAR * PROJECTED + (2 * REACH + 1) * OF_WORD + OF_PLACE
    weights: list[Matrix] = [
        rng.normal(0, np.sqrt(2 / INPUTS), (INPUTS, HIDDEN)).astype(np.float32),
        rng.normal(0, np.sqrt(2 / HIDDEN), (HIDDEN, 3)).astype(np.float32),
        np.zeros(HIDDEN, np.float32),
        np.zeros(3, np.float32),
    ]
    first = [np.zeros_like(w) for w in weights]
    second = [np.zeros_like(w) for w in weights]
    steps, step = EPOCHS * (len(at) // BATCH), 0
    for _ in range(EPOCHS):
        order = rng.permutation(at)
        for low in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[low : low + BATCH]
            batch = inputs(data, near, chosen)
            _hide_lists(batch, rng)
            step += 1
            rate = RATE * min(1.0, 2 * (steps - step + 1) / steps)
            for index, slope in enumerate(_slopes(weights, batch, data.labels[chosen], rng)):
                first[index] += 0.1 * (slope - first[index])
                second[index] += 0.001 * (slope * slope - second[index])
                scaled = np.sqrt(second[index] / (1 - 0.999**step)) + 1e-8
                weights[index] -= rate * (first[index] / (1 - 0.9**step)) / scaled
    return weights


def _slopes(weights: list[Matrix], batch: Matrix, labels: Integers, rng: np.random.Generator) -> list[Matrix]:
    kept = (rng.random((len(batch), HIDDEN)) > DROPOUT).astype(np.float32) / (1 - DROPOUT)
    hidden = np.maximum(batch @ weights[0] + weights[2], 0) * kept
    error = _softmax(hidden @ weights[1] + weights[3])
    error[np.arange(len(labels)), labels] -= 1
    error /= len(labels)
    back = error @ weights[1].T * kept
    back[hidden <= 0] = 0
    return [
        batch.T @ back + DECAY * weights[0],
        hidden.T @ error + DECAY * weights[1],
        back.sum(axis=0),
        error.sum(axis=0),
    ]


def _hide_lists(batch: Matrix, rng: np.random.Generator) -> None:
    rows = np.flatnonzero(rng.random(len(batch)) < LISTS_DROPPED)
    begin = DIMENSIONS + 2 * FAR * PROJECTED + LISTED.start
    for by in range(2 * REACH + 1):
        batch[rows, begin + by * OF_WORD : begin + by * OF_WORD + LISTS] = 0


def _softmax(scores: Matrix) -> Matrix:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Matrix = odds / odds.sum(axis=1, keepdims=True)
    return result


def checksum(arrays: Sequence[NDArray[np.generic]]) -> str:
    """Tells two trained heads apart."""
    return f"{zlib.crc32(b''.join(np.ascontiguousarray(array).tobytes() for array in arrays)):08x}"
