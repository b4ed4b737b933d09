"""Rows are told at most once a second, the last entry that waits is the one that is acknowledged by it."""

import pytest

from forebay_agents.cost.gathering.telling import Asked, Telling

ANN, BOB = ("hour", "day", "month"), ("hour of bob", "day of bob", "month of bob")


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def telling(clock: Clock) -> Telling:
    return Telling(clock)


def test_what_changed_first_is_told_at_once_and_again_a_second_later(telling: Telling, clock: Clock) -> None:
    first, second = Asked(ANN, 0, "1"), Asked(ANN, 0, "2")
    telling.ask(first)
    assert telling.due() == [first]
    telling.ask(second)
    clock.now_s += 0.9
    assert telling.due() == []
    assert len(telling) == 1
    clock.now_s += 0.2
    assert telling.due() == [second]
    assert (telling.due(), len(telling)) == ([], 0)


def test_keys_do_not_wait_for_one_another(telling: Telling) -> None:
    telling.ask(Asked(ANN, 0, "1"))
    telling.due()
    other = Asked(BOB, 0, "2")
    telling.ask(other)
    assert telling.due() == [other]


def test_the_last_entry_takes_the_place_of_those_before_it_of_its_partition(telling: Telling) -> None:
    first, elsewhere, last = Asked(ANN, 0, "1"), Asked(ANN, 1, "2"), Asked(ANN, 0, "3")
    assert telling.ask(first) is None
    assert telling.ask(elsewhere) is None
    assert telling.ask(last) is first
    assert telling.due() == [elsewhere, last]


def test_of_a_call_that_began_is_told_when_it_goes_on(telling: Telling, clock: Clock) -> None:
    telling.begun(ANN, 3)
    clock.now_s += 4.9
    telling.begun(ANN, 3)
    assert telling.late() == []
    clock.now_s += 0.2
    assert telling.late() == [(ANN, 3)]
    assert telling.late() == []


def test_a_call_that_ended_tells_of_its_beginning_too(telling: Telling, clock: Clock) -> None:
    telling.begun(ANN, 3)
    telling.ask(Asked(ANN, 3, "1"))
    telling.due()
    clock.now_s += 60
    assert telling.late() == []
