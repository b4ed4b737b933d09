"""How is a handler run so that nothing is lost? Read this, then one ``agents/forebay_agents/*/agent.py``, and write a
new stage.

A stage reads each of its topics in a *lane*. For every record a lane opens a slot in the partition's tracker, waits for
room (records and bytes in flight, window of the partition), and starts a task: process, deliver, finish the slot. The
finished head of each partition is acknowledged to Faust, in order and only then; whatever else Faust does around
acknowledgement loses messages (docs/explanation/delivery.md has the measurements). Tasks survive a rebalance: a record
that is delivered again while its task runs joins that task.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from forebay.contract.clock import now_ms
from forebay.contract.handlers import Route, WriteAhead
from forebay.contract.wire import Delivered, Encoded
from forebay.kafka.producer import Delivery, RefusedError
from forebay.observability.metrics import StageMetrics
from forebay.runtime.flight_recorder import DEADLY, FlightRecorder
from forebay.runtime.offset_tracker import PartitionTracker, Slot
from forebay.runtime.processing import Processor
from forebay.runtime.reading.passing_over import PassingOver
from forebay.runtime.reading.receiving import received
from forebay.settings import Settings, StageSettings
from forebay.state.cancelling import end

log = structlog.get_logger(__name__)

_HEARD_S = 0.05
"""Between two looks whether the group has answered a worker that stood still."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage: its name (also of its consumer group), what it does with which topic, and its limits.

    Attributes:
        setup: called with the Faust app before it starts, for what needs Faust itself (tables).
        background: runs as long as the stage does; it gets a function that publishes outputs.
        warnings: what an operator has to do though the stage serves, in words by kind: ``/readyz`` says it.
        awaited: logical topic of the requests that somebody waits for here; how long they wait is told to the stage
            that takes requests in (:mod:`forebay.runtime.load`).
        revoked: called when partitions were taken and what was running for them was drained, before others have them.
        warming: done when the stage can handle records; it joins its group meanwhile. Its failure ends the worker.
    """

    name: str
    routes: Sequence[Route]
    limits: StageSettings
    setup: Callable[[Any], None] | None = None
    background: Callable[[WriteAhead], Coroutine[Any, Any, None]] | None = None
    warming: "asyncio.Future[None] | None" = None
    warnings: Callable[[], Mapping[str, str]] = dict
    awaited: str = ""
    revoked: Callable[[], None] = lambda: None


OpenStage = Callable[[Settings], AbstractAsyncContextManager[Stage]]
"""What an entry point in the group ``forebay.stages`` names: opens the stage's connections and yields it."""

PartitionKey = tuple[str, int]
"""Logical topic and partition number."""


class Event(Protocol):
    """The part of ``faust.Event`` that a lane needs."""

    message: Any

    def ack(self) -> bool:
        """Tell Faust that the message is finished."""
        ...


