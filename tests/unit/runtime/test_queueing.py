"""How long does what comes wait here? By what waits and how much is done, and told while something waits."""

import asyncio
from contextlib import suppress

import pytest

from forebay.runtime.load import queueing
from forebay.runtime.load.queueing import Queueing, keep_telling
from forebay.state.waits import Wait


class Bench:
    """A stage with so many records waiting, in hand and done."""

    def __init__(self) -> None:
        self.waiting = self.in_hand = self.done = self.waited_ms = 0
        self.now = 0.0
        self.queueing = Queueing(
            waiting=lambda: self.waiting,
            in_hand=lambda: self.in_hand,
            done=lambda: self.done,
            waited_ms=lambda: self.waited_ms,
            monotonic=lambda: self.now,
        )

    def second(self, done: int) -> Wait | None:
        self.now += 1
        self.done += done
        return self.queueing.look()


def test_what_waits_takes_as_long_as_it_takes_to_work_it_off() -> None:
    bench = Bench()
    assert bench.second(0) is None
    bench.waiting, bench.in_hand = 300, 50
    assert bench.second(50) == Wait(queued_ms=5_000, total_ms=6_000)


def test_who_is_in_hand_does_not_queue() -> None:
    bench = Bench()
    bench.second(0)
    bench.waiting, bench.in_hand = 20, 30  # of what waits the brokers told a while ago
    assert bench.second(20) == Wait(queued_ms=0, total_ms=1_500)


def test_the_age_of_what_is_taken_counts_before_the_brokers_have_told_that_more_waits() -> None:
    bench = Bench()
    bench.second(0)
    bench.in_hand, bench.waited_ms = 20, 1_700
    assert bench.second(20) == Wait(queued_ms=1_700, total_ms=2_700)


def test_nothing_waits_and_nothing_is_known() -> None:
    bench = Bench()
    bench.waiting = 9
    assert bench.second(0) is None
    assert bench.second(0) is None, "nothing was ever done: nobody knows how long it takes"
    bench.waiting = 0
    assert bench.second(10) is None


def test_a_second_without_an_answer_is_no_standstill_and_a_minute_is() -> None:
    bench = Bench()
    bench.second(0)
    bench.waiting = 100
    first = bench.second(10)
    pause = bench.second(0)
    assert first is not None
    assert pause is not None
    assert first.queued_ms < pause.queued_ms < 2 * first.queued_ms
    for _ in range(60):
        pause = bench.second(0)
    assert pause == Wait(queued_ms=600_000, total_ms=600_000)


class Heard:
    def __init__(self) -> None:
        self.told: list[tuple[str, Wait]] = []

    async def tell(self, stage: str, wait: Wait) -> None:
        self.told.append((stage, wait))


async def test_it_is_told_while_something_waits_and_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [None, Wait(queued_ms=1, total_ms=2), Wait(queued_ms=3, total_ms=4), None, None]

    class Looks(Queueing):
        def look(self) -> Wait | None:
            if not found:
                raise asyncio.CancelledError
            return found.pop(0)

    monkeypatch.setattr(queueing, "TELL_S", 0.0)
    heard = Heard()
    looks = Looks(waiting=lambda: 0, in_hand=lambda: 0, done=lambda: 0, waited_ms=lambda: 0)
    with suppress(asyncio.CancelledError):
        await keep_telling("cache", looks, heard)  # type: ignore[arg-type]  # it only tells
    assert [wait.total_ms for _, wait in heard.told] == [2, 4, 0]
