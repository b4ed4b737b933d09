"""What time do the brokers have, and is this machine's clock wrong? Asked at start and every few seconds.

The brokers' time, not Redis': every stage speaks to the brokers, and without them it does nothing anyway, so that
asking them brings no outage of its own; and one clock for all stages is what the ledger needs. A Kafka broker is asked
by an empty record: one that goes into a topic with ``message.timestamp.type=LogAppendTime`` is acknowledged with the
broker's time. All workers write into the same partition, so that all are answered by the same broker.

What is heard moves the process's clock (:mod:`forebay.contract.clock`) before the first record is read. That a
machine's clock is off by more than 30 s is told: by the log, a metric, a record in ``alerts``; its worker goes on, by
the brokers' time. Where nobody may be asked (no topic, no right) it goes on by its machine's time, and says so.

A worker that starts looks in ``alerts`` whether one of its name told of a wrong clock before it ended: that is no news
then if the clock is wrong still, and over if it is right.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer

from forebay.contract.clock import CLOCK, FollowingClock, elapsed_s
from forebay.contract.handlers import WriteAhead
from forebay.contract.json_lines import new_id
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Alert, AlertState, Severity
from forebay.kafka.connection import aiokafka_options
from forebay.observability.metrics import METRICS, Metrics
from forebay.settings import KafkaSettings
from forebay.state.cancelling import end
from forebay.state.conditions import alert_output

log = structlog.get_logger(__name__)

WRONG_S = 30.0
"""Seconds by which a machine's clock may be off before somebody is told."""
_RIGHT_AGAIN_S = WRONG_S / 2
"""Told of again only after it was better than this, so that a clock at the limit is not told of every few seconds."""

_PERIOD_S = 10.0
"""Between two questions; a quartz is off by 1 ms by then."""
_AT_START = 3
"""Questions at start: the first opens connections, and is answered late."""
_PATIENCE_S = 5.0


class UnknownTimeError(Exception):
    """The brokers did not say what time it is; the message is the kind of the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The brokers' time in ms since 1970, and between which two moments of :func:`elapsed_s` it was that late."""

    said_ms: int
    asked_s: float
    answered_s: float


Ask = Callable[[], Awaitable[Answer]]
"""Asks the brokers; raises :class:`UnknownTimeError`."""

ToldLast = Callable[[str], Awaitable[Alert | None]]
"""The newest alert of a fingerprint, if there is one; raises what it likes."""


