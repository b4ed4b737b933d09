"""How does a stage live? Connect, join the group, keep lanes and assignments in step, drain, commit, leave."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer

from forebay.avro.codec import open_codecs
from forebay.avro.encoding import Encoding
from forebay.avro.registry import open_registry
from forebay.contract.handlers import Output
from forebay.contract.names import group_on_broker, topic_on_broker
from forebay.contract.topics import topic_named
from forebay.kafka.hints.writing import HintWriter
from forebay.kafka.producer import Delivery, Linger, new_producer, renew_identity
from forebay.kafka.queries import Place
from forebay.observability.metrics import StageMetrics
from forebay.privacy.sealing import load_keyring
from forebay.runtime.fair_queue import FairQueue
from forebay.runtime.faust_app import TP, new_faust_app, raw_schema
from forebay.runtime.flight_recorder import FlightRecorder
from forebay.runtime.load.queueing import keep_telling, queueing_of
from forebay.runtime.processing import Processor, queue_of
from forebay.runtime.reading.brokers import LiveBrokers
from forebay.runtime.reading.pacing import pace_of
from forebay.runtime.reading.positions import Gap, StaleTablesError, lost_records
from forebay.runtime.reading.transport import Reading, Settled
from forebay.runtime.reading.watch import Subject, Watch
from forebay.runtime.rules import rules_of, trusted_by
from forebay.runtime.stage import Lane, Stage
from forebay.settings import KafkaSettings, Settings, VaultSettings, WorkerSettings
from forebay.state.replays import RedisReplays
from forebay.state.waits import RedisWaits
from forebay.tracing.tracer import Tracer

log = structlog.get_logger(__name__)

_STILL_S = 30.0
"""Seconds beyond the longest time of a handler until a position that does not move stands still."""
_STOP_S = 20.0
"""Longest wait for Faust to stop: what counts is committed by then, and the group notices the end of the process."""


class StageApp:
    """A running stage: Faust app, lanes and producer.

    Args:
        stage: what to run.
        settings: configuration of the substrate.
        recorder: notes which record's code is running; of the whole worker, as is the tracer.
    """

    def __init__(
        self, stage: Stage, settings: Settings, recorder: FlightRecorder | None = None, tracer: Tracer | None = None
    ) -> None:
        self.stage = stage
        self._recorder = recorder or FlightRecorder()
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._kafka = settings[KafkaSettings]
        self._metrics = StageMetrics(stage.name)
        self._producer: AIOKafkaProducer = new_producer(self._kafka)
        self._lanes: dict[str, Lane] = {}
        self._background: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._topics = {topic_on_broker(route.topic, self._kafka): route.topic for route in stage.routes}
        group = group_on_broker(stage.name, self._kafka, stage.limits.version)
        self._brokers = LiveBrokers(self._kafka, group, list(self._topics))
        loop = asyncio.get_running_loop()
        self._reading = Reading(
            topics=frozenset(self._topics),
            ids=self._brokers.ids,
            settled=lambda settled: loop.call_soon_threadsafe(self._settled, settled),
            pace=pace_of(stage.routes, self._topics, stage.limits.fetch_wait_ms),
        )
        self.faust = new_faust_app(stage, self._kafka, settings[WorkerSettings].instance, self._recorder, self._reading)
        self.watch = Watch(
            subject=Subject(
                group=group,
                topics=self._topics,
                still_s=stage.limits.timeout_s + _STILL_S,
                mine=self._mine,
                read=lambda: self._reading.known,
                rejoin=self._rejoin,
                idle=lambda topic: not self._lanes[topic].in_flight,
            ),
            brokers=self._brokers,
            metrics=self._metrics,
        )
        self._watching: asyncio.Task[None] | None = None
        self._codecs = open_codecs(settings, open_registry(settings))
        self._replays = RedisReplays(settings)
        self._waits = RedisWaits(settings)
        self._telling: asyncio.Task[None] | None = None
        self._rules = rules_of(
            stage.name,
            stage.routes,
            stage.limits,
            settings,
            self._codecs,
            keyring=lambda: load_keyring(settings[VaultSettings]),
            trusted=trusted_by(stage.name, stage.routes, settings, self._replays),
            tracer=tracer,
        )
        linger = Linger(self._producer, stage.limits.linger_ms / 1000)
        self._delivery = Delivery(
            self._producer, self._kafka, self._metrics, linger, renew=partial(renew_identity, self._producer)
        )
        self._hints = HintWriter(self._kafka, self._metrics)
        self._add_lanes()
        on_revoked: Any = self.faust.on_partitions_revoked  # mode's signal types do not admit bound methods
        on_assigned: Any = self.faust.on_partitions_assigned
        on_revoked.connect(self._on_revoked)
        on_assigned.connect(self._on_assigned)
        if stage.setup is not None:
            stage.setup(self.faust)

    async def start(self) -> None:
        """Connect and join the consumer group; returns once started, see :attr:`ready`."""
        for codec in self._codecs.values():
            codec.warm()
        await self._producer.start()
        await self.faust.start()
        self._watching = asyncio.create_task(self.watch.run())
        if topic := self.stage.awaited:
            queueing = queueing_of(topic, self._lanes[topic_on_broker(topic, self._kafka)], self.watch)
            self._telling = asyncio.create_task(keep_telling(self.stage.name, queueing, self._waits))
        if self.stage.background is not None:
            self._background = asyncio.create_task(self.stage.background(self.publish))
            self._background.add_done_callback(self._background_ended)

    async def stop(self) -> None:
        """Finish what is running (for ``drain_s``), commit, leave the group."""
        for task in (self._background, self._watching, self._telling):
            if task is not None:
                task.cancel()
        for lane in self._lanes.values():
            lane.pause()
        await self._commit(await self._drain())
        stopping = asyncio.create_task(self.faust.stop())
        if not (await asyncio.wait({stopping}, timeout=_STOP_S))[0]:
            log.error("stop_unfinished", stage=self.stage.name)
        for lane in self._lanes.values():
            await lane.close()
        await asyncio.to_thread(self._hints.close)
        await self._producer.stop()
        await self._replays.close()
        await self._waits.close()
        await self._brokers.close()

    @property
    def ready(self) -> bool:
        """Whether partitions have been assigned, the stage is warm, and the app has not failed."""
        warm = self.stage.warming is None or self.stage.warming.done()
        return warm and self._ready.is_set() and not self.failure.done() and not self.faust.crashed

    async def wait_failed(self) -> None:
        """Return when the stage cannot go on. Raises what made it fail."""
        crashed = asyncio.create_task(self._crashed())
        try:
            await asyncio.wait({self.failure, crashed}, return_when=asyncio.FIRST_COMPLETED)
            if self.failure.done():
                self.failure.result()
            await crashed
        finally:
            crashed.cancel()

    async def _crashed(self) -> None:
        while not self.faust.crashed:  # noqa: ASYNC110 - mode offers no awaitable for this
            await asyncio.sleep(0.25)
        raise self.faust._crash_reason or RuntimeError("the Faust app crashed")  # noqa: SLF001 - no public accessor

    def observe(self) -> None:
        """Bring the gauge of records in flight up to date; those of the lag are the watch's."""
        self._metrics.in_flight(sum(lane.in_flight for lane in self._lanes.values()))

    def _mine(self) -> set[Place]:
        return {(name, partition) for name, lane in self._lanes.items() for partition in lane.owned}

    def _rejoin(self) -> None:
        consumer: Any = self.faust.consumer
        consumer.rejoin()

    def _settled(self, settled: Sequence[Settled]) -> None:
        """The transport has decided where to go on: tell of the gaps, and forget what offsets meant before."""
        for one in settled:
            gap, topic = one.found.gap, self._topics[one.topic]
            if gap is None:
                continue
            lost = lost_records(one.found, one.went_on, self.watch.ends.get((one.topic, one.partition)))
            self._metrics.skipped(topic, gap.value, lost)
            log.error(
                "records_skipped",
                stage=self.stage.name,
                topic=topic,
                partition=one.partition,
                reason=gap.value,
                left=one.found.left,
                went_on=one.went_on,
                records=lost,
            )
            if gap is not Gap.RETENTION:
                self._lanes[one.topic].restart(one.partition)
            if gap is Gap.RECREATED and self.stage.setup is not None:
                self._fail(StaleTablesError(topic, self.stage.name))

    def _add_lanes(self) -> None:
        queues: dict[str, FairQueue | None] = {}
        deliver = self._delivery.deliver
        for route in self.stage.routes:
            name, topic = topic_on_broker(route.topic, self._kafka), topic_named(route.topic)
            kind = route.topic if topic is None else topic.kind
            turns = queues.setdefault(kind, queue_of(route))
            lane = Lane(
                route,
                Processor(route, self._rules, self._metrics, deliver, turns=turns, hint=self._hints.publish),
                self._delivery,
                self.stage.limits,
                self._metrics,
                fail=self._fail,
                generation=lambda: self.faust.consumer_generation_id,
                confirmed=self.faust.membership.confirmed,
                recorder=self._recorder,
            )
            self._lanes[name] = lane
            self._add_agent(name, lane)

    def _add_agent(self, topic: str, lane: Lane) -> None:
        channel = self.faust.topic(topic, schema=raw_schema())

        async def consume(stream: Any) -> None:
            try:
                if self.stage.warming is not None:
                    await asyncio.shield(self.stage.warming)
                await lane.run(stream.channel)
            except Exception as error:  # noqa: BLE001 - an exception that leaves the agent would acknowledge its event
                self._fail(error)

        self.faust.agent(channel, name=f"{self.stage.name}.{lane.route.topic}", concurrency=1)(consume)

    def _fail(self, error: BaseException) -> None:
        if not self.failure.done():
            log.error("stage_failed", stage=self.stage.name, error=type(error).__name__, message=str(error))
            self.failure.set_exception(error)

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Publish outputs that come of no record, and wait for their delivery."""
        if self._rules.departures is not None:
            await self._rules.departures.enforce_aside(outputs)
        await self._delivery.deliver(Encoding(self._codecs, self._kafka).encode(outputs, {}))

    def _background_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    async def _on_revoked(self, _app: Any, revoked: Iterable[TP], **_: Any) -> None:
        by_topic = _by_topic(revoked)
        progress = await self._drain(by_topic)
        for topic, partitions in by_topic.items():
            if topic in self._lanes:
                # Before the commit: what finishes during it is not committed, so it must stay known.
                self._lanes[topic].revoke(partitions)
        self.stage.revoked()
        await self._commit(progress)

    async def _on_assigned(self, _app: Any, assigned: Iterable[TP], **_: Any) -> None:
        by_topic = _by_topic(assigned)
        for topic, lane in self._lanes.items():
            lane.assign(by_topic.get(topic, set()))
        self._ready.set()

    async def _drain(self, by_topic: Mapping[str, set[int]] | None = None) -> dict[TP, int]:
        """Progress of the lanes after draining, for all partitions or those given."""
        topics = self._lanes.keys() if by_topic is None else by_topic.keys() & self._lanes.keys()
        drained = await asyncio.gather(
            *(self._lanes[topic].drain(None if by_topic is None else by_topic[topic]) for topic in topics)
        )
        return {
            TP(topic_on_broker(name, self._kafka), partition): offset
            for progress in drained
            for (name, partition), offset in progress.items()
        }

    async def _commit(self, offsets: dict[TP, int]) -> None:
        """Commit by ourselves: on revocation Faust has thrown away its acknowledged offsets before it asks us."""
        if offsets:
            with contextlib.suppress(Exception):  # not in the group any more: they are delivered again
                consumer: Any = self.faust.consumer
                await consumer._commit(offsets)  # noqa: SLF001 - the public commit() knows nothing of them


def _by_topic(partitions: Iterable[TP]) -> dict[str, set[int]]:
    by_topic: defaultdict[str, set[int]] = defaultdict(set)
    for tp in partitions:
        by_topic[tp.topic].add(tp.partition)
    return dict(by_topic)
