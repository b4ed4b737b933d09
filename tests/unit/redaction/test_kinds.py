"""Texts of kinds that no training corpus has: what is left of them, and which clean ones are touched."""

from pathlib import Path

import pytest

from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.offline.scoring import Labelled, Score, score
from tests.data.kinds import texts

DATA = Path(__file__).parents[2] / "data"


def scored(redactor: Redactor, rows: list[Labelled]) -> Score:
    def redact(text: str) -> tuple[object, float]:
        redacted = redactor.redact(text)
        return redacted.spans, redacted.ms

    return score(rows, redact)  # type: ignore[arg-type]  # spans of the redactor


@pytest.mark.parametrize(("file", "leak", "touched"), [("kinds.txt", 0.01, 0.08), ("kinds-later.txt", 0.03, 0.1)])
def test_little_leaks_and_few_clean_texts_are_touched(
    redactor: Redactor, file: str, leak: float, touched: float
) -> None:
    rows = texts(DATA / file)
    found = scored(redactor, rows).summary()
    assert found["texts"] == len(rows) >= 40
    assert found["clean_texts"] >= 20
    assert found["leak_rate"] <= leak
    assert found["over_redaction"] <= touched


def test_marks_become_spans() -> None:
    for row in texts():
        assert "⟦" not in row.text
        assert all(row.text[start:end].strip() for start, end, _ in row.spans)
    assert len({row.source for row in texts()}) >= 18
