"""What entries of a moment become: few records, answers once these are delivered, nothing while the tables change."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from forebay.contract.handlers import Output
from forebay.contract.records import UsageEvent, UsageStatus
from forebay_agents.cost.gathering import gathering as module
from forebay_agents.cost.gathering.gathering import Gathering, Hands
from forebay_agents.cost.gathering.telling import Telling
from tests.unit.cost.gathering.bench import Disk, Tables
from tests.unit.cost.ledgers import HOUR, entry, settled, started

TURNS = 12
"""Of the event loop, in which everything has happened that can."""


class Bench:
    def __init__(self) -> None:
        self.tables = Tables(Disk())
        self.ready = True
        self.mine = {0}
        self.now_s = 0.0
        self.slept: list[float] = []
        self.offset = 0
        hands = Hands(ready=lambda: self.ready, mine=lambda: self.mine)
        self.keys = iter(map(str, range(1_000)))
        self.gathering = Gathering(
            self.tables.attempts,
            self.tables.spend,
            hands,
            key=lambda: next(self.keys),
            telling=Telling(lambda: self.now_s),
            clock_ms=lambda: 1,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def book(self, *entries: UsageEvent, partition: int = 0) -> list["asyncio.Task[Sequence[Output]]"]:
        tasks = []
        for one in entries:
            work = self.gathering.book(one, partition=partition, offset=self.offset, taken_ms=500 * HOUR)
            tasks.append(asyncio.ensure_future(work))
            self.offset += 1
        return tasks

    async def turn(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """Until nothing is under way."""
        for _ in range(3):
            await self.turn()
            for one in list(self.tables.sent):
                self.tables.deliver(one)
        await self.turn()

    def written(self) -> dict[str, int]:
        return {table: len(records) for table, records in self.tables.disk.records.items()}


@pytest.fixture
async def bench() -> Any:
    bench = Bench()
    yield bench
    await bench.gathering.close()


async def test_a_call_is_two_records_and_its_three_rows(bench: Bench) -> None:
    began, ended = bench.book(started("a"), settled("a", 70))
    await bench.settle()
    assert bench.written() == {"attempts": 1, "spend": 1}
    assert began.result() == ()
    assert [output.value.cost_nanousd for output in ended.result() if output.value] == [70, 70, 70]  # type: ignore[union-attr]


async def test_many_entries_of_one_user_are_two_records_and_three_rows(bench: Bench) -> None:
    *_, last = tasks = bench.book(*(settled(f"a{number}", 1) for number in range(100)))
    await bench.settle()
    assert bench.written() == {"attempts": 1, "spend": 1}
    assert [len(task.result()) for task in tasks[:-1]] == [0] * 99
    assert {output.value.cost_nanousd for output in last.result()} == {100}  # type: ignore[union-attr]


async def test_nothing_is_acknowledged_or_known_before_it_is_delivered(bench: Bench) -> None:
    [task] = bench.book(settled("a", 1))
    await bench.turn()
    assert len(bench.tables.sent) == 2
    bench.tables.deliver(bench.tables.sent[0])
    await bench.turn()
    assert not task.done()
    assert not bench.tables.spend.rows
    bench.tables.deliver(bench.tables.sent[0])
    await bench.turn()
    assert len(task.result()) == 3


async def test_a_repetition_is_no_record_and_nothing_is_told_of_it(bench: Bench) -> None:
    _, repeated = bench.book(settled("a", 1), settled("a", 1))
    await bench.settle()
    [again] = bench.book(settled("a", 1))
    before = bench.written()
    await bench.settle()
    assert repeated.result() == again.result() == ()
    assert bench.written() == before


async def test_rows_are_told_once_a_second_and_then_say_everything(bench: Bench) -> None:
    [first] = bench.book(settled("a", 1))
    await bench.settle()
    assert len(first.result()) == 3
    second, third = bench.book(settled("b", 2), settled("c", 4))
    await bench.settle()
    assert second.result() == ()
    assert not third.done()
    bench.now_s += 1.1
    await bench.settle()
    assert {output.value.cost_nanousd for output in third.result()} == {7}  # type: ignore[union-attr]


async def test_a_call_that_goes_on_is_told_of_with_its_worst_case(bench: Bench) -> None:
    [began] = bench.book(started("a", 900))
    await bench.settle()
    assert (began.result(), bench.gathering.late()) == ((), [])
    bench.now_s += 6
    assert {output.value.pending_nanousd for output in bench.gathering.late()} == {900}  # type: ignore[union-attr]
    assert bench.gathering.late() == []


async def test_a_beginning_that_comes_after_its_end_is_told_of(bench: Bench) -> None:
    bench.book(settled("a", 70))
    await bench.settle()
    bench.now_s += 2
    [began] = bench.book(started("a", 900))
    await bench.settle()
    assert {output.value.calls for output in began.result()} == {1}  # type: ignore[union-attr]


async def test_whoever_takes_a_partition_over_tells_of_calls_that_are_open(bench: Bench) -> None:
    bench.book(started("a", 900))
    await bench.settle()
    after = Bench()
    after.tables = Tables(bench.tables.disk)
    heir = Gathering(
        after.tables.attempts,
        after.tables.spend,
        Hands(ready=lambda: True, mine=lambda: {0}),
        key=str,
        telling=Telling(lambda: after.now_s),
    )
    heir.remember_open()
    after.now_s += 6
    assert {output.value.pending_nanousd for output in heir.late()} == {900}  # type: ignore[union-attr]


async def test_nothing_is_sent_or_told_while_the_tables_change_hands(bench: Bench) -> None:
    bench.ready = False
    [task] = bench.book(settled("a", 1))
    bench.now_s += 60
    await bench.turn()
    assert (bench.tables.sent, bench.gathering.late()) == ([], [])
    bench.ready = True
    await bench.settle()
    assert len(task.result()) == 3


async def test_what_is_delivered_while_the_tables_change_hands_is_told_afterwards(bench: Bench) -> None:
    [task] = bench.book(settled("a", 1))
    await bench.turn()
    bench.ready = False
    await bench.settle()
    assert not task.done()
    bench.ready = True
    await bench.settle()
    assert len(task.result()) == 3


async def test_entries_of_a_partition_that_another_worker_has_now_are_never_sent(bench: Bench) -> None:
    bench.ready = False
    [ours] = bench.book(settled("a", 1))
    [theirs] = bench.book(settled("b", 1, user_id="v"), partition=1)
    await bench.turn()
    theirs.cancel()  # as the lane does when it learns of it
    bench.ready = True
    await bench.settle()
    assert len(ours.result()) == 3
    assert [*bench.tables.attempts.rows] == ["a"]


async def test_a_delivery_that_fails_is_made_again_with_what_came_since(bench: Bench) -> None:
    [first] = bench.book(settled("a", 1))
    await bench.turn()
    for one in list(bench.tables.sent):
        bench.tables.fail(one, written=False)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert bench.gathering.unwritten == "ConnectionError"
    [second] = bench.book(settled("b", 2))
    await bench.settle()
    assert (first.result(), bench.gathering.unwritten) == ((), "")
    assert {output.value.cost_nanousd for output in second.result()} == {3}  # type: ignore[union-attr]
    assert bench.written() == {"attempts": 1, "spend": 1}


async def test_an_entry_that_was_sent_is_applied_again_though_nobody_waits_any_more(bench: Bench) -> None:
    [gone] = bench.book(settled("a", 1))
    await bench.turn()
    gone.cancel()
    for one in list(bench.tables.sent):
        bench.tables.fail(one, written=True)
    await bench.settle()
    assert [row["cost_nanousd"] for row in bench.tables.spend.rows.values()] == [1, 1, 1]


async def test_one_entry_from_beyond_time_fails_alone(bench: Bench) -> None:
    good, bad = bench.book(settled("a", 1), entry("b", UsageStatus.SETTLED, started_at=-(2**62)))
    await bench.settle()
    assert len(good.result()) == 3
    with pytest.raises((ValueError, OverflowError, OSError)):
        bad.result()


async def test_entries_are_applied_in_the_order_of_their_offsets(bench: Bench) -> None:
    bench.offset = 7
    [late] = bench.book(settled("a", 1))
    bench.offset = 3
    [early] = bench.book(settled("b", 2))
    await bench.settle()
    assert early.result() == ()
    assert {output.value.cost_nanousd for output in late.result()} == {3}  # type: ignore[union-attr]


async def test_a_full_house_does_not_wait(bench: Bench) -> None:
    forever = asyncio.Event()

    async def never(_seconds: float) -> None:
        await forever.wait()

    bench.gathering._sleep = never
    bench.book(*(settled(f"a{number}", 1) for number in range(module._MOST)))
    await bench.turn()
    assert len(bench.tables.sent) == 2


async def test_nothing_runs_when_nothing_waits(bench: Bench) -> None:
    bench.book(settled("a", 1))
    await bench.settle()
    slept = len(bench.slept)
    await bench.turn()
    assert (bench.gathering._running, len(bench.slept)) == (None, slept)
