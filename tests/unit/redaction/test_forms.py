"""Identifiers in the forms, labels and disguises in which people write them, and what only looks alike."""

from pathlib import Path

import pytest

from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.offline.scoring import Labelled
from tests.data.kinds import texts

FORMS = Path(__file__).parents[2] / "data" / "forms.txt"
FOUND = [row for row in texts(FORMS) if row.source == "found"]
ALIKE = [row for row in texts(FORMS) if row.source == "alike"]


def test_there_are_enough_of_both() -> None:
    assert len(FOUND) > 250
    assert len(ALIKE) > 150
    assert all(row.spans for row in FOUND)
    assert not any(row.spans for row in ALIKE)


@pytest.mark.parametrize("row", FOUND, ids=lambda row: ascii(row.text)[:60])
def test_nothing_of_an_identifier_is_left(structured: Redactor, row: Labelled) -> None:
    covered = {at for span in structured.redact(row.text).spans for at in range(span.start, span.end)}
    left = [row.text[at] for a, b, _ in row.spans for at in range(a, b) if row.text[at].isalnum() and at not in covered]
    assert not left


@pytest.mark.parametrize("row", ALIKE, ids=lambda row: row.text[:60])
def test_what_looks_alike_stays(structured: Redactor, row: Labelled) -> None:
    assert structured.redact(row.text).text == row.text
