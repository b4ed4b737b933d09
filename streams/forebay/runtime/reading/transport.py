"""How does Faust read for us? Its aiokafka transport, with a shortcut for every record, and with positions of ours.

Positions are settled by us (:mod:`forebay.runtime.reading.positions`) whenever partitions are assigned: the client
would go to the beginning without a word where an offset is no place any more, and Faust would drop what it finds there
as seen. While it reads, a position that is lost has the group assign its partitions afresh, so that all of this happens
in one place.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka.consumer.fetcher import OffsetResetStrategy
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from mode.services import WaitResults

from forebay.contract.clock import now_ms
from forebay.contract.commit_memo import Memo
from forebay.runtime.reading.pacing import Pace
from forebay.runtime.reading.positions import Log, Resume, resume
from forebay.runtime.reading.stepping import go_on
from forebay.state.cancelling import end

log = structlog.get_logger(__name__)

_SETTLE_S = 10.0
"""Longest wait for the brokers' answer about positions; longer, and the group would throw the worker out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """Where a stage goes on in a partition (topic's name on the broker), and why."""

    topic: str
    partition: int
    found: Resume
    went_on: int


@dataclass(kw_only=True, slots=True)
class Reading:
    """What the transport needs to know of the stage.

    Attributes:
        topics: names on the broker of the topics whose positions are ours to settle; changelogs are Faust's.
        ids: asks the brokers for the ids of ``topics``; blocks; empty where they cannot tell.
        settled: called, in the thread that reads, with every decision.
        known: the ids as they were when positions were last settled.
        pace: how long fetches wait for more.
    """

    topics: frozenset[str] = frozenset()
    ids: Callable[[], Mapping[str, str]] = dict
    settled: Callable[[Sequence[Settled]], object] = lambda _settled: None
    known: Mapping[str, str] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)


class _Consumer(Consumer):
    """Faust's consumer without three tasks a record, and without a pause of 1 s whenever its buffers were full."""

    def __post_init__(self) -> None:
        self._activity = asyncio.Event()

    async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:  # noqa: ASYNC109 - the base class's signature
        """Wait for the first of ``coros``, trying the first one without a task.

        Faust passes every record to its stream by ``wait_first(on_message(record), suspend_flow.wait())``: three tasks
        and an ``asyncio.wait``, though a queue with room never waits. So step the first coroutine once, and only
        when it does wait take the long way. With lanes that read past the stream: 183 for 389 µs a record.
        """
        first, *others = coros
        if not asyncio.iscoroutine(first) or self._stopped.is_set() or self._crashed.is_set():
            return await super().wait_first(*coros, timeout=timeout)
        try:
            waiting_for = first.send(None)
        except StopIteration as end:
            for other in others:
                if asyncio.iscoroutine(other):
                    other.close()
            return WaitResults([first], [end.value], stopped=False)
        return await super().wait_first(go_on(first, waiting_for), *others, timeout=timeout)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - the base class's signature
        """As Faust does, but when every partition is held back by a full buffer, go on as soon as one is not.

        The base class sleeps for 1 s then, and a stage runs dry: 3,460 instead of 5,490 records/s.
        """
        if self.flow_active and not self._get_active_partitions():
            self._activity.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._activity.wait(), 1.0)
            if not self._get_active_partitions():
                return {}, set()
        return await super()._wait_next_records(timeout)

    def on_buffer_drop(self, tp: TP) -> None:
        """A buffer has room again."""
        super().on_buffer_drop(tp)
        self._activity.set()

    def resume_partitions(self, tps: Any) -> None:
        """Partitions may be read again."""
        super().resume_partitions(tps)
        self._activity.set()

    def stop_flow(self) -> None:
        """No more records: a rebalance has begun."""
        super().stop_flow()
        self._activity.set()

    def highwater(self, tp: TP) -> int:
        """0: Faust asks before each record, for a monitor that nobody reads; lag is a metric of our own."""
        return 0

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust would call a stream slow that our lanes read past it."""

    def rejoin(self) -> None:
        """Have the group assign its partitions afresh."""
        thread: Any = self._thread
        thread.rejoin()

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class _ConsumerThread(AIOKafkaConsumerThread):
    """The thread that reads; it reads committed records only: a replay that was aborted halfway must not be seen."""

    @property
    def _reading(self) -> Reading:
        app: Any = self.app
        reading: Reading = app.reading
        return reading

    def _create_worker_consumer(self, transport: Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - Faust offers it with its own transactions only
        return consumer

    async def on_start(self) -> None:
        """Connect, and listen to what the group's coordinator says."""
        await super().on_start()
        app: Any = self.app
        app.membership.watch(self._ensure_consumer()._coordinator)  # noqa: SLF001 - no public accessor

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Tell the stage, unless it stops."""
        await self._unless_stopping(super().on_partitions_revoked(revoked))

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
        """Tell the stage, unless it stops."""
        await self._unless_stopping(super().on_partitions_assigned(assigned, generation_id))

    async def _unless_stopping(self, telling: Coroutine[Any, Any, None]) -> None:
        """Wait for the stage's side of a rebalance, but not once the thread stops.

        The stage has committed by then; its side may ask this thread for a commit, which nobody answers any more:
        workers that were stopped while others joined hung for ever (2 of 30).
        """
        told, stopped = asyncio.ensure_future(telling), asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait({told, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not self._stopped.is_set():
                await told
        finally:
            await end([told, stopped])

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Settle every assigned partition; the offsets to go on at."""
        positions: Mapping[TP, int] = await self.call_thread(self._settle)
        return positions

    async def _settle(self) -> Mapping[Any, int]:
        consumer = self._ensure_consumer()
        coordinator, assigned = consumer._coordinator, sorted(consumer.assignment())  # noqa: SLF001
        assignment = consumer._subscription.subscription.assignment  # noqa: SLF001
        ours = [tp for tp in assigned if tp.topic in self._reading.topics]
        async with asyncio.timeout(_SETTLE_S):
            committed = await coordinator.fetch_committed_offsets(assigned)
            ids = await asyncio.to_thread(self._reading.ids)
            first = await consumer.beginning_offsets(ours) if ours else {}
            end = await consumer.end_offsets(ours) if ours else {}
        positions = {tp: known.offset for tp, known in committed.items() if known.offset >= 0 and tp not in ours}
        settled: list[Settled] = []
        for tp in ours:
            known = committed.get(tp)
            at = known.offset if known is not None and known.offset >= 0 else None
            memo = Memo.decode(known.metadata if known is not None else "")
            found = resume(at, memo, Log(topic_id=ids.get(tp.topic, ""), first=first[tp], end=end[tp]))
            positions[tp] = found.offset if found.offset is not None else await self._since(tp, found.since_ms, end[tp])
            settled.append(Settled(topic=tp.topic, partition=tp.partition, found=found, went_on=positions[tp]))
        self._reading.known = ids
        for tp, offset in positions.items():
            consumer._fetcher.seek_to(tp, offset)  # noqa: SLF001 - as the library's own seek_to_committed does
        self._reading.settled(settled)
        moved = {one: positions[one] for one, of in zip(ours, settled, strict=True) if of.found.gap or of.found.fresh}
        if moved:
            with contextlib.suppress(KafkaError):  # a rebalance meanwhile: they are settled again after it
                await coordinator.commit_offsets(assignment, self._with_memos(moved))
        return positions

    async def _since(self, tp: Any, since_ms: int, end: int) -> int:
        found = (await self._ensure_consumer().offsets_for_times({tp: since_ms}))[tp]
        return end if found is None else int(found.offset)

    def _with_memos(self, offsets: Mapping[Any, int]) -> dict[Any, OffsetAndMetadata]:
        known, at_ms = self._reading.known, now_ms()
        return {
            TopicPartition(tp.topic, tp.partition): OffsetAndMetadata(
                offset, Memo(topic_id=known.get(tp.topic, ""), at_ms=at_ms).encode()
            )
            for tp, offset in offsets.items()
        }

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """As Faust does, with memos, and without an end of the worker because a topic is gone."""
        assigned = self.assignment()
        mine = {tp: offset for tp, offset in offsets.items() if tp in assigned}
        try:
            await self._ensure_consumer().commit(self._with_memos(mine))
        except UnknownTopicOrPartitionError:
            return False  # deleted: whoever watches the topics says so
        except CommitFailedError as error:
            if "already rebalanced" not in str(error):
                await self.crash(error)
            return False
        except (IllegalStateError, Exception) as error:  # noqa: BLE001 - as in the base class
            log.error("commit_failed", error=type(error).__name__, message=str(error))
            await self.crash(error)
            return False
        return True

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class's signature
        max_records: int | None = None,
    ) -> Any:
        """As Faust does, but a lost position is settled anew, and fetches wait as long as the pace says."""
        try:
            fetched = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            [lost] = error.args
            for tp in lost if isinstance(lost, dict) else [lost]:
                if tp.topic in self._reading.topics:
                    log.warning("position_lost", topic=tp.topic, partition=tp.partition)
                    consumer._coordinator.request_rejoin()  # noqa: SLF001 - there is no public way
                else:
                    state = consumer._subscription.subscription.assignment.state_value(tp)  # noqa: SLF001
                    state.await_reset(OffsetResetStrategy.EARLIEST)
            return {}
        pace = self._reading.pace
        wait = pace.took(sum(len(of) for tp, of in fetched.items() if tp.topic in pace.topics))
        if wait is not None:
            fetcher = consumer._fetcher  # noqa: SLF001 - it reads both for each request, and offers no setter
            fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = wait.least_bytes, wait.ms  # noqa: SLF001
        return fetched

    def rejoin(self) -> None:
        """Have the group assign its partitions afresh; from any thread."""
        consumer = self._consumer
        if consumer is not None:
            self.thread_loop.call_soon_threadsafe(consumer._coordinator.request_rejoin)  # noqa: SLF001


class ForebayTransport(Transport):
    """Faust's transport with the classes above."""

    Consumer = _Consumer
