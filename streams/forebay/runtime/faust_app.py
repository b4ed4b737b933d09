"""What is a stage to Faust? One app: a consumer group with one agent a topic, acknowledgements off.

The settings were measured together (docs/explanation/delivery.md). Faust's web server is off, because it serves tables
without authentication; its leader topic is off, because nothing needs it. The transport is aiokafka's with one shortcut
in the path of every record, see :meth:`_Consumer.wait_first`.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Generator
from typing import Any

import faust
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from mode.services import WaitResults

from forebay.avro.encoding import message_limit
from forebay.kafka.connection import ssl_context
from forebay.runtime.fetching import guard_fetches
from forebay.runtime.flight_recorder import FlightRecorder
from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings

__all__ = ["TP", "new_faust_app"]


class _Started:
    """A coroutine that was stepped once and yielded ``waiting_for``; awaiting it goes on from there."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], waiting_for: Any) -> None:
        self._coroutine = coroutine
        self._waiting_for = waiting_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waiting_for = self._waiting_for
        while True:
            try:
                sent = yield waiting_for
            except BaseException as error:  # noqa: BLE001 - cancellation too is for the coroutine to see
                step: Any = self._coroutine.throw
                argument: Any = error
            else:
                step, argument = self._coroutine.send, sent
            try:
                waiting_for = step(argument)
            except StopIteration as end:
                return end.value


async def _go_on(started: _Started) -> Any:
    return await started


class _Consumer(Consumer):
    """Faust's consumer without three tasks a record, and without a pause of 1 s whenever its buffers were full."""

    def __post_init__(self) -> None:
        self._activity = asyncio.Event()

    async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:  # noqa: ASYNC109 - the base class's signature
        """Wait for the first of ``coros``, trying the first one without a task.

        Faust passes every record to its stream by ``wait_first(on_message(record), suspend_flow.wait())``: three tasks
        and an ``asyncio.wait``, though putting into a queue with room never waits. So step the first coroutine once,
        and only when it does wait take the long way. Together with lanes that read
        past the stream: 183 instead of 389 µs a record.
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
        return await super().wait_first(_go_on(_Started(first, waiting_for)), *others, timeout=timeout)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - the base class's signature
        """As Faust does, but when every partition is held back by a full buffer, go on as soon as one is not.

        The base class sleeps for 1 s then, and a stage runs dry in the meantime: 3,460 instead of 5,490 records/s.
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

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust would call a stream slow that our lanes read past it; lag is a metric of our own."""

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class _ConsumerThread(AIOKafkaConsumerThread):
    """Reads committed records only: a replay that was aborted halfway must not be seen (KIP-98)."""

    def _create_worker_consumer(self, transport: Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - Faust offers it with its own transactions only
        return consumer


class _Transport(Transport):
    Consumer = _Consumer


class _App(faust.App):
    def _new_transport(self) -> Any:
        return _Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """None: tables live in memory and in their changelogs, so a worker needs no disk, and none can be full."""


def new_faust_app(
    stage: Stage, kafka: KafkaSettings, instance: str = "", recorder: FlightRecorder | None = None
) -> faust.App:
    """The Faust app of ``stage``, not started and without agents; ``instance`` as in ``worker.instance``."""
    limits = stage.limits
    guard_fetches(
        lambda topic: message_limit(topic.removeprefix(kafka.topic_prefix), kafka), recorder or FlightRecorder()
    )
    return _App(
        f"{kafka.topic_prefix}{stage.name}",
        version=limits.version,
        broker=[f"kafka://{server}" for server in kafka.bootstrap.split(",")],
        broker_credentials=_faust_credentials(kafka),
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=stage.setup is not None,
        topic_disable_leader=True,
        topic_replication_factor=kafka.replication_factor,
        topic_partitions=kafka.partitions,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=instance or None,
        stream_wait_empty=False,  # the lanes drain by themselves; with True a stuck handler hangs shutdown
        stream_buffer_maxsize=max(2 * limits.in_flight, 64),
        broker_commit_interval=limits.commit_interval_s,
        broker_session_timeout=limits.session_timeout_s,
        broker_heartbeat_interval=limits.session_timeout_s / 6,
        broker_rebalance_timeout=limits.session_timeout_s,
        broker_max_poll_interval=86_400.0,  # paused by backpressure longer than this, a client leaves its group
        broker_request_timeout=30.0,
        # aiokafka asks a partition's old leader for its offsets again and again, and learns of the new one only when
        # its metadata expire: with the default of 300 s a stage stood still for 135 s after leaders had moved.
        consumer_metadata_max_age_ms=3_000,
        producer_acks=-1,
    )


def _faust_credentials(kafka: KafkaSettings) -> Any:
    context = ssl_context(kafka)
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            ssl_context=context,
            mechanism=kafka.sasl_mechanism,
        )
    return faust.SSLCredentials(context) if context is not None else None
