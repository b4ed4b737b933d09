"""Parts of a worker below what :mod:`forebay.testing` shows: one processor, one lane, and a broker that misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from forebay.contract.failures import Failure
from forebay.contract.handlers import Context, FailureHandler, Handler, Output, Route, Skip, no_outputs
from forebay.contract.records import Alert
from forebay.contract.wire import Delivered, Encoded
from forebay.kafka.producer import Delivery
from forebay.observability.metrics import Metrics, StageMetrics
from forebay.runtime.flight_recorder import FlightRecorder
from forebay.runtime.processing import Processor
from forebay.runtime.rules import Rules
from forebay.runtime.stage import Lane
from forebay.settings import KafkaSettings, RetrySettings, StageSettings
from forebay.testing import KEYRING, VirtualClock, codecs

PREFIX = KafkaSettings().topic_prefix


def rules(stage: str = "cache", **changes: Any) -> Rules:
    """What a processor knows."""
    known: dict[str, Any] = {
        "timeout_s": 30.0,
        "max_attempts": 4,
        "codecs": codecs(),
        "kafka": KafkaSettings(),
        "retry": RetrySettings(),
        "keyring": KEYRING,
    }
    return Rules(stage=stage, **(known | changes))


def metrics(stage: str = "cache") -> StageMetrics:
    """Metrics of their own registry."""
    return StageMetrics(stage, Metrics(CollectorRegistry()))


def header(record: Encoded, name: str) -> str | None:
    """A header of an output as text."""
    found = dict(record.headers).get(name)
    return None if found is None else found.decode()


async def settle() -> None:
    """Let everything that can run, run."""
    for _ in range(20):
        await asyncio.sleep(0)


@dataclass
class FakeProducer:
    """A broker that acknowledges at once, or when ``hold`` is released, or fails as scripted.

    Attributes:
        errors: raised by the next acknowledgements, ``None`` for success.
        refusals: raised by the next sends themselves.
        stamps: timestamps of what was sent, in ms.
    """

    sent: list[Encoded] = field(default_factory=list)
    errors: list[BaseException | None] = field(default_factory=list)
    refusals: list[BaseException | None] = field(default_factory=list)
    held: list[asyncio.Future[None]] = field(default_factory=list)
    hold: bool = False
    stamps: list[int | None] = field(default_factory=list)

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        *,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
    ) -> Awaitable[None]:
        if self.refusals and (refusal := self.refusals.pop(0)) is not None:
            raise refusal
        assert value is not None or key is not None, "as aiokafka's producer does"
        for name, _ in headers or ():
            name.encode()
        self.stamps.append(timestamp_ms)
        self.sent.append(Encoded(topic=topic.removeprefix(PREFIX), key=key, value=value, headers=list(headers or ())))
        future = asyncio.get_running_loop().create_future()
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            future.set_exception(error)
        elif self.hold:
            self.held.append(future)
        else:
            future.set_result(None)
        return future

    def release(self) -> None:
        """Acknowledge everything that is held."""
        for future in self.held:
            future.set_result(None)
        self.held.clear()


class Stream:
    """A Faust stream, fed by hand."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, event: Any) -> None:
        """Give the lane an event."""
        self._queue.put_nowait(event)

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (event := await self._queue.get()) is not None:
            yield event


