"""When is an output delivered? When enough replicas have it, and not before.

One idempotent aiokafka producer a stage (``acks=all``, KIP-98), used directly: ``Topic.send`` costs twice the CPU
(faust-facts: 5,000 against 7,000 records/s). A send that fails is tried again until the broker takes it, since the
source record stays unacknowledged meanwhile. What no repetition can mend is of two kinds: an output that nobody will
ever take (too large, no record at all) is refused to whoever made it, who makes another; an error of this producer or
its rights ends the worker.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnsupportedForMessageFormatError,
)

from forebay.avro.encoding import fits, message_limit
from forebay.contract.clock import Clock, now_ms
from forebay.contract.names import topic_on_broker
from forebay.contract.wire import Encoded
from forebay.kafka.connection import aiokafka_options
from forebay.observability.metrics import StageMetrics
from forebay.settings import KafkaSettings

log = structlog.get_logger(__name__)

FATAL = (
    ClusterAuthorizationFailedError,
    ProducerFenced,
    TopicAuthorizationFailedError,
    UnsupportedForMessageFormatError,
)
"""Errors after which this producer, or this configuration, can deliver nothing more."""

OF_THE_RECORD = (MessageSizeTooLargeError, RecordListTooLargeError)
"""Errors of what was sent; of a batch, though, so that a record may get them for another one's sake."""

