"""Who is turned away, and when may he come again? A rule over what waits, and a gate that hears it."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.failures import Rejected
from forebay.contract.handlers import Context, Output, Route, Urgency
from forebay.contract.records import Request
from forebay.runtime.load.deadlines import CALM_MS, Gate, comes_again_ms
from forebay.runtime.stage import Stage
from forebay.settings import StageSettings
from forebay.state.waits import Wait
from forebay.testing import StageRunner

MS = st.integers(0, 1_000_000)
WAITS = st.lists(st.builds(Wait, queued_ms=MS, total_ms=MS), max_size=4)


def _urgency(left_ms: int, waited_ms: int = 0) -> Urgency:
    return Urgency(waited_ms=waited_ms, left_ms=left_ms)


def _wait(queued_ms: int, total_ms: int) -> Wait:
    return Wait(queued_ms=queued_ms, total_ms=total_ms)


@pytest.mark.parametrize(
    ("urgency", "ahead", "again_ms"),
    [
        (_urgency(1), [], None),  # nothing queues: a cache may answer it
        (_urgency(1), [_wait(0, 900)], None),  # a slow model is no queue
        (_urgency(5_000, waited_ms=4_000), [_wait(0, 900)], None),  # it waited, and there is time left
        (_urgency(800, waited_ms=4_000), [_wait(0, 900)], 4_000),  # as long as it waited
        (_urgency(2_000), [_wait(1_500, 1_600), _wait(300, 1_000)], 1_800),  # stages behind have queues
        (_urgency(500, waited_ms=600), [_wait(0, 501)], 1_000),  # not sooner than in a second
        (_urgency(500, waited_ms=90_000), [_wait(0, 501)], 30_000),  # not later than in half a minute
    ],
)
def test_who_is_turned_away(urgency: Urgency, ahead: list[Wait], again_ms: int | None) -> None:
    assert comes_again_ms(urgency, ahead) == again_ms


@given(MS, MS, WAITS)
def test_nobody_is_turned_away_where_nothing_queues_or_where_there_is_time(
    waited_ms: int, left_ms: int, ahead: list[Wait]
) -> None:
    again_ms = comes_again_ms(_urgency(left_ms, waited_ms), ahead)
    queued, total = waited_ms + sum(one.queued_ms for one in ahead), sum(one.total_ms for one in ahead)
    assert (again_ms is None) is (queued < CALM_MS or left_ms >= total)
    assert again_ms is None or 1_000 <= again_ms <= 30_000


@given(MS, MS, WAITS, MS)
def test_who_has_more_time_is_never_turned_away_in_place_of_one_who_has_less(
    waited_ms: int, left_ms: int, ahead: list[Wait], more_ms: int
) -> None:
    if comes_again_ms(_urgency(left_ms, waited_ms), ahead) is None:
        assert comes_again_ms(_urgency(left_ms + more_ms, waited_ms), ahead) is None


class Told:
    """What stages told."""

    def __init__(self, **waits: Wait) -> None:
        self.waits = waits
        self.asked = 0

    async def tell(self, stage: str, wait: Wait) -> None:
        raise AssertionError("a gate only hears")

    async def told(self) -> Mapping[str, Wait]:
        self.asked += 1
        return self.waits


async def test_a_gate_counts_the_stages_behind_it_alone() -> None:
    expected: list[int] = []
    told = Told(cache=_wait(2_000, 3_000), judge=_wait(60_000, 60_000))
    gate = Gate(told, ["cache", "response"], lambda: 10_000, expected.append)
    gate.check(_urgency(2_900))  # nobody has told anything yet
    await gate.listen()
    assert expected == [3_000]
    gate.check(_urgency(3_000))
    with pytest.raises(Rejected) as refused:
        gate.check(_urgency(2_900))
    assert (refused.value.code, refused.value.retry_at) == ("overloaded", 12_000)
    told.waits.clear()
    await gate.listen()
    gate.check(_urgency(2_900))


async def test_a_request_that_is_too_late_is_not_handled_and_one_without_a_deadline_is() -> None:
    handled: list[str] = []
    ended: list[str] = []
    told = Told(cache=_wait(2_000, 3_000))
    gate = Gate(told, ["cache"])
    await gate.listen()

    async def handle(request: Request, _context: Context) -> list[Output]:
        handled.append(request.request_id)
        return []

    def on_failure(request: Request | None, _context: Context, failure: Exception) -> list[Output]:
        assert request is not None
        assert isinstance(failure, Rejected)
        ended.append(f"{request.request_id} {failure.code}")
        return []

    route = Route(topic="requests", handle=handle, on_failure=on_failure, in_time=gate.check)
    runner = StageRunner(Stage(name="redaction", routes=[route], limits=StageSettings()))
    for request_id, deadline_ms in (("r-1", 2_000), ("r-2", 9_000), ("r-3", None)):
        outcome = await runner.send("requests", Request(request_id=request_id, deadline_ms=deadline_ms), key=request_id)
        assert (outcome.dead_letter, outcome.retry) == (None, None)
    assert (handled, ended) == (["r-2", "r-3"], ["r-1 overloaded"])
