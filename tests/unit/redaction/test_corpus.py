"""The gate: what leaks of the labelled corpus, beside Presidio as it comes."""

import pytest

from forebay_agents.redaction.offline.evaluating import labelled_of
from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.offline.scoring import Labelled, Score, score
from tests.data.generate import CORPUS, rows

NAMES = ("PERSON", "LOCATION")


def corpus() -> list[Labelled]:
    return [labelled_of(line, "corpus") for line in CORPUS.read_text("utf-8").splitlines()]


def only(row: Labelled, *, names: bool) -> Labelled:
    spans = tuple(span for span in row.spans if (span[2] in NAMES) == names)
    return Labelled(text=row.text, spans=spans, source="names" if names else "identifiers")


@pytest.fixture(scope="module")
def ours(redactor: Redactor) -> Score:
    def redact(text: str) -> tuple[object, float]:
        redacted = redactor.redact(text)
        return redacted.spans, redacted.ms

    total = Score()
    for row in corpus():
        spans, ms = redact(row.text)
        for names in (True, False):
            total.add(only(row, names=names), spans, ms)  # type: ignore[arg-type]  # spans of the redactor
    return total


def test_the_corpus_has_what_the_gate_promises() -> None:
    found = corpus()
    assert len(found) >= 300
    assert len({kind for row in found for _, _, kind in row.spans}) >= 24
    for row in found:
        assert all(row.text[start:end].strip() for start, end, _ in row.spans)


def test_its_templates_are_all_in_it() -> None:
    written = [(row["source"], len(row["spans"])) for row in rows()]  # type: ignore[arg-type]  # a list
    assert written == [(row.source, len(row.spans)) for row in corpus()]


def test_hardly_an_identifier_leaks(ours: Score) -> None:
    assert ours.summary()["sources"]["identifiers"]["leak_rate"] <= 0.01


def test_few_names_and_places_leak(ours: Score) -> None:
    assert ours.summary()["sources"]["names"]["leak_rate"] <= 0.08


def test_clean_texts_stay_clean(redactor: Redactor) -> None:
    clean = [row for row in corpus() if row.source.startswith("clean/")]
    assert len(clean) >= 40
    assert [row.text for row in clean if redactor.redact(row.text).text != row.text] == []


def test_presidio_as_it_comes_leaks_more(ours: Score) -> None:
    from forebay_agents.redaction.detection.stock import Stock

    stock = Stock()
    theirs = Score()
    for row in corpus()[::3]:
        spans = stock.spans(row.text)
        for names in (True, False):
            theirs.add(only(row, names=names), spans, 0.0)
    for source in ("names", "identifiers"):
        own = ours.summary()["sources"][source]["leak_rate"]
        assert own < 0.5 * theirs.summary()["sources"][source]["leak_rate"]


def test_scores_are_of_letters_and_digits() -> None:
    row = Labelled(text="Ann Lee, 12", spans=((0, 7, "PERSON"),))
    found = score([row], lambda _: ((), 1.0)).summary()
    assert found["leak_rate"] == 1.0
    assert found["entities"]["PERSON"]["recall"] == 0.0
