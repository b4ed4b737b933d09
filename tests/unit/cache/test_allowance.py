"""Evidence is paid for by the second: a flood buys no more of it than there is CPU for."""

from forebay_agents.cache.error_bound.allowance import Allowance


class Clock:
    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


def test_a_flood_gets_so_many_a_second() -> None:
    clock = Clock()
    allowance = Allowance(2.0, clock)
    while allowance.take():  # what was saved
        pass
    given = 0
    for _ in range(6_000):  # a minute, a hundred a second
        clock.ms += 10
        given += allowance.take()
    assert 115 <= given <= 120


def test_who_asks_little_is_refused_nothing() -> None:
    clock = Clock()
    allowance = Allowance(1.0, clock)
    for _ in range(50):
        clock.ms += 1_000
        assert allowance.take()


def test_after_a_quiet_hour_ten_seconds_worth_is_saved_and_no_more() -> None:
    clock = Clock()
    allowance = Allowance(1.0, clock)
    clock.ms += 3_600_000
    assert sum(allowance.take() for _ in range(100)) == 10


def test_less_than_one_a_second_is_one_now_and_then() -> None:
    clock = Clock()
    allowance = Allowance(0.05, clock)
    assert allowance.take()
    clock.ms += 19_000
    assert not allowance.take()
    clock.ms += 2_000
    assert allowance.take()


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    clock = Clock()
    allowance = Allowance(1.0, clock)
    assert allowance.take()
    clock.ms -= 60_000
    assert allowance.take()
