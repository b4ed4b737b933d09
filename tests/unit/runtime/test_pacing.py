"""Fetches wait with the rate: never for a lone request, longer the more records come."""

import pytest

from forebay.runtime.reading.pacing import Pace, Wait, wait
from forebay.testing import VirtualClock


@pytest.mark.parametrize(("rate", "ms"), [(0.0, 0), (1.0, 0), (10.0, 0), (25.0, 50), (40.0, 100), (5_000.0, 100)])
def test_a_stage_that_somebody_waits_for_waits_with_its_rate(rate: float, ms: int) -> None:
    found = wait(rate, 100)
    assert (found.ms, found.least_bytes > 1) == (ms, True) if ms else found == Wait()


@pytest.mark.parametrize(("rate", "ms"), [(0.0, 0), (1.0, 0), (3.0, 500), (5_000.0, 500)])
def test_a_stage_that_nobody_waits_for_lets_records_gather_as_soon_as_some_come(rate: float, ms: int) -> None:
    found = wait(rate, 100, patient=True)
    assert (found.ms, found.least_bytes > 1) == (ms, True) if ms else found == Wait()


def test_nothing_waits_where_it_may_not() -> None:
    assert wait(5_000.0, 0) == wait(5_000.0, 0, patient=True) == Wait()


def test_the_rate_is_that_of_the_last_half_second() -> None:
    clock = VirtualClock()
    pace = Pace(most_ms=100, monotonic=clock.seconds)
    pace.took(0)
    clock.advance(0.4)
    assert pace.took(10) is None, "too soon to say"
    clock.advance(0.1)
    assert pace.took(10) == Wait(least_bytes=1_000_000, ms=100), "20 in half a second"
    clock.advance(0.5)
    assert pace.took(1) == Wait(), "a request in a quiet time waits for nothing"
