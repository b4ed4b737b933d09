"""A demo fails if a question is served with the answer to its twin."""

from dataclasses import replace
from pathlib import Path

import pytest

from forebay.contract.records import AnswerSource, Response
from forebay.demo.examples import TWIN
from forebay.demo.summary import mixed_up, recorded
from forebay.settings import load
from tests.unit.history.kept import Topics, write, writer
from tests.unit.history.test_writing import outcome

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


@pytest.mark.parametrize(("asked", "found"), [(("r-0", "r-1"), 2), (("r-0", "nobody"), 1)])
def test_the_requests_that_are_in_the_history_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...], found: int
) -> None:
    monkeypatch.setattr("forebay.demo.summary._PATIENCE_S", 0.3)
    path = tmp_path / "history.db"
    monkeypatch.setenv("FOREBAY_HISTORY_PATH", str(path))
    responses = [Response(request_id=name) for name in asked]
    assert recorded(load(), responses) == 0
    topics = Topics()
    with writer(path) as to:
        write(to, [topics.record("outcomes", outcome(request_id=f"r-{number}")) for number in range(2)])
    assert recorded(load(), responses) == found
