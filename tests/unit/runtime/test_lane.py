"""A lane: what it starts and when, what it acknowledges and when, and what a rebalance does to both."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced
from hypothesis import given, settings
from hypothesis import strategies as st

from forebay.contract import headers as h
from forebay.contract.failures import Permanent
from forebay.contract.handlers import Output
from forebay.kafka.producer import DeliveryError
from forebay.runtime.flight_recorder import FlightRecorder, Place
from tests.unit.runtime.bench import LaneBench, header, settle


@pytest.fixture
async def bench() -> AsyncIterator[LaneBench]:
    async with LaneBench(in_flight=8, window=8) as bench:
        bench.lane.assign({0, 1})
        yield bench


async def test_a_record_is_acknowledged_once_its_output_is_and_not_before(bench: LaneBench) -> None:
    bench.producer.hold = True
    bench.deliver(7)
    await settle()
    await bench.finish(7)
    assert [output.value for output in bench.producer.sent] == [b"out"]
    assert bench.acked == []
    bench.producer.release()
    await settle()
    assert bench.acked == [(0, 0, 7)]


async def test_records_end_in_any_order_and_are_acknowledged_in_theirs(bench: LaneBench) -> None:
    bench.deliver(1, 2, 3)
    await settle()
    await bench.finish(3)
    await bench.finish(2)
    assert (bench.acked, bench.lane.positions()) == ([], {})
    await bench.finish(1)
    assert bench.acked == [(0, 0, 1), (0, 0, 2), (0, 0, 3)]
    assert bench.lane.positions() == {0: 4}


async def test_a_slow_partition_does_not_hold_up_another(bench: LaneBench) -> None:
    bench.deliver(1)
    bench.deliver(5, partition=1)
    await settle()
    await bench.finish(5, partition=1)
    assert bench.acked == [(0, 1, 5)]


async def test_without_outputs_the_record_is_acknowledged_at_once(bench: LaneBench) -> None:
    bench.deliver(1)
    await settle()
    bench.working[0, 1].set_result([])
    await settle()
    assert (bench.producer.sent, bench.acked) == ([], [(0, 0, 1)])


async def test_what_cannot_be_delivered_ends_the_stage_and_is_not_acknowledged(bench: LaneBench) -> None:
    bench.producer.errors = [ProducerFenced()]
    bench.deliver(1, 2)
    await settle()
    await bench.finish(1)
    await bench.finish(2)
    [failure] = bench.failures
    assert isinstance(failure, DeliveryError)
    assert bench.acked == []


async def test_an_output_that_is_no_record_becomes_a_dead_letter_and_the_partition_goes_on(
    bench: LaneBench,
) -> None:
    bench.deliver(1, key=None, value=None)
    bench.deliver(2)
    await settle()
    bench.working[0, 1].set_result([Output(topic="retry.10s", key=None, value=None)])
    await bench.finish(2)
    assert (bench.failures, bench.acked) == ([], [(0, 0, 1), (0, 0, 2)])
    letter = next(record for record in bench.producer.sent if record.key == b"retry.10s-0-1")
    assert (letter.topic, letter.value, header(letter, "forebay-dlq-code")) == ("dlq", None, "output_too_large")


@pytest.mark.parametrize("error", [MessageSizeTooLargeError(), UnicodeEncodeError("utf-8", "x", 0, 1, "no")])
async def test_a_dead_letter_that_nobody_takes_is_written_without_its_bytes(error: Exception) -> None:
    async with LaneBench() as bench:
        bench.lane.assign({0})
        bench.producer.refusals = [error] if isinstance(error, ValueError) else []
        bench.producer.errors = [] if isinstance(error, ValueError) else [error] * 4
        bench.deliver(1, value=b"bytes")
        await settle()
        bench.working[0, 1].set_exception(Permanent("no_tier", "no"))
        while not bench.acked:
            await settle()
        letter = bench.producer.sent[-1]
        assert (letter.topic, letter.key, letter.value) == ("dlq", b"k", None)
        assert (header(letter, "forebay-dlq-code"), header(letter, h.WITHOUT_BYTES)) == ("no_tier", "refused")
        assert header(letter, h.LENGTH) == "5"
        assert header(letter, h.HASH) == "sha256:" + sha256(b"bytes").hexdigest()


class Deadly(FlightRecorder):
    """Knows the records of these offsets to have ended so many workers."""

    def __init__(self, **deaths: int) -> None:
        super().__init__()
        self.known = {("cache/retry.10s", 0, int(offset[1:])): times for offset, times in deaths.items()}

    def deaths(self, place: Place) -> int:
        return self.known.get(place, 0)

    def forget(self, place: Place) -> None:
        self.known.pop(place, None)


async def test_a_record_that_ended_two_workers_is_not_run_again() -> None:
    recorder = Deadly(_1=1, _2=2, _3=3)
    async with LaneBench(recorder=recorder) as bench:
        bench.lane.assign({0})
        bench.deliver(1, 2, 3, 4)
        await settle()
        assert bench.handled == [(0, 1), (0, 4)]
        letters = [(header(letter, "forebay-dlq-code"), letter.value) for letter in bench.producer.sent]
        assert letters == [("ended_worker", b"v"), ("ended_worker", None)]  # once more: not even its bytes are touched
        await bench.finish(1, 4)
        assert [offset for _, _, offset in bench.acked] == [1, 2, 3, 4]
        assert recorder.known == {}


async def test_so_many_in_flight_and_no_more() -> None:
    async with LaneBench(in_flight=3) as bench:
        bench.lane.assign({0})
        bench.deliver(*range(10))
        await settle()
        assert sorted(bench.working) == [(0, 0), (0, 1), (0, 2)]
        assert bench.lane.in_flight == 3
        await bench.finish(1)
        assert sorted(bench.working) == [(0, 0), (0, 2), (0, 3)]


async def test_an_ordered_route_works_on_one_record_at_a_time() -> None:
    async with LaneBench(in_flight=8, ordered=True) as bench:
        bench.lane.assign({0})
        bench.deliver(1, 2)
        await settle()
        assert list(bench.working) == [(0, 1)]
        await bench.finish(1)
        assert list(bench.working) == [(0, 2)]


async def test_bytes_in_flight_are_bounded_but_one_record_always_fits() -> None:
    async with LaneBench(in_flight=8, in_flight_bytes=100) as bench:
        bench.lane.assign({0})
        bench.deliver(1, value=b"x" * 500)
        bench.deliver(2, 3, value=b"x" * 60)
        bench.deliver(4, value=b"x" * 40)
        await settle()
        assert list(bench.working) == [(0, 1)]
        await bench.finish(1)
        assert list(bench.working) == [(0, 2)]
        await bench.finish(2)
        assert list(bench.working) == [(0, 3), (0, 4)]


async def test_the_window_bounds_what_a_slow_record_leaves_to_be_done_again() -> None:
    async with LaneBench(in_flight=8, window=4) as bench:
        bench.lane.assign({0})
        bench.deliver(*range(1, 9))
        await settle()
        await bench.finish(2, 3, 4)
        assert list(bench.working) == [(0, 1)]
        await bench.finish(1)
        assert sorted(bench.working) == [(0, 5), (0, 6), (0, 7), (0, 8)]


async def test_nothing_starts_before_the_partition_is_assigned() -> None:
    async with LaneBench() as bench:
        bench.deliver(1)
        await settle()
        assert bench.handled == []
        bench.lane.assign({0})
        await settle()
        assert bench.handled == [(0, 1)]


async def test_a_record_delivered_again_while_its_task_runs_joins_it(bench: LaneBench) -> None:
    bench.deliver(1, 2)
    await settle()
    await bench.rebalance(0)
    bench.deliver(1, 2)
    await settle()
    await bench.finish(2)
    await bench.finish(1)
    assert bench.handled == [(0, 1), (0, 2)]
    assert bench.acked == [(1, 0, 1), (1, 0, 2)]
    assert len(bench.producer.sent) == 2


async def test_a_record_that_ends_after_its_partition_went_is_left_to_who_has_it(bench: LaneBench) -> None:
    bench.deliver(1)
    await settle()
    await bench.rebalance(1)
    await bench.finish(1, paid=b"entry")
    assert bench.published == [b"entry"], "what was paid stands in the ledger, and nothing else comes twice"
    assert (bench.acked, bench.lane.positions(), bench.lane.in_flight) == ([], {}, 0)


async def test_what_ended_between_two_assignments_is_published_when_the_record_comes_again(bench: LaneBench) -> None:
    bench.deliver(1)
    await settle()
    bench.lane.revoke({0, 1})
    await bench.finish(1, paid=b"entry")
    assert bench.published == [b"entry"]
    bench.generation += 1
    bench.lane.assign({0, 1})
    bench.deliver(1)
    await settle()
    assert bench.published == [b"entry", b"out"]
    assert (bench.handled, bench.acked) == ([(0, 1)], [(1, 0, 1)])


async def test_what_another_worker_finished_meanwhile_is_not_published_again(bench: LaneBench) -> None:
    bench.deliver(1, 2)
    await settle()
    await bench.rebalance(0)  # it comes back, but behind what the other one has committed
    await bench.finish(1)
    bench.deliver(2)
    await settle()
    await bench.finish(2)
    assert (bench.published, bench.acked) == ([b"out"], [(1, 0, 2)])


async def test_outputs_that_are_kept_for_a_partition_that_went_are_forgotten(bench: LaneBench) -> None:
    bench.deliver(1)
    await settle()
    bench.lane.revoke({0, 1})
    await bench.finish(1)
    bench.generation += 1
    bench.lane.assign({1})
    await bench.rebalance(0, 1)
    bench.deliver(1)
    await settle()
    assert bench.handled == [(0, 1), (0, 1)], "whoever had it in between may have said something else"
    await bench.finish(1, output=b"again")
    assert bench.published == [b"again"]


async def test_a_worker_that_stood_still_publishes_nothing_until_the_group_has_answered(bench: LaneBench) -> None:
    bench.deliver(1)
    await settle()
    bench.confirmed = False
    bench.deliver(2)
    await bench.finish(1)
    assert (bench.published, bench.handled) == ([], [(0, 1)]), "and begins nothing"
    bench.confirmed = True
    while len(bench.handled) < 2:
        await asyncio.sleep(0.01)
    assert (bench.published, bench.acked) == ([b"out"], [(0, 0, 1)])


async def test_a_worker_that_stood_still_too_long_hears_it_and_leaves_all_to_its_successor(bench: LaneBench) -> None:
    bench.deliver(1)
    await settle()
    bench.confirmed = False
    await bench.finish(1, paid=b"entry")
    assert bench.published == []
    assert await bench.lane.drain({0, 1}) == {}
    await bench.rebalance(1)
    while bench.lane.in_flight:
        await asyncio.sleep(0.01)
    assert bench.published == [b"entry"]
    bench.confirmed = True
    await settle()
    assert (bench.published, bench.acked) == ([b"entry"], [])


async def test_a_record_that_restarts_is_left_to_the_worker_that_has_its_partition_now() -> None:
    async with LaneBench(restarts=True) as bench:
        bench.lane.assign({0, 1})
        bench.deliver(1, partition=0)
        bench.deliver(7, partition=1)
        await settle()
        await bench.rebalance(1)
        assert list(bench.working) == [(1, 7)]
        assert bench.failures == []
        await bench.rebalance(0, 1)
        bench.deliver(1, partition=0)
        bench.deliver(7, partition=1)
        await settle()
        assert bench.handled == [(0, 1), (1, 7), (0, 1)]
        await bench.finish(1, partition=0)
        await bench.finish(7, partition=1)
        assert bench.acked == [(2, 0, 1), (2, 1, 7)]
        assert len(bench.producer.sent) == 2


async def test_an_event_that_waited_across_a_rebalance_is_left_to_its_redelivery() -> None:
    async with LaneBench(in_flight=1) as bench:
        bench.lane.assign({0})
        bench.deliver(1, 2)
        await settle()
        await bench.rebalance(0)
        await bench.finish(1)
        assert bench.handled == [(0, 1)]
        bench.deliver(1, 2)
        await settle()
        assert bench.handled == [(0, 1), (0, 2)]
        await bench.finish(2)
        assert bench.acked == [(1, 0, 1), (1, 0, 2)]


async def test_an_event_of_an_older_generation_is_not_worked_on(bench: LaneBench) -> None:
    bench.generation = -1
    bench.deliver(1)
    bench.generation = 0
    await settle()
    assert bench.handled == []


async def test_draining_waits_for_what_runs_starts_nothing_and_says_where_to_commit() -> None:
    async with LaneBench(in_flight=1, drain_s=30.0) as bench:
        bench.lane.assign({0})
        bench.deliver(1, 2)
        await settle()
        draining = asyncio.create_task(bench.lane.drain({0}))
        await settle()
        assert not draining.done()
        await bench.finish(1)
        assert await draining == {("retry.10s", 0): 2}
        assert bench.handled == [(0, 1)]


async def test_draining_ends_though_a_record_does_not(bench: LaneBench) -> None:
    bench.deliver(1, 2)
    bench.deliver(9, partition=1)
    await settle()
    await bench.finish(1)
    assert await bench.lane.drain({0}) == {("retry.10s", 0): 2}
    assert sorted(bench.working) == [(0, 2), (1, 9)]


async def test_a_paused_lane_starts_nothing_and_lets_the_rest_end(bench: LaneBench) -> None:
    bench.deliver(1)
    await settle()
    bench.lane.pause()
    bench.deliver(2)
    await bench.finish(1)
    assert (bench.handled, bench.acked) == ([(0, 1)], [(0, 0, 1)])


async def test_closing_cancels_what_runs_without_an_acknowledgement(bench: LaneBench) -> None:
    bench.deliver(1)
    await settle()
    await bench.lane.close()
    assert (bench.lane.in_flight, bench.acked, bench.failures) == (0, [], [])


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.integers(1, 4)),
        st.tuples(st.just("finish"), st.integers(0, 7)),
        st.tuples(st.just("rebalance"), st.booleans()),
    ),
    max_size=30,
)


@given(_STEPS)
@settings(max_examples=40, deadline=None)
def test_whatever_happens_every_record_is_handled_and_acknowledged_in_order(steps: list[tuple[str, int]]) -> None:
    asyncio.run(_live(steps))


async def _live(steps: list[tuple[str, int]]) -> None:
    async with LaneBench(in_flight=3, window=5) as bench:
        bench.lane.assign({0})
        position = committed = highest = 0
        for step, number in steps:
            if step == "deliver":
                bench.deliver(*range(position, position + number))
                position += number
                highest = max(highest, position)
            elif step == "finish" and bench.working:
                places = sorted(bench.working)
                await bench.finish(places[number % len(places)][1])
            elif step == "rebalance":
                committed = bench.lane.positions().get(0, committed)
                await bench.rebalance(0)
                position = committed
            await settle()
            assert len(bench.working) <= 3
        bench.deliver(*range(position, highest))
        await settle()
        while bench.working:
            await bench.finish(*[offset for _, offset in bench.working])
        published = [record.key for record in bench.producer.sent]
        assert sorted(published) == sorted(str(offset).encode() for offset in range(highest)), "once each"
        now = [offset for generation, _, offset in bench.acked if generation == bench.generation]
        assert now == list(range(committed, highest))
        assert {offset for _, offset in bench.handled} >= set(range(highest))
        assert sorted(set(bench.handled)) == sorted(bench.handled), "handled twice though it was known"
