"""What runs in a worker process? One or several stages, a health server, and an orderly way out.

A worker stops on SIGTERM and SIGINT: it drains, commits and leaves its groups. When a stage cannot go on, the process
exits with status 1 so that whoever supervises it starts it afresh; its unfinished records are delivered again.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import entry_points

import structlog

from forebay import __version__
from forebay.contract.names import group_on_broker, topic_on_broker
from forebay.kafka.preflight import check_access, wait_for_topics
from forebay.observability.health import HealthServer, Readiness
from forebay.observability.metrics import METRICS
from forebay.runtime.flight_recorder import open_recorder
from forebay.runtime.protection import refuse_shipped, tell_configuration
from forebay.runtime.reading.told import told_last
from forebay.runtime.runner import StageApp
from forebay.runtime.stage import OpenStage
from forebay.runtime.timekeeping import keeping_time
from forebay.settings import ConfigurationError, KafkaSettings, Settings, WorkerSettings
from forebay.state.cancelling import end
from forebay.tracing.opening import open_tracer

log = structlog.get_logger(__name__)

STAGES = "forebay.stages"
_OBSERVE_S = 1.0
_ALLOCATIONS = 20_000


def stage_names() -> list[str]:
    """Names of all installed stages."""
    return sorted(entry.name for entry in entry_points(group=STAGES))


def open_stage(name: str) -> OpenStage:
    """The installed stage ``name``. Raises :class:`ConfigurationError` with the names there are."""
    for entry in entry_points(group=STAGES):
        if entry.name == name:
            opened: OpenStage = entry.load()
            return opened
    raise ConfigurationError(f"there is no stage {name!r}; stages: {', '.join(stage_names())}")


async def run(names: Sequence[str], settings: Settings) -> int:
    """Run the stages until a signal or a failure; the process's exit status."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        apps: list[StageApp] = []
        health = HealthServer(settings[WorkerSettings], ready=lambda: readiness(apps))
        await stack.enter_async_context(health)
        log.info("worker_starting", stages=list(names), version=__version__, health_port=health.port)
        tell_configuration(settings)
        stages = [await stack.enter_async_context(open_stage(name)(settings)) for name in names]
        refuse_shipped(settings, {route.topic for stage in stages for route in stage.routes})
        kafka = settings[KafkaSettings]
        topics = {topic_on_broker(route.topic, kafka) for stage in stages for route in stage.routes}
        groups = [group_on_broker(stage.name, kafka, stage.limits.version) for stage in stages]
        await asyncio.to_thread(check_access, kafka, topics, groups)
        await wait_for_topics(kafka, topics, stopping)
        if stopping.is_set():
            return 0
        recorder = open_recorder(settings, names)
        stack.callback(recorder.close)
        tracer = open_tracer(settings, "-".join(names))
        if tracer is not None:
            stack.push_async_callback(asyncio.to_thread, tracer.close)
        # Before anything is read: a deadline, a budget's day and a ledger's entry are by the brokers' time.
        keeper = await stack.enter_async_context(keeping_time(kafka, settings[WorkerSettings].instance, names))
        for stage in stages:
            apps.append(StageApp(stage, settings, recorder, tracer))
            METRICS.build.labels(__version__, stage.name).set(1)
        try:
            await asyncio.gather(*(app.start() for app in apps))
            telling = asyncio.create_task(keeper.tell_by(apps[0].publish, partial(told_last, settings)))
            stack.push_async_callback(end, [telling])
            return await _watch(apps, stopping)
        finally:
            log.info("worker_stopping", stages=list(names))
            for app in apps:
                await app.stop()


def readiness(apps: Sequence[StageApp]) -> Readiness:
    """What ``/readyz`` says of a worker."""
    return Readiness(
        started=bool(apps) and all(app.ready for app in apps),
        problems={
            app.stage.name: {problem.value: words for problem, words in app.watch.problems.items()}
            for app in apps
            if app.watch.problems
        },
        lag={
            app.stage.name: {
                topic: {"records": one.records, "seconds": round(one.seconds, 1)}
                for topic, one in app.watch.found.items()
            }
            for app in apps
        },
        warnings={app.stage.name: told for app in apps if (told := app.stage.warnings())},
    )


def calm_collector() -> None:
    """Have the garbage collector leave alone what was loaded, and look less often at the rest.

    Records come and go by reference counts; cycles are few. With Python's threshold of 700 allocations a collection
    ran several times a record.
    """
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
    gc.enable()


async def _watch(apps: Sequence[StageApp], stopping: asyncio.Event) -> int:
    """Wait for a signal (status 0) or for the first stage that cannot go on (status 1)."""
    failures = [asyncio.create_task(app.wait_failed()) for app in apps]
    stop = asyncio.create_task(stopping.wait())
    announced = False
    try:
        while True:
            done, _ = await asyncio.wait(
                [stop, *failures], timeout=_OBSERVE_S if announced else 0.05, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                if task is stop:
                    return 0
                error = task.exception()
                log.error("worker_failed", error=type(error).__name__, message=str(error))
                return 1
            if not announced and all(app.ready for app in apps):
                announced = True
                calm_collector()
                log.info("worker_ready")
            for app in apps:
                app.observe()
    finally:
        for task in [stop, *failures]:
            task.cancel()


def main(names: Sequence[str], settings: Settings) -> int:
    """Entry point of ``forebay worker``: run the event loop (uvloop where it is installed)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(run(names, settings))
    if sys.version_info >= (3, 12):
        return asyncio.run(run(names, settings), loop_factory=uvloop.new_event_loop)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(names, settings))
