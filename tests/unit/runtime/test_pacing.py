"""Fetches wait with the rate: never for a lone request, longer the more records come."""

import pytest

from forebay.contract.handlers import Route
from forebay.runtime.reading.pacing import Pace, Wait, pace_of, wait
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


async def _handle(*_: object) -> tuple[()]:
    return ()


def test_what_nobody_waits_for_counts_only_where_a_stage_does_nothing_else() -> None:
    asked, rows = Route(topic="asked", handle=_handle), Route(topic="rows", handle=_handle, patient=True)
    topics = {"fb.asked": "asked", "fb.rows": "rows"}
    both, behind = pace_of([asked, rows], topics, 100), pace_of([rows], {"fb.rows": "rows"}, 100)
    assert (both.topics, both.patient) == ({"fb.asked"}, False)
    assert (behind.topics, behind.patient) == ({"fb.rows"}, True)