class Timekeeper:
    """Keeps the process's clock to that of the brokers.

    Args:
        ask: see :data:`Ask`.
        worker: what the worker is called in alerts.
        stages: that it runs.
    """

    def __init__(
        self,
        ask: Ask,
        worker: str,
        stages: Sequence[str],
        clock: FollowingClock = CLOCK,
        metrics: Metrics = METRICS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ask = ask
        self._worker = worker
        self._stages = stages
        self._clock = clock
        self._metrics = metrics
        self._sleep = sleep
        self._known = True
        self._heard = False
        self._wrong = False
        self._since_ms = 0
        self._untold: list[Alert] = []
        self._publish: WriteAhead | None = None

    async def start(self) -> None:
        """Ask for the first time; returns also when nobody answers."""
        for _ in range(_AT_START):
            if not await self.look():
                return

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await self._sleep(_PERIOD_S)
            await self.look()

    async def tell_by(self, publish: WriteAhead, told_last: ToldLast | None = None) -> None:
        """From now on alerts can be published; one that waits is.

        Args:
            told_last: looks what a worker of this name told before.
        """
        if told_last is not None:
            await self._take_over(told_last)
        self._publish = publish
        await self._tell()

    async def _take_over(self, told_last: ToldLast) -> None:
        """Go on with what was told of this clock before."""
        try:
            last = await told_last(self._alert(0.0, AlertState.FIRING).fingerprint)
        except Exception as error:  # noqa: BLE001 - no right, no broker: nothing may keep a worker from its work for this
            log.warning("alerts_not_read", kind="clock_skew", error=type(error).__name__)
            return
        if last is None or last.state is AlertState.RESOLVED:
            return
        self._untold.clear()  # the same again
        self._wrong, self._since_ms = True, last.starts_at or last.created_at
        if self._heard:
            self._judge()

    async def look(self) -> bool:
        """Ask once, and tell of what is wrong; whether somebody answered."""
        try:
            answer = await self._ask()
        except UnknownTimeError as error:
            self._unknown(str(error))
            return False
        if not self._known:
            log.info("clock_known", worker=self._worker)
        self._known = True
        self._clock.heard(answer.said_ms, answer.asked_s, answer.answered_s)
        self._heard = True
        self._judge()
        await self._tell()
        return True

    def _judge(self) -> None:
        skew_s = self._clock.skew_s
        for stage in self._stages:
            self._metrics.clock_skew.labels(stage).set(skew_s)
        if abs(skew_s) > WRONG_S and not self._wrong:
            self._wrong = True
            log.error("clock_skew", worker=self._worker, seconds=round(skew_s, 3))
            self._since_ms = self._clock()
            self._untold.append(self._alert(skew_s, AlertState.FIRING))
        elif abs(skew_s) < _RIGHT_AGAIN_S and self._wrong:
            self._wrong = False
            log.info("clock_right_again", worker=self._worker)
            self._untold.append(self._alert(skew_s, AlertState.RESOLVED))

    def _unknown(self, why: str) -> None:
        for stage in self._stages:
            self._metrics.clock_unknown.labels(stage).inc()
        if self._known:
            log.warning("clock_unknown", worker=self._worker, error=why)
        self._known = False

    def _alert(self, skew_s: float, state: AlertState) -> Alert:
        how = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} the brokers'"
        return Alert(
            alert_id=new_id(),
            kind="clock_skew",
            severity=Severity.WARNING,
            subject=self._worker,
            message=f"the clock of {self._worker} ({', '.join(self._stages)}) is {how}; it books by theirs: set it",
            value=skew_s,
            threshold=WRONG_S,
            created_at=self._clock(),
            state=state,
            starts_at=self._since_ms,
            ends_at=self._clock() if state is AlertState.RESOLVED else None,
            summary=f"the clock of {self._worker} is {how}",
            action="Set it (NTP). Its worker goes on by the brokers' time meanwhile.",
        )

    async def _tell(self) -> None:
        if not self._untold or self._publish is None:
            return
        alerts, self._untold = self._untold, []
        try:
            await self._publish([alert_output(alert) for alert in alerts])
        except Exception as error:  # noqa: BLE001 - log and metric have said it, and nothing may end a worker for this
            log.warning("alert_not_published", kind=alerts[-1].kind, error=type(error).__name__)


class BrokersTime:
    """Asks real brokers, by a producer of its own: no batch of records delays an answer."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._topic = topic_on_broker("clock", kafka)
        self._key = socket.gethostname().encode()
        self._producer: AIOKafkaProducer | None = None

    async def ask(self) -> Answer:
        """See :data:`Ask`."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                producer = self._producer or await self._open()
                asked_s = elapsed_s()
                done: Any = await producer.send_and_wait(self._topic, key=self._key, partition=0)
                answered_s = elapsed_s()
        except Exception as error:  # noqa: BLE001 - the library raises its own errors, and asserts what it does not know
            raise UnknownTimeError(type(error).__name__) from None
        if done.timestamp_type != 1:
            raise UnknownTimeError("CreateTime")  # somebody has altered the topic: it says what we say
        return Answer(said_ms=done.timestamp, asked_s=asked_s, answered_s=answered_s)

    async def close(self) -> None:
        """Disconnect."""
        if self._producer is not None:
            with suppress(Exception):
                await self._producer.stop()

    async def _open(self) -> AIOKafkaProducer:
        options = aiokafka_options(self._kafka)
        producer = AIOKafkaProducer(acks=1, linger_ms=0, request_timeout_ms=round(1000 * _PATIENCE_S), **options)
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer
        return producer


@asynccontextmanager
async def keeping_time(kafka: KafkaSettings, instance: str, stages: Sequence[str]) -> AsyncIterator[Timekeeper]:
    """For the length of a worker: its clock is the brokers', from the beginning.

    Args:
        instance: ``worker.instance``; without one the worker is called by its machine's name.
    """
    brokers = BrokersTime(kafka)
    keeper = Timekeeper(brokers.ask, instance or socket.gethostname(), stages)
    await keeper.start()
    task = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        await end([task])
        await brokers.close()
