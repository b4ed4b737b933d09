"""Ordinary text about nobody stays as it is, in thirteen languages that the names model was not made for."""

from itertools import product
from pathlib import Path

import pytest

from forebay_agents.redaction.detection.names.doubts import doubtful
from forebay_agents.redaction.offline.lines import Redactor

FILE = Path(__file__).parents[2] / "data" / "clean-abroad.txt"
LINES = [line.split("|") for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(("language", "begins", "asks"), LINES, ids=[line[0] for line in LINES])
def test_of_25_ordinary_requests_at_most_one_is_touched(
    redactor: Redactor, language: str, begins: str, asks: str
) -> None:
    blank = "" if language in ("zh", "ja", "th") else " "
    texts = [f"{one}{blank}{two}." for one, two in product(begins.split(";"), asks.split(";"))]
    touched = {
        text: [text[span.start : span.end] for span in spans]
        for text in texts
        if (spans := redactor.redact(text).spans)
    }
    assert len(touched) <= 1, touched


@pytest.mark.parametrize(
    "text",
    ["hai", "mrng", "toyota camry 2017", "kia sportage white", "ricotta", "Kotlin", "Geld", "Mann Geld", "Sugira"],
)
def test_greetings_cars_food_programs_and_german_nouns_are_nobody(text: str) -> None:
    assert doubtful(text, 0, len(text))


@pytest.mark.parametrize("text", ["Hai", "ford", "Mercedes", "Mann", "hai jesse", "Focus Miller", "Emil Bier", "Java"])
def test_what_may_be_somebodys_name_is_not_among_them(text: str) -> None:
    assert not doubtful(text, 0, len(text))


def test_who_says_that_he_is_called_so_is_called_so(redactor: Redactor) -> None:
    for text, name in (("My name is Hai.", "Hai"), ("Dan Kowalsky menelepon kemarin.", "Dan Kowalsky")):
        assert [text[span.start : span.end] for span in redactor.redact(text).spans] == [name]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("PG Morwenna eh ? Lol", ["PG Morwenna"]),
        ("hahaa 😂 😂 martin moss great !", ["martin moss"]),
        ("Hartmann Le Roux ( 1240 -- c .", ["Hartmann Le Roux"]),
        ("Nice try de Groot", ["de Groot"]),
        ("Barsky has also sung as a tenor at London 's Albert Hall .", ["Barsky"]),
        ("I'm Will and I will be late.", ["Will"]),
    ],
)
def test_a_text_of_names_is_not_taken_for_another_language(redactor: Redactor, text: str, names: list[str]) -> None:
    assert [text[span.start : span.end] for span in redactor.redact(text).spans if span.kind == "PERSON"] == names
