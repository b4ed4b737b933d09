"""Does this stage move? Asked of the brokers every few seconds, by one who knows nothing of lanes and clients.

What a worker believes of itself can be wrong: a topic that was deleted and made again was read by nobody while every
part of the worker was content. So its topics are looked at from outside: are they there, are they still the same, does
a member of the group read each of their partitions, does the group's position move where records wait? What is wrong
makes the worker not ready and is counted; what a new beginning can mend has the group assign its partitions afresh,
after which every position is settled anew (:mod:`forebay.runtime.reading.positions`).
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import structlog

from forebay.contract.clock import Clock, now_ms
from forebay.kafka.group_offsets import Offsets
from forebay.kafka.lag import Sightings, Waiting, left, waiting
from forebay.kafka.queries import BrokerUnavailableError, Place
from forebay.observability.metrics import StageMetrics

log = structlog.get_logger(__name__)

_LOOK_S = 2.0
_QUIET_S = 4.0
"""Seconds between looks while nothing waits and nothing is wrong. With 2 s the looks of eight stages were a fifth of
what a stack costs that is asked nothing (40 of 202 ms of CPU a second); what is wrong is still found within 10 s."""
_PATIENCE_S = 5.5
"""Seconds that a partition may be without a reader, as in a rebalance, and brokers without an answer."""


_GIVE_UP_S = 40.0
"""Seconds after which a look is given up, longer than its questions may take. Once, after brokers had changed leaders,
one never came back, and its worker was not ready for the rest of its life although it worked."""


class Problem(StrEnum):
    """Why a worker is not ready."""

    TOPIC_MISSING = "topic_missing"
    UNASSIGNED = "unassigned"
    STANDING_STILL = "standing_still"
    NO_BROKER = "no_broker"


class Brokers(Protocol):
    """What is asked of the brokers. Both raise :class:`forebay.kafka.queries.BrokerUnavailableError`."""

    async def offsets(self) -> Offsets:
        """Of the stage's topics and group."""
        ...

    async def times(self, places: Mapping[Place, tuple[int, int]]) -> Mapping[Place, int | None]:
        """See :meth:`forebay.kafka.direct.Direct.times`."""
        ...


@dataclass(kw_only=True)
class Subject:
    """What is watched.

    Attributes:
        group: on the broker.
        topics: name on the broker to logical name.
        still_s: seconds after which a position that does not move stands still: longer than any record may take.
        mine: places that this worker has to read now.
        read: ids of the topics as they were when positions were last settled.
        rejoin: has the group assign its partitions afresh.
        idle: whether nothing of a topic is in this worker's hands.
    """

    group: str
    topics: Mapping[str, str]
    still_s: float
    mine: Callable[[], Collection[Place]]
    read: Callable[[], Mapping[str, str]]
    rejoin: Callable[[], None]
    idle: Callable[[str], bool] = lambda _topic: False