class LaneBench:
    """A lane on a fake stream and a fake broker; the handler works on each record until it is told to finish.

    Attributes:
        working: offsets that the handler has begun and not ended, by (partition, offset).
        handled: every beginning, in order.
        acked: acknowledgements that reached Faust: generation, partition, offset.
    """

    def __init__(
        self,
        *,
        ordered: bool = False,
        restarts: bool = False,
        recorder: FlightRecorder | None = None,
        skip: Skip | None = None,
        **limits: Any,
    ) -> None:
        self.generation = 0  # Faust's first one: not to be tested for truth
        self.confirmed = True
        self.working: dict[tuple[int, int], asyncio.Future[Sequence[Output]]] = {}
        self.handled: list[tuple[int, int]] = []
        self.acked: list[tuple[int, int, int]] = []
        self.failures: list[BaseException] = []
        self.producer = FakeProducer()
        self.stream = Stream()
        route = Route(topic="retry.10s", handle=self._handle, raw=True, ordered=ordered, restarts=restarts, skip=skip)
        self.registry = CollectorRegistry()
        counted = StageMetrics("cache", Metrics(self.registry))
        delivery = Delivery(self.producer, KafkaSettings(), counted)
        self.lane = Lane(
            route,
            Processor(route, rules(), counted, delivery.deliver),
            delivery,
            StageSettings(**({"drain_s": 0.0} | limits)),
            counted,
            fail=self.failures.append,
            generation=lambda: self.generation,
            confirmed=lambda: self.confirmed,
            recorder=recorder,
        )
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "LaneBench":
        self._running = asyncio.create_task(self.lane.run(self.stream))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._running is not None
        self._running.cancel()
        await self.lane.close()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _handle(self, source: Delivered, _context: Context) -> Sequence[Output]:
        place = (source.partition, source.offset)
        self.handled.append(place)
        self.working[place] = asyncio.get_running_loop().create_future()
        try:
            return await self.working[place]
        finally:
            self.working.pop(place, None)

    def deliver(
        self,
        *offsets: int,
        partition: int = 0,
        key: bytes | None = b"k",
        value: bytes | None = b"v",
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Put records into the stream, delivered in the current generation."""
        for offset in offsets:
            message = SimpleNamespace(
                partition=partition,
                offset=offset,
                key=key,
                value=value,
                headers=list(headers),
                timestamp=1.0,
                generation_id=self.generation,
            )
            acknowledge = self._acknowledge(self.generation, partition, offset)
            self.stream.put(SimpleNamespace(message=message, ack=acknowledge))

    def _acknowledge(self, generation: int, partition: int, offset: int) -> Callable[[], None]:
        return lambda: self.acked.append((generation, partition, offset))

    async def finish(self, *offsets: int, partition: int = 0, output: bytes = b"out", paid: bytes = b"") -> None:
        """Let the handler end with one output for each of these records, and an entry of the ledger if it ``paid``."""
        for offset in offsets:
            outputs = [Output(topic="dlq", key=str(offset), value=output)]
            if paid:
                outputs.append(Output(topic="retry.1m", key=str(offset), value=paid, always=True))
            self.working[partition, offset].set_result(outputs)
        await settle()

    @property
    def published(self) -> list[bytes | None]:
        """Values that reached the broker."""
        return [record.value for record in self.producer.sent]

    async def rebalance(self, *partitions: int, revoked: Sequence[int] = (0, 1)) -> None:
        """Revoke, and assign in a new generation."""
        self.lane.revoke(set(revoked))
        self.generation += 1
        self.lane.assign(set(partitions))
        await settle()


def processor(
    handle: Handler,
    topic: str = "requests.redacted",
    *,
    on_failure: FailureHandler = no_outputs,
    turns: int | None = None,
    **changes: Any,
) -> Processor:
    """A processor of one route, whose handler writes nothing ahead."""

    async def deliver(_outputs: Sequence[Encoded]) -> None:
        raise AssertionError("nothing should be written ahead")

    route = Route(topic=topic, handle=handle, on_failure=on_failure, turns=turns)
    clock = VirtualClock()
    return Processor(route, rules(**changes), metrics(), deliver, clock, clock.sleep)


def failing(error: BaseException) -> Handler:
    """A handler that raises ``error``."""

    async def handle(_record: Any, _context: Context) -> Sequence[Output]:
        raise error

    return handle


def told(_record: Any, context: Context, failure: Failure) -> Sequence[Output]:
    """A failure handler that publishes what it was told."""
    alert = Alert(alert_id=context.fallback_id, kind=failure.code, message=failure.message)
    return [Output(topic="alerts", key=failure.code, value=alert)]
