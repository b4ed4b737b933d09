"""How does the recorder run as a worker? A thread reads and writes; the event loop answers who asks how it is.

It is no stage: it joins no group, and a record costs it no task. At 5,000 requests a second and core a lane of Faust
would take the core for itself. It stands beside every request's way: nothing waits for it.
"""

import asyncio
import gc
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog

from forebay import __version__
from forebay.contract.clock import elapsed_s
from forebay.contract.names import group_on_broker, topic_on_broker
from forebay.contract.topics import DAY_MS
from forebay.history.settings import HistorySettings
from forebay.history.sqlite.opening import open_for_writing
from forebay.history.sqlite.writing import SqliteWriter
from forebay.history.store import TOPICS
from forebay.kafka.preflight import check_access, wait_for_topics
from forebay.kafka.queries import BrokerUnavailableError
from forebay.observability.health import HealthServer, Readiness
from forebay.observability.metrics import METRICS as ALL
from forebay.recorder.loop import Loop
from forebay.recorder.metrics import METRICS
from forebay.recorder.source import NAME, TopicSource
from forebay.runtime.protection import refuse_shipped, tell_configuration
from forebay.settings import KafkaSettings, Settings, StageSettings, WorkerSettings

_ASK_S = 10.0
_SILENT_S = 20.0
COLLECT = (100_000, 20, 100)
"""A batch is some hundred thousand objects without a circle: looking through them cost a fifth of the work."""

log = structlog.get_logger(__name__)


class Recorder:
    """What a recorder says of itself."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.heard_s = elapsed_s()
        """When the brokers answered last."""

    def readiness(self) -> Readiness:
        """What ``/readyz`` says."""
        problems = dict(self.loop.problems)
        if self.loop.started and (silent_s := elapsed_s() - self.heard_s) > _SILENT_S:
            problems["no_broker"] = f"the brokers have said nothing for {silent_s:.0f} s"
        lag = {
            topic: {"records": float(records), "seconds": round(seconds, 1)}
            for topic, (records, seconds) in self.loop.lag.items()
        }
        return Readiness(
            started=self.loop.started,
            problems={NAME: problems} if problems else {},
            lag={NAME: lag},
            warnings={NAME: dict(self.loop.warnings)} if self.loop.warnings else {},
        )


def make_loop(settings: Settings) -> Loop:
    """The recorder's work, as the configuration has it."""
    chosen = settings[HistorySettings]
    path = Path(chosen.path)

    def open_store(because: str) -> SqliteWriter:
        opened = open_for_writing(path, because)
        return SqliteWriter(opened, days=chosen.days, max_bytes=int(chosen.max_gb * 1e9))

    return Loop(
        open_store,
        lambda positions: TopicSource(settings, TOPICS, positions, days=chosen.days),
        METRICS,
        keep_ms=chosen.days * DAY_MS,
    )


async def run(settings: Settings) -> int:
    """Write down until a signal; the process's exit status."""
    stopping = asyncio.Event()
    events = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        events.add_signal_handler(number, stopping.set)
    kafka = settings[KafkaSettings]
    recorder = Recorder(make_loop(settings))
    async with AsyncExitStack() as stack:
        health = HealthServer(settings[WorkerSettings], ready=recorder.readiness)
        await stack.enter_async_context(health)
        log.info("worker_starting", stages=[NAME], version=__version__, health_port=health.port)
        tell_configuration(settings)
        refuse_shipped(settings, TOPICS)
        topics = {topic_on_broker(name, kafka) for name in TOPICS}
        group = group_on_broker(NAME, kafka, settings[StageSettings].version)
        await asyncio.to_thread(check_access, kafka, topics, [group])
        await wait_for_topics(kafka, topics, stopping)
        if stopping.is_set():
            return 0
        ALL.build.labels(__version__, NAME).set(1)
        gc.freeze()
        gc.set_threshold(*COLLECT)
        gc.enable()
        working = events.run_in_executor(None, recorder.loop.run)
        asking = asyncio.create_task(_ask(recorder, settings))
        stop = asyncio.ensure_future(stopping.wait())
        try:
            await asyncio.wait(set[asyncio.Future[Any]]((working, stop)), return_when=asyncio.FIRST_COMPLETED)
            log.info("worker_stopping", stages=[NAME])
            recorder.loop.stop()
            await working
        except Exception as error:  # noqa: BLE001 - whoever supervises the process starts it afresh
            log.error("worker_failed", error=type(error).__name__, message=str(error))
            return 1
        finally:
            asking.cancel()
            stop.cancel()
    return 0


async def _ask(recorder: Recorder, settings: Settings) -> None:
    """Whether brokers answer, and whether topics have grown; every few seconds, beside the reading."""
    from forebay.kafka.group_offsets import new_admin

    admin = new_admin(settings[KafkaSettings])
    kafka = settings[KafkaSettings]
    names = [topic_on_broker(topic, kafka) for topic in TOPICS]
    read = 0
    while True:
        try:
            found = await asyncio.to_thread(_partitions, admin, names)
        except BrokerUnavailableError:
            pass
        else:
            recorder.heard_s = elapsed_s()
            if read and found > read:
                recorder.loop.grown = True
            read = max(read, found)
        await asyncio.sleep(_ASK_S)


def _partitions(admin: object, names: list[str]) -> int:
    from confluent_kafka import KafkaException

    try:
        topics = admin.list_topics(timeout=5.0).topics  # type: ignore[attr-defined]  # a client without types
    except KafkaException:
        raise BrokerUnavailableError("no broker answers") from None
    return sum(len(topics[name].partitions) for name in names if name in topics)


def main(settings: Settings) -> int:
    """Entry point of ``forebay worker recorder``."""
    return asyncio.run(run(settings))
