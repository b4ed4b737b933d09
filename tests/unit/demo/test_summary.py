"""A demo fails if a question is served with the answer to its twin."""

from dataclasses import replace
from pathlib import Path

import pytest

from forebay.contract.clock import now_ms
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


def test_the_requests_that_are_in_the_history_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forebay.demo.summary._PATIENCE_S", 0.3)
    path, now = tmp_path / "history.db", now_ms()
    monkeypatch.setenv("FOREBAY_HISTORY_PATH", str(path))
    assert recorded(load(), 2) == 0
    topics = Topics()
    with writer(path) as to:
        told = [outcome(request_id=f"r-{number}", responded_at=now, accepted_at=now - 5) for number in range(2)]
        write(to, [topics.record("outcomes", one, at=now) for one in told])
    assert recorded(load(), 2) == 2
    assert recorded(load(), 3) == 2
