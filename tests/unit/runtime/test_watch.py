"""A watch: what it sees from outside, what it calls wrong, and what it does about it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus_client import CollectorRegistry

from forebay.kafka.group_offsets import Offsets
from forebay.kafka.lag import Waiting
from forebay.kafka.queries import BrokerUnavailableError, Place
from forebay.observability.metrics import Metrics, StageMetrics
from forebay.runtime.reading.watch import Problem, Subject, Watch
from forebay.testing import VirtualClock

A: Place = ("fb.requests", 0)
B: Place = ("fb.requests", 1)
GROUP = "fb.cache"


@dataclass
class Bench:
    """A stage that reads ``requests`` of two partitions, both by this worker, and brokers that say what they are told.

    Attributes:
        read: ids as they were when positions were last settled.
        rejoined: how often the group was asked to begin afresh.
    """

    offsets_: Offsets = field(
        default_factory=lambda: Offsets(
            first={A: 0, B: 0},
            end={A: 0, B: 0},
            finished={GROUP: {A: 0, B: 0}},
            assigned={GROUP: frozenset({A, B})},
            ids={"fb.requests": "one"},
        )
    )
    written: int | None = 0
    mine: frozenset[Place] = frozenset({A, B})
    read: Mapping[str, str] = field(default_factory=lambda: {"fb.requests": "one"})
    rejoined: int = 0
    failure: Exception | None = None
    hangs: bool = False
    idle: bool = False

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.registry = CollectorRegistry()
        self.watch = Watch(
            subject=Subject(
                group=GROUP,
                topics={"fb.requests": "requests"},
                still_s=60,
                mine=lambda: self.mine,
                read=lambda: self.read,
                rejoin=self._rejoin,
                idle=lambda _topic: self.idle,
            ),
            brokers=self,
            metrics=StageMetrics("cache", Metrics(self.registry)),
            clock_ms=self.clock,
            monotonic=self.clock.seconds,
        )

    def _rejoin(self) -> None:
        self.rejoined += 1

    async def offsets(self) -> Offsets:
        if self.failure is not None:
            raise self.failure
        if self.hangs:
            await asyncio.Event().wait()
        return self.offsets_

    async def times(self, places: Mapping[Place, tuple[int, int]]) -> Mapping[Place, int | None]:
        return dict.fromkeys(places, self.written)

    def brokers_say(self, **fields: Any) -> None:
        self.offsets_ = replace(self.offsets_, **fields)

    def counted(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    async def look(self, after_s: float = 0) -> Mapping[Problem, str]:
        self.clock.advance(after_s)
        await self.watch.look()
        return self.watch.problems


async def test_a_stage_with_nothing_to_do_has_no_lag_and_no_problem() -> None:
    bench = Bench()
    assert await bench.look() == {}
    assert bench.watch.found == {"requests": Waiting()}
    for gauge in ("forebay_consumer_lag", "forebay_consumer_lag_seconds"):
        assert bench.counted(gauge, stage="cache", topic="requests", partition="1") == 0


async def test_who_has_nothing_to_do_is_looked_at_less_often() -> None:
    bench = Bench()
    await bench.look()
    quiet = bench.watch.pause_s
    bench.brokers_say(end={A: 3, B: 0})
    await bench.look()
    busy = bench.watch.pause_s
    assert busy < quiet <= 4
    bench.brokers_say(end={A: 0, B: 0})
    await bench.look()
    assert bench.watch.pause_s == quiet
    bench.brokers_say(assigned={GROUP: frozenset({A})})
    await bench.look()
    assert bench.watch.pause_s == busy, "somebody is missing"


async def test_lag_is_told_of_this_workers_partitions_only() -> None:
    bench = Bench()
    bench.written = bench.clock() - 4_000
    bench.brokers_say(end={A: 3, B: 9})
    await bench.look()
    labels = {"stage": "cache", "topic": "requests", "partition": "1"}
    assert bench.watch.found == {"requests": Waiting(records=12, seconds=4.0)}
    assert (
        bench.counted("forebay_consumer_lag", **labels),
        bench.counted("forebay_consumer_lag_seconds", **labels),
    ) == (
        9,
        4,
    )
    bench.mine = frozenset({A})
    await bench.look()
    assert bench.watch.found == {"requests": Waiting(records=3, seconds=4.0)}
    assert bench.counted("forebay_consumer_lag", **labels) is None, "another worker tells of it"


async def test_a_position_that_does_not_move_though_records_wait_stands_still() -> None:
    bench = Bench()
    bench.brokers_say(end={A: 3, B: 0})
    assert await bench.look() == {}
    assert await bench.look(59) == {}
    [(problem, words)] = (await bench.look(2)).items()
    assert (problem, words) == (Problem.STANDING_STILL, "requests/0 has stood still at offset 0 for 61 s")
    assert bench.counted("forebay_stage_problem", stage="cache", problem="standing_still") == 1
    bench.brokers_say(finished={GROUP: {A: 1, B: 0}})
    assert await bench.look(1) == {}
    assert bench.counted("forebay_stage_problem", stage="cache", problem="standing_still") == 0


async def test_a_stage_that_stands_still_with_nothing_in_its_hands_begins_afresh_once_a_minute() -> None:
    bench = Bench()
    bench.brokers_say(end={A: 3, B: 0})
    await bench.look()
    await bench.look(61)
    assert bench.rejoined == 0, "something is in its hands"
    bench.idle = True
    for _ in range(10):
        await bench.look(2)
    assert bench.rejoined == 1
    await bench.look(60)
    assert bench.rejoined == 2
    bench.brokers_say(finished={GROUP: {A: 3, B: 0}})
    await bench.look(120)
    assert bench.rejoined == 2


async def test_a_position_that_does_not_move_where_nothing_waits_is_idle() -> None:
    bench = Bench()
    bench.written = None
    bench.brokers_say(end={A: 3, B: 0})
    for _ in range(5):
        assert await bench.look(60) == {}


async def test_a_topic_that_is_gone_is_a_problem_until_it_is_back() -> None:
    bench = Bench()
    before = bench.offsets_
    await bench.look()
    bench.brokers_say(first={}, end={}, assigned={GROUP: frozenset()}, ids={})
    for _ in range(3):
        assert (await bench.look(2))[Problem.TOPIC_MISSING] == "there is no topic requests"
    assert bench.counted("forebay_topic_changes_total", stage="cache", topic="requests", change="missing") == 1
    bench.offsets_ = before
    assert await bench.look(2) == {}


async def test_a_topic_made_again_has_the_group_begin_afresh_until_it_has() -> None:
    bench = Bench()
    bench.brokers_say(end={A: 7, B: 7}, finished={GROUP: {A: 7, B: 7}})
    await bench.look()
    bench.brokers_say(end={A: 1, B: 0}, finished={GROUP: {A: None, B: None}}, ids={"fb.requests": "two"})
    await bench.look(2)
    await bench.look(2)
    assert bench.rejoined == 2
    assert bench.counted("forebay_topic_changes_total", stage="cache", topic="requests", change="recreated") == 1
    assert bench.watch.ends == {A: 7, B: 7}, "where the old one ended says what is lost"
    bench.read = {"fb.requests": "two"}
    await bench.look(2)
    assert (bench.rejoined, bench.watch.ends) == (2, {A: 1, B: 0})


async def test_a_partition_that_nobody_reads_is_a_problem_after_a_rebalances_time() -> None:
    bench = Bench()
    bench.brokers_say(assigned={GROUP: frozenset({A})})
    assert await bench.look() == {}
    assert await bench.look(5) == {}
    assert await bench.look(2) == {Problem.UNASSIGNED: "nobody reads requests/1"}
    assert bench.rejoined == 1
    bench.brokers_say(assigned={GROUP: frozenset({A, B})})
    assert await bench.look(2) == {}


async def test_partitions_that_are_added_are_told_of() -> None:
    bench = Bench()
    await bench.look()
    more = {("fb.requests", number): 0 for number in range(4)}
    bench.brokers_say(first=more, end=more, assigned={GROUP: frozenset(more)})
    await bench.look(2)
    await bench.look(2)
    assert bench.counted("forebay_topic_changes_total", stage="cache", topic="requests", change="partitions_added") == 1


async def test_brokers_that_do_not_answer_are_a_problem_once_it_is_no_moment_any_more() -> None:
    bench = Bench()
    await bench.look()
    for failure in (BrokerUnavailableError("no broker answers at x:1"), RuntimeError()):
        bench.failure = failure
        assert await bench.look(5) == {}
        assert Problem.NO_BROKER in await bench.look(3)
        bench.failure = None
        assert await bench.look(1) == {}


async def test_a_look_that_never_comes_back_is_given_up_and_the_next_one_counts() -> None:
    bench = Bench()
    await bench.look()
    bench.hangs, patience = True, bench.watch.give_up_s
    bench.watch.give_up_s = 0.05
    assert Problem.NO_BROKER in await bench.look(8)
    bench.hangs, bench.watch.give_up_s = False, patience
    assert await bench.look(1) == {}
