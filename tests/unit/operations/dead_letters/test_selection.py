"""Which letters does an operator mean? Filters, ages and times as people type them."""

import pytest

from forebay.operations.choices import InvalidChoiceError, moment
from forebay.operations.dead_letters.letters import LetterState, letter_of
from forebay.operations.dead_letters.selection import Filter, replayable_states
from tests.unit.operations.dead_letters.bench import NOW_MS, buried

LETTER = letter_of(buried(5, partition=2))  # failed a minute ago, less 5 ms


@pytest.mark.parametrize(
    ("changes", "meant"),
    [
        ({}, True),
        ({"stage": "completion"}, True),
        ({"stage": "comp"}, False),
        ({"code": "bug"}, False),
        ({"tenant": "globex"}, True),
        ({"tenant": "Globex"}, False),
        ({"request_id": "request-5"}, True),
        ({"text": "PROVIDER_unavailable"}, True),
        ({"text": "refused"}, False),
        ({"since": NOW_MS - 59_995}, True),
        ({"since": NOW_MS - 59_994}, False),
        ({"until": NOW_MS - 59_994}, True),
        ({"until": NOW_MS - 59_995}, False),
        ({"states": frozenset({LetterState.PARKED})}, False),
        ({"states": frozenset()}, True),
        ({"ids": frozenset({"2-5", "9-9"})}, True),
        ({"ids": frozenset({"5-2"})}, False),
    ],
)
def test_a_filter_means_letters_that_have_all_of_it(changes: dict[str, object], meant: bool) -> None:
    assert Filter(**changes).matches(LETTER) is meant


def test_a_filter_describes_itself_for_the_audit_trail() -> None:
    assert Filter().describe() == "all"
    chosen = Filter(stage="cache", since=1_795_000_000_000, ids=frozenset({"1-2", "0-7"}))
    assert chosen.describe() == "stage=cache since=1795000000000 ids=0-7,1-2"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", None),
        ("90s", NOW_MS - 90_000),
        ("45m", NOW_MS - 2_700_000),
        ("6h", NOW_MS - 21_600_000),
        ("2d", NOW_MS - 172_800_000),
        ("2026-11-23", 1_795_392_000_000),
        ("2026-11-23T10:00", 1_795_428_000_000),
        ("2026-11-23T10:00+02:00", 1_795_420_800_000),
    ],
)
def test_a_time_or_an_age(text: str, at: int | None) -> None:
    assert moment(text, NOW_MS) == at


@pytest.mark.parametrize("text", ["yesterday", "6 h", "h", "-6h", "6w", "٦h", "2026-13-01", "1" * 400 + "d"])
def test_what_is_neither_is_no_choice(text: str) -> None:
    with pytest.raises(InvalidChoiceError, match="is neither a time such as"):
        moment(text, NOW_MS)


def test_a_replay_takes_open_letters_and_others_only_when_they_are_asked_for() -> None:
    assert replayable_states(again=False, by_id=True) == {LetterState.OPEN}
    assert replayable_states(again=True, by_id=False) == set(LetterState) - {LetterState.DROPPED}
    assert replayable_states(again=True, by_id=True) == frozenset(), "by its id also a dropped one: all states"