class Lane:
    """Runs one route: one Faust agent's stream in, delivered outputs out.

    Args:
        fail: called with the exception when a record cannot be finished by this process at all.
        generation: current generation of the consumer group; acknowledgements of older ones are void.
        confirmed: whether this worker is known to be in its group still (:mod:`forebay.runtime.reading.membership`).
        recorder: notes which record's code is running.
    """

    def __init__(
        self,
        route: Route,
        processor: Processor,
        delivery: Delivery,
        limits: StageSettings,
        metrics: StageMetrics,
        *,
        fail: Callable[[BaseException], None],
        generation: Callable[[], int],
        confirmed: Callable[[], bool] = lambda: True,
        recorder: FlightRecorder | None = None,
    ) -> None:
        self.route = route
        self._recorder = recorder or FlightRecorder()
        self._name = f"{metrics.stage}/{route.topic}"
        self._number = self._recorder.number_of(self._name)
        self._processor = processor
        self._delivery = delivery
        self._limits = limits
        self._metrics = metrics
        self._fail = fail
        self._generation = generation
        self._confirmed = confirmed
        self._passing_over = PassingOver(route, metrics)
        self._capacity = 1 if route.ordered else route.in_flight or limits.in_flight
        self._trackers: dict[int, PartitionTracker] = {}
        self._owned: frozenset[int] = frozenset()
        self._tasks: dict[asyncio.Task[None], int] = {}
        self._bytes = 0
        self._room = asyncio.Event()
        self._closed = False
        self.done = 0
        """Records that were finished here, since the start."""
        self.waited_ms = 0
        """How long the record that was taken in hand last had lain on its topic."""

    async def run(self, events: AsyncIterator[Event]) -> None:
        """Start work on each event as room allows; returns when the stream ends."""
        async for event in events:
            source = received(self.route.topic, event.message)
            tracker = self._trackers.setdefault(source.partition, PartitionTracker())
            generation = event.message.generation_id
            passes = self._passing_over.passes(source)
            size = 0 if passes else len(source.value or b"")
            while generation == self._generation() and not (
                self._may_take(source.partition, tracker) and (passes or self._has_room(size))
            ):
                self._room.clear()
                await (self._room.wait() if self._confirmed() else asyncio.sleep(_HEARD_S))
            if generation != self._generation():
                continue  # its partition was revoked while it waited: it is delivered again, here or elsewhere
            slot = tracker.admit(source.offset, self._acknowledgement(event, generation))
            if slot is None:
                continue
            if passes and slot.withheld is None:
                tracker.finish(slot)
                self._passing_over.passed()
            else:
                self._start(source, slot, tracker, size)

    def _may_take(self, partition: int, tracker: PartitionTracker) -> bool:
        ours = partition in self._owned and self._confirmed() and not self._closed
        return ours and tracker.window < self._limits.window

    def _has_room(self, size: int) -> bool:
        fits = self._bytes + size <= self._limits.in_flight_bytes
        return not self._tasks or (len(self._tasks) < self._capacity and fits)

    def _acknowledgement(self, event: Event, generation: int) -> Callable[[], object]:
        def acknowledge() -> None:
            if generation == self._generation():
                event.ack()

        return acknowledge

    def _start(self, source: Delivered, slot: Slot, tracker: PartitionTracker, size: int) -> None:
        self._bytes += size
        self.waited_ms = max(0, now_ms() - source.timestamp_ms)
        task = asyncio.create_task(self._work(source, slot, tracker))
        self._tasks[task] = source.partition

        def ended(task: asyncio.Task[None]) -> None:
            del self._tasks[task]
            self.done += 1
            self._bytes -= size
            self._room.set()
            if not task.cancelled() and (error := task.exception()) is not None:
                self._fail(error)

        task.add_done_callback(ended)

    async def _work(self, source: Delivered, slot: Slot, tracker: PartitionTracker) -> None:
        place = (self._name, source.partition, source.offset)
        if slot.withheld is not None:
            outputs, slot.withheld = list(slot.withheld), None
        elif (deaths := self._recorder.deaths(place)) >= DEADLY:
            outputs = self._processor.ended_worker(source, deaths)
        else:
            work = self._processor.process(source)
            outputs = await self._recorder.watch(self._number, source.partition, source.offset, work)
        if not (slot.is_ours() and self._confirmed()):
            if (published := await self._ours_of(outputs, source, slot)) is None:
                return
            outputs = published
        again = False
        while outputs:
            try:
                await self._delivery.deliver(outputs)
                break
            except RefusedError as refused:
                outputs = self._processor.instead(source, refused, again=again)
                again = True
        self._recorder.forget(place)
        tracker.finish(slot)

    async def _ours_of(self, outputs: list[Encoded], source: Delivered, slot: Slot) -> list[Encoded] | None:
        """What of ``outputs`` is to be published; ``None``: the record is not ours now, and nothing is left to do.

        A worker that stood still waits until the group says whose its partitions are. An unfinished record is delivered
        again to whoever has its partition, so nothing is lost by not publishing it; published by two it would come
        twice. The ledger's entries are published in any case.
        """
        while slot.is_ours() and not self._confirmed():  # noqa: ASYNC110 - another thread hears the answers
            await asyncio.sleep(_HEARD_S)
        if slot.is_ours():
            return outputs
        rest = [output for output in outputs if not output.always]
        if len(rest) < len(outputs):
            with suppress(RefusedError):
                await self._delivery.deliver([output for output in outputs if output.always])
        if slot.is_ours():  # delivered again meanwhile
            return rest
        slot.withheld = rest
        self._metrics.withheld(self.route.topic)
        log.info("outputs_withheld", stage=self._name, outputs=len(rest), partition=source.partition)
        return None

    async def drain(self, partitions: set[int] | None = None) -> Mapping[PartitionKey, int]:
        """Start nothing more on the partitions, and let running tasks finish, for at most ``drain_s``.

        Args:
            partitions: only these; all by default.

        Returns:
            For each of the partitions with progress, the offset to commit.
        """
        self._owned = frozenset() if partitions is None else self._owned - partitions
        waiting = [task for task, partition in self._tasks.items() if partitions is None or partition in partitions]
        if waiting and self._confirmed():  # else the group has given them away, and no commit counts any more
            await asyncio.wait(waiting, timeout=self._limits.drain_s)
        return {
            (self.route.topic, partition): tracker.committable
            for partition, tracker in self._trackers.items()
            if tracker.committable is not None and (partitions is None or partition in partitions)
        }

    def revoke(self, partitions: set[int]) -> None:
        """The partitions were taken from this worker, or will be delivered to it afresh."""
        self._owned -= partitions
        for partition in partitions & self._trackers.keys():
            self._trackers[partition].revoke()

    def assign(self, partitions: set[int]) -> None:
        """These partitions are this worker's now; others are not any more."""
        self._owned = frozenset(partitions)
        self._room.set()
        for partition in self._trackers.keys() - partitions:
            if self.route.restarts:
                self._leave(partition)
            else:
                self._trackers[partition].forget_finished()

    def restart(self, partition: int) -> None:
        """The partition's offsets mean other records now: what is still running of the old ones joins none of them."""
        self._trackers[partition] = PartitionTracker()

    def _leave(self, partition: int) -> None:
        """What is still running of a partition that another worker has is done there."""
        del self._trackers[partition]
        for task in [task for task, of in self._tasks.items() if of == partition]:
            task.cancel()

    async def close(self) -> None:
        """Start nothing more; cancel what is still running. Cancelled records are delivered to another worker."""
        self._closed = True
        await end(list(self._tasks))

    def pause(self) -> None:
        """Start nothing more; what is running goes on."""
        self._closed = True

    @property
    def owned(self) -> frozenset[int]:
        """Partitions that this worker reads."""
        return self._owned

    @property
    def in_flight(self) -> int:
        """Records in tasks now."""
        return len(self._tasks)

    def positions(self) -> Mapping[int, int]:
        """Partition to the offset that would be committed now."""
        return {p: t.committable for p, t in self._trackers.items() if t.committable is not None}