_REFUSALS = 4
"""Times that an output gets such an error before it counts as refused itself: each time in another batch."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class DeliveryError(Exception):
    """The outputs cannot be delivered by this process; its records stay unacknowledged and another takes them over."""


class RefusedError(Exception):
    """``output`` will never be taken as it is; all others of the same call are delivered. ``why`` names a type."""

    def __init__(self, output: Encoded, why: str) -> None:
        super().__init__(f"{output.topic}: {why}")
        self.output = output
        self.why = why


class Producer(Protocol):
    """The part of ``AIOKafkaProducer`` that delivery needs."""

    def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        *,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
    ) -> Awaitable[Awaitable[Any]]:
        """Queue a record; the inner awaitable ends when the broker has acknowledged it."""
        ...


class Delivery:
    """Publishes outputs and waits for the brokers' acknowledgement.

    Args:
        pace: told of every send, see :class:`Linger`.
        renew: called when a broker refused a batch for good, see :func:`renew_identity`.
        sleep: injected so that tests need not wait.
        clock_ms: what records are stamped with: brokers refuse a time that is far from theirs.
    """

    def __init__(
        self,
        producer: Producer,
        settings: KafkaSettings,
        metrics: StageMetrics,
        pace: Callable[[int], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        renew: Callable[[], None] = lambda: None,
        clock_ms: Clock = now_ms,
    ) -> None:
        self._producer = producer
        self._renew = renew
        self._clock_ms = clock_ms
        self._settings = settings
        self._metrics = metrics
        self._sleep = sleep
        self._targets: dict[str, tuple[str, int]] = {}
        """Names on the broker of the topics written to, and the largest batches that they take, in bytes."""
        self._pace = pace or (lambda _records: None)

    async def deliver(self, outputs: Sequence[Encoded]) -> None:
        """Return once every output is acknowledged.

        Raises:
            RefusedError: one of them is not and never will be; the others are.
            DeliveryError: this process can deliver nothing more.
        """
        self._pace(len(outputs))
        pending = outputs
        pause = _FIRST_PAUSE_S
        refusals = _Refusals()
        while pending:
            pending = await self._attempt(pending, refusals)
            if pending:
                await self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
        if refusals.final is not None:
            raise refusals.final

    async def _attempt(self, outputs: Sequence[Encoded], refusals: "_Refusals") -> list[Encoded]:
        """Send all, then wait for all: those that were not acknowledged, and may be yet."""
        sent: list[tuple[Encoded, Awaitable[Any] | None]] = []
        for output in outputs:
            try:
                sent.append((output, await self._send(output)))
            except RefusedError as refused:
                refusals.final = refused
        missing: list[Encoded] = []
        for output, acknowledgement in sent:
            if acknowledgement is None:
                missing.append(output)
                continue
            try:
                await acknowledgement
            except KafkaError as error:
                self._note(error)
                if not isinstance(error, OF_THE_RECORD) or refusals.may_be_another_ones(output):
                    missing.append(output)
                else:
                    refusals.final = RefusedError(output, type(error).__name__)
            else:
                self._metrics.delivered(output.topic)
        return missing

    async def _send(self, output: Encoded) -> Awaitable[Any] | None:
        target = self._targets.get(output.topic)
        if target is None:
            name, limit = topic_on_broker(output.topic, self._settings), message_limit(output.topic, self._settings)
            target = self._targets[output.topic] = name, limit
        name, limit = target
        if not fits(output, limit):
            raise RefusedError(output, "larger than its topic takes")
        try:
            return await self._producer.send(
                name, output.value, output.key, timestamp_ms=self._clock_ms(), headers=output.headers
            )
        except KafkaError as error:
            self._note(error)
            return None
        except Exception as error:  # noqa: BLE001 - the library asserts and encodes: what it will not send is no record
            raise RefusedError(output, type(error).__name__) from None

    def _note(self, error: KafkaError) -> None:
        kind = type(error).__name__
        self._metrics.delivery_error(kind)
        if isinstance(error, FATAL):
            raise DeliveryError(f"the producer cannot go on: {kind}") from error
        if isinstance(error, BrokerResponseError) and not error.retriable:
            self._renew()
        log.warning("delivery_retried", stage=self._metrics.stage, error=kind)


class _Refusals:
    """What one call of :meth:`Delivery.deliver` was refused."""

    def __init__(self) -> None:
        self.final: RefusedError | None = None
        self._counts: dict[int, int] = {}

    def may_be_another_ones(self, output: Encoded) -> bool:
        """Count an error of the record; whether it may still be that of another record of its batch."""
        count = self._counts[id(output)] = self._counts.get(id(output), 0) + 1
        return count < _REFUSALS


def renew_identity(producer: Any) -> None:
    """Have ``producer`` ask for a new producer id before its next batch (KIP-98).

    A batch that a broker refused for good took its numbers with it: the broker would call each later one out of order,
    for ever. aiokafka leaves its state there, and there is no public way to begin afresh.
    """
    state = producer._txn_manager  # noqa: SLF001
    if state is not None and state.has_pid():
        state._pid_and_epoch = state._pid_and_epoch._replace(pid=-1, epoch=-1)  # noqa: SLF001
        state._pid_waiter = asyncio.get_running_loop().create_future()  # noqa: SLF001
        state._sequence_numbers.clear()  # noqa: SLF001


class Linger:
    """How long may the producer gather a batch? Not at all while it is quiet, ``busy_s`` while it is busy.

    aiokafka's linger delays every batch, also the only record of a quiet minute: at 100 records/s a hop took 9.1 ms
    with a linger of 5 ms and 3.6 ms without. So it follows the rate, measured over tenths of a second.
    """

    _WINDOW_S = 0.1
    _BUSY_PER_S = 500.0

    def __init__(self, producer: Any, busy_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._producer = producer
        self._busy_s = busy_s
        self._clock = clock
        self._since = clock()
        self._records = 0

    def __call__(self, records: int) -> None:
        """``records`` are about to be sent."""
        self._records += records
        elapsed = self._clock() - self._since
        if elapsed < self._WINDOW_S:
            return
        busy = self._records / elapsed > self._BUSY_PER_S
        # Read by aiokafka for each new batch; there is no public way to change it.
        self._producer._message_accumulator._linger_time = self._busy_s if busy else 0.0  # noqa: SLF001
        self._since += elapsed
        self._records = 0


def new_producer(kafka: KafkaSettings) -> AIOKafkaProducer:
    """An unstarted producer with the delivery guarantees that the stages rely on."""
    return AIOKafkaProducer(
        acks="all",
        enable_idempotence=True,
        linger_ms=0,  # see Linger
        max_batch_size=262_144,  # with 16 KiB the throughput halves (faust-facts)
        max_request_size=4 * kafka.max_record_bytes + 65_536,
        request_timeout_ms=30_000,
        retry_backoff_ms=50,
        **aiokafka_options(kafka),
    )