@dataclass(kw_only=True)
class Watch:
    """Looks at one stage; :attr:`problems` are those of the last look, in words.

    Attributes:
        found: what this worker has not finished, by logical topic, as of the last look.
        ends: where the partitions ended, as of the last look at which they were there.
    """

    subject: Subject
    brokers: Brokers
    metrics: StageMetrics
    clock_ms: Clock = now_ms
    monotonic: Callable[[], float] = time.monotonic
    give_up_s: float = _GIVE_UP_S
    problems: dict[Problem, str] = field(default_factory=dict)
    found: dict[str, Waiting] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)
    _seen: Sightings = field(default_factory=Sightings)
    _unread: dict[Place, float] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _shown: set[tuple[str, int]] = field(default_factory=set)
    _changed: set[tuple[str, str]] = field(default_factory=set)
    _answered: float | None = None
    _helped: float | None = None

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await self.look()
            await asyncio.sleep(self.pause_s)

    @property
    def pause_s(self) -> float:
        """Seconds until the next look."""
        busy = self.problems or self._unread or any(one.records for one in self.found.values())
        return _LOOK_S if busy else _QUIET_S

    async def look(self) -> None:
        """Look once; never raises."""
        now = self.monotonic()
        if self._answered is None:
            self._answered = now
        problems: dict[Problem, str] = {}
        try:
            async with asyncio.timeout(self.give_up_s):
                offsets = await self.brokers.offsets()
                places = {
                    place: bounds
                    for place, bounds in left(offsets).get(self.subject.group, {}).items()
                    if place[0] in self.subject.topics
                }
                times = await self.brokers.times({place: one for place, one in places.items() if one[0] < one[1]})
        except BrokerUnavailableError as error:
            if now - self._answered > _PATIENCE_S:
                problems[Problem.NO_BROKER] = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a client library raises: the next look may do better
            log.warning("look_failed", group=self.subject.group, error=type(error).__name__)
            if now - self._answered > _PATIENCE_S:
                problems[Problem.NO_BROKER] = f"brokers cannot be asked: {type(error).__name__}"
        else:
            self._answered = now
            self._missing(offsets, problems)
            self._changes(offsets)
            self._readers(offsets, now, problems)
            by_place = {place: {places[place][0]: time_ms} for place, time_ms in times.items() if place in places}
            lag = waiting(offsets, by_place, self.clock_ms(), self._seen).get(self.subject.group, {})
            self._show(lag)
            self._standing(places, lag, problems)
        self._tell(problems)

    def _missing(self, offsets: Offsets, problems: dict[Problem, str]) -> None:
        gone = self.subject.topics.keys() - {topic for topic, _ in offsets.end}
        if gone:
            names = sorted(self.subject.topics[topic] for topic in gone)
            problems[Problem.TOPIC_MISSING] = f"there is no topic {', '.join(names)}"
        self._changed = {(topic, what) for topic, what in self._changed if what != "missing" or topic in gone}
        for topic in gone:
            self._change(topic, "missing")

    def _changes(self, offsets: Offsets) -> None:
        """Topics made again, and partitions added: the group has to begin afresh, which it does not always notice."""
        settled = self.subject.read()
        sizes: dict[str, int] = {}
        for topic, _ in offsets.end:
            sizes[topic] = sizes.get(topic, 0) + 1
        for topic, size in sizes.items():
            known, now = settled.get(topic, ""), offsets.ids.get(topic, "")
            if known and now and known != now:
                self._change(topic, "recreated", now)
                self.subject.rejoin()
                continue  # where the old topic ended is still of use: it says what nobody has read of it
            if size > self._sizes.get(topic, size):
                self._change(topic, "partitions_added", str(size))
            self.ends |= {place: end for place, end in offsets.end.items() if place[0] == topic}
        self._sizes |= sizes

    def _change(self, topic: str, change: str, detail: str = "") -> None:
        """Tell of a change, once."""
        if (topic, change + detail) in self._changed:
            return
        self._changed.add((topic, change + detail))
        self.metrics.topic_changed(self.subject.topics[topic], change)
        log.warning("topic_changed", stage=self.metrics.stage, topic=self.subject.topics[topic], change=change)

    def _readers(self, offsets: Offsets, now: float, problems: dict[Problem, str]) -> None:
        """Whether some member of the group reads each partition."""
        read = offsets.assigned.get(self.subject.group, frozenset())
        unread = {place for place in offsets.end if place[0] in self.subject.topics} - read
        self._unread = {place: self._unread.get(place, now) for place in unread}
        late = sorted(place for place, since in self._unread.items() if now - since > _PATIENCE_S)
        if late:
            names = ", ".join(f"{self.subject.topics[topic]}/{partition}" for topic, partition in late[:4])
            problems[Problem.UNASSIGNED] = f"nobody reads {names}"
            self._unread |= dict.fromkeys(late, now - _PATIENCE_S / 2)  # ask again, but not with each look
            self.subject.rejoin()

    def _show(self, lag: Mapping[Place, Waiting]) -> None:
        mine = set(self.subject.mine())
        self.found = {}
        shown: set[tuple[str, int]] = set()
        for (topic, partition), one in lag.items():
            if (topic, partition) in mine:
                name = self.subject.topics[topic]
                so_far = self.found.get(name, Waiting())
                self.found[name] = Waiting(
                    records=so_far.records + one.records, seconds=max(so_far.seconds, one.seconds)
                )
                self.metrics.lag(name, partition, one.records, one.seconds)
                shown.add((name, partition))
        for name, partition in self._shown - shown:
            self.metrics.lag_elsewhere(name, partition)
        self._shown = shown

    def _standing(
        self, places: Mapping[Place, tuple[int, int]], lag: Mapping[Place, Waiting], problems: dict[Problem, str]
    ) -> None:
        """A position of ours that does not move though records wait."""
        now = self.clock_ms()
        for place in sorted(set(self.subject.mine()) & lag.keys()):
            if not lag[place].records:
                continue
            at = places[place][0]
            still_s = (now - self._seen.since(self.subject.group, place, at, now)) / 1000
            if still_s > self.subject.still_s:
                name = self.subject.topics[place[0]]
                problems[Problem.STANDING_STILL] = (
                    f"{name}/{place[1]} has stood still at offset {at:,} for {still_s:,.0f} s"
                )
                self._help(place[0])
                return

    def _help(self, topic: str) -> None:
        """Have a stage begin afresh that stands still with nothing in its hands: what waits is not even read.

        What a stage holds on purpose (a retry, what Redis has no room for) is in its hands. Workers of cost stood still
        in 2 of some 50 tests that add partitions, for as long as the tests looked (240 s).
        """
        now = self.monotonic()
        if not self.subject.idle(topic) or (self._helped is not None and now - self._helped < self.subject.still_s):
            return
        self._helped = now
        log.warning("reading_again", stage=self.metrics.stage, topic=self.subject.topics[topic])
        self.subject.rejoin()

    def _tell(self, problems: dict[Problem, str]) -> None:
        for problem in Problem:
            self.metrics.problem(problem.value, problem in problems)
            if problem in problems and problem not in self.problems:
                log.error("not_ready", stage=self.metrics.stage, problem=problem.value, message=problems[problem])
            elif problem in self.problems and problem not in problems:
                log.info("ready_again", stage=self.metrics.stage, problem=problem.value)
        self.problems = problems
