"""Answers that have to survive: a floor under the figures of docs/explanation/compression.md."""

import pytest

from loadtest.compression import bm25, forebay, paragraphs, whole


@pytest.mark.parametrize(("cases", "keep", "least"), [(paragraphs, 0.6, 0.95), (whole, 0.05, 0.93)])
def test_more_answers_survive_than_with_bm25(cases: object, keep: float, least: float) -> None:
    sample = list(cases())[::2]  # type: ignore[operator]  # one of two functions
    ours = sum(answer in forebay(context, question, keep) for context, question, answer in sample) / len(sample)
    theirs = sum(answer in bm25(context, question, keep) for context, question, answer in sample) / len(sample)
    assert ours >= least
    assert ours > theirs
