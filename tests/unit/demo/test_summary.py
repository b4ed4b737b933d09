"""A demo fails if a question is served with the answer to its twin."""

from dataclasses import replace

import pytest

from forebay.contract.records import AnswerSource, Response
from forebay.demo.examples import TWIN
from forebay.demo.summary import mixed_up

ASKED = Response(request_id="of-chile", metadata={TWIN: "of-peru"})


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (AnswerSource.MODEL, []),
        (AnswerSource.NONE, []),
        (AnswerSource.CACHE_EXACT, ["of-chile"]),
        (AnswerSource.CACHE_SEMANTIC, ["of-chile"]),
    ],
)
def test_a_twin_has_an_answer_of_its_own(source: AnswerSource, found: list[str]) -> None:
    assert mixed_up([replace(ASKED, source=source)]) == found
    assert mixed_up([replace(ASKED, source=source, metadata={})]) == []
