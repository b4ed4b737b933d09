"""What looked like somebody's in chats and is nobody's: days without strokes, sums, models, words mistyped."""

import pytest

from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.detection.names.doubts import doubtful
from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import RedactionSettings


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(RedactionSettings())


def _answered(detector: Detector, *turns: str) -> list[str]:
    """What is found in the last of ``turns``, which an agent begins."""
    speakers = ("assistant", "user")
    parts = [Part(text=turn, speaker=speakers[at % 2], said=True) for at, turn in enumerate(turns)]
    return [turns[-1][span.start : span.end] for span in detector.find(Asked(parts=parts)).spans[-1]]


@pytest.mark.parametrize("text", ["04182019 1315", "09302021 75", "11052018 40 please"])
def test_a_day_and_a_time_or_a_sum_are_no_telephone_number(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text).spans == ()


@pytest.mark.parametrize("text", ["0418 201 913", "07700 900123", "089 4182019"])
def test_a_number_parted_as_numbers_are_is_one(redactor: Redactor, text: str) -> None:
    assert [text[span.start : span.end] for span in redactor.redact(text).spans] == [text]


def test_a_day_that_is_mentioned_answers_no_question_for_a_number(detector: Detector) -> None:
    assert _answered(detector, "Your social security number, please?", "they took it on 04182019 at noon") == []
    assert _answered(detector, "Your card number, please?", "the last day of use was 30092021") == []
    assert _answered(detector, "Your card number, please?", "the last day of use may be 30092021") == []


def test_a_day_that_is_all_of_the_answer_or_named_so_is_one(detector: Detector) -> None:
    assert _answered(detector, "What is your PIN?", "04182019") == ["04182019"]
    assert _answered(detector, "Your account number, please?", "it is 04182019") == ["04182019"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("Which account is it? Its number, please.", "move an amount of 7300"),
        ("Wie lautet Ihre Kontonummer?", "einen Betrag von 7300"),
        ("¿Cuál es su número de cuenta?", "un importe de 7300"),
    ],
)
def test_the_figure_of_an_amount_is_no_account(detector: Detector, asked: str, said: str) -> None:
    assert _answered(detector, asked, said) == []


@pytest.mark.parametrize("text", ["e 463", "pa 600", "cc 2012", "silver 2014", "mt", "kia rio", "croutons"])
def test_models_colours_and_slips_are_neither_people_nor_places(text: str) -> None:
    assert doubtful(text, 0, len(text))


@pytest.mark.parametrize("text", ["ny 10001", "Silver 2014", "fl 33", "MT", "Wine", "Branch", "white river"])
def test_what_may_be_a_place_or_somebody_is_not_among_them(text: str) -> None:
    assert not doubtful(text, 0, len(text))


def test_a_colour_before_a_year_is_a_cars() -> None:
    assert doubtful("its a white 2016 toyota", 6, 11)
    assert not doubtful("its a white 20160 toyota", 6, 11)


def test_a_maker_that_is_a_name_too_is_none_beside_a_car() -> None:
    assert doubtful("ford figo and 2014", 0, 4)
    assert doubtful("it was a skoda rio", 15, 18)
    assert not doubtful("ford called again", 0, 4)
    assert not doubtful("Ford figo", 0, 4)
