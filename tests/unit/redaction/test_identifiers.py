"""Identifiers by class, of people's own wording: found whole; what looks alike stays."""

from pathlib import Path

import pytest

from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.offline.scoring import Labelled
from tests.data.kinds import texts

ROWS = texts(Path(__file__).parents[2] / "data" / "identifiers.txt")
_FOUND = [row for row in ROWS if row.spans]
_CLEAN = [row for row in ROWS if not row.spans]


def _name(row: Labelled) -> str:
    return f"{row.source}-{ascii(row.text)[1:40]}"


@pytest.mark.parametrize("row", _FOUND, ids=_name)
def test_an_identifier_is_found_whole(structured: Redactor, row: Labelled) -> None:
    covered = {at for span in structured.redact(row.text).spans for at in range(span.start, span.end)}
    assert [row.text[a:b] for a, b, _ in row.spans if not set(range(a, b)) <= covered] == []


@pytest.mark.parametrize("row", _CLEAN, ids=_name)
def test_what_looks_alike_stays(structured: Redactor, row: Labelled) -> None:
    assert structured.redact(row.text).text == row.text
