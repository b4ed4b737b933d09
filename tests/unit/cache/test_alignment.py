"""Words, their vectors, and slips of the finger."""

import numpy as np

from forebay_agents.cache.language.words import Words
from forebay_agents.cache.matching.alignment import Aligned, aligned, compare


def _aligned(text: str, *, rows: int | None = None, known: str = "", shift: int = 0) -> Aligned:
    words = Words(text).all
    vectors = np.eye(32, dtype=np.float32)[shift : shift + (len(words) if rows is None else rows)]
    return aligned(words, vectors, lambda word: 2_000 if word in known.split() else None)


def test_more_vectors_than_words_are_cut() -> None:
    one, other = _aligned("treat gout", rows=5), _aligned("treat gout at home", rows=7)
    assert len(one.vectors) == 2
    assert len(compare(one, other)[0]) == len(compare(other, one)[0])


def test_a_slip_in_a_rare_word_still_shares_it() -> None:
    assert compare(_aligned("treat psoriasis"), _aligned("treat psroiasis", shift=9))[0][0] == 1.0
    assert compare(_aligned("treat psoriasis"), _aligned("treat scoliosis", shift=9))[0][0] < 1.0


def test_two_known_words_are_no_slip() -> None:
    known = "treat house mouse"
    assert compare(_aligned("treat house", known=known), _aligned("treat mouse", known=known, shift=9))[0][0] < 1.0
