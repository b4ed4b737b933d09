"""Answers that have to survive: a floor under the figures of docs/explanation/compression.md."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from loadtest.measurements.compression import Case, bm25, forebay, meetings, paragraphs, whole


@pytest.mark.parametrize(
    ("cases", "keep", "least"),
    [
        (paragraphs, 0.6, 0.95),
        (whole, 0.05, 0.93),
        (partial(meetings, "lamp"), 0.2, 0.9),
        (partial(meetings, "committee"), 0.2, 0.9),
    ],
)
def test_more_answers_survive_than_with_bm25(cases: Callable[[], Iterator[Case]], keep: float, least: float) -> None:
    sample = list(cases())[::2]

    def survive(method: Callable[[str, str, float], str]) -> float:
        texts = [(method(context, question, keep), answers) for context, question, answers in sample]
        return sum(all(answer in text for answer in answers) for text, answers in texts) / len(sample)

    assert survive(forebay) >= least
    assert survive(forebay) > survive(bm25)
