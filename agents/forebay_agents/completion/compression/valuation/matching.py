"""How much does each word of a text have to do with each term of the question?"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forebay_agents.completion.compression.text.question import Question
from forebay_agents.completion.compression.text.units import Kind, Sentence, Word, stem
from forebay_agents.completion.compression.text.vectors import word_vectors

Array = NDArray[np.float32]

FAINT = 0.4
"""Cosine of word vectors up to which two words count as unrelated ("marry" and "family" have 0.43)."""

_NEAR = 0.8  # what a perfect paraphrase is worth beside the same word


@dataclass(frozen=True, kw_only=True, slots=True)
class Matches:
    """``by_word[i, t]`` in 0 to 1: word i against term t; ``by_sentence``: the best of each sentence; ``exact``: 0 or
    1, the same counting equal stems only; ``counts``: how often; ``meaning``: cosine of each sentence's content words,
    together, with the question's."""

    by_word: Array
    by_sentence: Array
    exact: Array
    counts: Array
    meaning: Array


def match(
    words: Sequence[Word], sentences: Sequence[Sentence], question: Question, mute: Container[int] = ()
) -> Matches:
    """Compare all words with all terms; a function word matches nothing, and neither does one in ``mute``."""
    terms = question.terms
    firsts = np.array([sentence.first for sentence in sentences])
    if not terms:
        nothing = np.zeros((len(sentences), 1), np.float32)
        return Matches(
            by_word=np.zeros((len(words), 1), np.float32),
            by_sentence=nothing,
            exact=nothing,
            counts=nothing,
            meaning=nothing[:, 0],
        )
    rows = {"": 0}
    index = np.array([rows.setdefault("" if word[5] is Kind.FUNCTION else word[3], len(rows)) for word in words])
    if mute:
        index[[place for place in range(len(words)) if place in mute]] = 0
    vectors = word_vectors()
    known, asked = vectors.of([bare.lower() for bare in rows]), vectors.of([term.word for term in terms])
    cosine = known @ asked.T
    soft = _NEAR * np.clip((cosine - FAINT) / (1 - FAINT), 0.0, 1.0)
    column = {term.stem: place for place, term in enumerate(terms)}
    same = np.zeros((len(rows), len(terms)), np.float32)
    for bare, row in rows.items():
        if (place := column.get(stem(bare))) is not None:
            same[row, place] = 1.0
    by_form = np.maximum(soft, same)
    exact_by_word = same[index]
    by_word = by_form[index]
    return Matches(
        by_word=by_word,
        by_sentence=np.maximum.reduceat(by_word, firsts, axis=0),
        exact=np.maximum.reduceat(exact_by_word, firsts, axis=0),
        counts=np.add.reduceat(exact_by_word, firsts, axis=0),
        meaning=_unit(np.add.reduceat(known[index], firsts, axis=0)) @ _unit(asked.sum(axis=0)),
    )


def _unit(vectors: Array) -> Array:
    result: Array = vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)
    return result
