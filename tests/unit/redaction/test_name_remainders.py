"""What has a form keeps its type and its place; names stay beside it."""

import pytest

from forebay_agents.redaction.detection.name_remainders import beside
from forebay_agents.redaction.detection.names.lexical import common_word
from forebay_agents.redaction.detection.spans import Span

TEXT = "John Smith 5555 4444, IP 198.51.100.23 port 22"
CARD = Span(start=11, end=20, kind="CREDIT_CARD", score=1.0)
ADDRESS = Span(start=25, end=38, kind="IP_ADDRESS", score=1.0)


def kept(start: int, end: int, *formed: Span) -> list[str]:
    name = Span(start=start, end=end, kind="PERSON", score=0.5)
    return [TEXT[span.start : span.end] for span in beside(TEXT, [name], formed, common_word)]


def test_a_name_that_touches_nothing_stays() -> None:
    assert kept(0, 10, CARD) == ["John Smith"]


def test_a_name_that_runs_into_a_number_ends_before_it() -> None:
    assert kept(0, 16, CARD) == ["John Smith"]


@pytest.mark.parametrize(("start", "end"), [(16, 31), (36, 46), (25, 38)])
def test_numbers_abbreviations_and_everyday_words_are_no_names(start: int, end: int) -> None:
    assert kept(start, end, CARD, ADDRESS) == []


def test_a_doubtful_number_gives_way() -> None:
    doubtful = Span(start=11, end=20, kind="PHONE_NUMBER", score=0.4)
    assert kept(0, 20, doubtful) == ["John Smith 5555 4444"]
