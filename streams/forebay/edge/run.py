"""How does a door run as a worker? It is ready once it knows the keys and the last answers, and goes in order.

On SIGTERM it is not ready at once, but listens on, so that whoever balances load notices; new requests are refused.
Those that wait have some time, then they are told where the answer will be: nothing that was published is lost.
"""

import asyncio
import gc
import signal
import ssl
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import structlog

from forebay import __version__
from forebay.avro.registry import open_registry
from forebay.client.delta_topic import DeltaTopic, delta_partition
from forebay.client.door_channel import KafkaDoorChannel
from forebay.client.key_topic import KeyTopic
from forebay.client.past_responses import PastResponses
from forebay.client.pieces import HeardPieces
from forebay.client.speaker import door_speaker
from forebay.contract.clock import elapsed_s, now_s
from forebay.contract.names import group_on_broker, topic_on_broker
from forebay.edge.answers import Answers
from forebay.edge.app import App
from forebay.edge.asked.models import Models, tiers
from forebay.edge.desk import Desk
from forebay.edge.metrics import METRICS as EDGE_METRICS
from forebay.edge.past import Past
from forebay.edge.pieces import NoPieces, Pieces
from forebay.edge.rates import RedisRates
from forebay.edge.settings import EdgeSettings
from forebay.edge.spoken.listening import Listening
from forebay.kafka.group_offsets import begun, read_offsets
from forebay.kafka.preflight import check_access, wait_for_topics
from forebay.kafka.queries import broker_errors
from forebay.observability.health import HealthServer, Readiness
from forebay.observability.metrics import METRICS
from forebay.privacy.vault_redis import open_vault
from forebay.runtime.protection import refuse_shipped, tell_configuration
from forebay.settings import KafkaSettings, RedisSettings, Settings, StageSettings, VaultSettings, WorkerSettings
from forebay.state.rates import RedisLimiter
from forebay.state.redis_client import open_redis

NAME = "edge"
_TICK_S, _LAG_S, _SILENT_S = 1.0, 5.0, 8.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Door:
    """What a door says of itself, and how far behind the stages are."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lagged_s = 0.0
        self.channel: KafkaDoorChannel | None = None
        self.listening = False
        self.stopping = False
        self.lag = 0

    def readiness(self) -> Readiness:
        """What ``/readyz`` says."""
        channel = self.channel
        problems = {}
        if self.stopping:
            problems["draining"] = "it is being stopped"
        if channel is not None and channel.silent_s > _SILENT_S:
            problems["no_broker"] = f"the brokers have said nothing for {channel.silent_s:.0f} s"
        started = self.listening and channel is not None and channel.caught_up
        return Readiness(started=started, problems={NAME: problems} if problems else {})

    async def look(self) -> None:
        """Ask how many requests wait, every few seconds; what cannot be asked stays as it was."""
        if elapsed_s() - self._lagged_s < _LAG_S:
            return
        self._lagged_s = elapsed_s()
        try:
            self.lag = await asyncio.to_thread(_unfinished, self._settings)
        except Exception as error:  # noqa: BLE001 - whatever it is (no right, no broker), requests are taken meanwhile
            log.warning("lag_not_read", error=type(error).__name__)


def _unfinished(settings: Settings) -> int:
    kafka = settings[KafkaSettings]
    group = group_on_broker("redaction", kafka, settings[StageSettings].version)
    offsets = read_offsets(kafka, [group], _LAG_S)
    found = offsets.finished.get(group, {}).items()
    return sum(offsets.end[place] - begun(offsets, place, at) for place, at in found if place in offsets.end)


async def run(settings: Settings) -> int:
    """Serve until a signal; the process's exit status."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    chosen, kafka, door = settings[EdgeSettings], settings[KafkaSettings], Door(settings)
    async with AsyncExitStack() as stack:
        health = HealthServer(settings[WorkerSettings], ready=door.readiness)
        await stack.enter_async_context(health)
        log.info("worker_starting", stages=[NAME], version=__version__, health_port=health.port)
        tell_configuration(settings)
        refuse_shipped(settings, ("requests", "responses"))
        answered = door_speaker(settings).topics("responses")
        topics = {topic_on_broker(name, kafka) for name in (*answered, "deltas", "keys")}
        await asyncio.to_thread(check_access, kafka, topics, [])
        await wait_for_topics(kafka, topics, stopping)
        if stopping.is_set():
            return 0
        answers = Answers(keep_s=chosen.recent_s, keep_bytes=chosen.recent_bytes)
        channel = await _insisting(
            lambda: KafkaDoorChannel(settings, answers.arrived, back_s=chosen.recent_s), stopping
        )
        if channel is None:
            return 0
        stack.push_async_callback(asyncio.to_thread, channel.close)
        answers.read_with(channel)
        door.channel = channel
        keys = await _insisting(lambda: KeyTopic(settings), stopping)
        if keys is None:
            return 0
        stack.push_async_callback(asyncio.to_thread, keys.close)
        redis = await stack.enter_async_context(open_redis(settings))
        pieces = await _pieces(settings, stack, stopping)
        if pieces is None:
            return 0
        past = Past(PastResponses(settings), answers, channel)
        desk = Desk(channel, answers, EDGE_METRICS, keep_s=chosen.recent_s, past=past)
        app = App(
            chosen,
            desk,
            keys,
            Models(tiers(settings), chosen.models, int(now_s())),
            pieces,
            RedisRates(RedisLimiter(redis, settings[RedisSettings].key_prefix)),
            EDGE_METRICS,
            most_bytes=chosen.max_body_bytes or kafka.max_record_bytes,
            lag=lambda: door.lag,
        )
        runner = app.server().runner()
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await Listening(runner, chosen.host, chosen.port, tls(chosen), chosen.head_s).start()
        except OSError as error:
            log.error("worker_failed", error=type(error).__name__, message=f"port {chosen.port} cannot be had")
            return 1
        METRICS.build.labels(__version__, NAME).set(1)
        gc.freeze()
        gc.enable()
        door.listening = True
        log.info("worker_ready", port=runner.addresses[0][1])
        while not stopping.is_set():
            EDGE_METRICS.keys_age.set(keys.age_s)
            EDGE_METRICS.recent_bytes.set(answers.kept_bytes)
            desk.sweep()
            await door.look()
            await _pause(stopping, _TICK_S)
        log.info("worker_stopping", stages=[NAME], open=app.busy)
        await drain(app, door, chosen)
    return 0


async def _pieces(settings: Settings, stack: AsyncExitStack, stopping: asyncio.Event) -> Pieces | None:
    """Live pieces, where the vault's keys are at hand; without them streams come whole, and each start says so.

    ``None``: stopped before the brokers answered.
    """
    chosen = settings[VaultSettings]
    if not chosen.keys.get_secret_value() and not chosen.keys_file:
        log.warning("streams_are_not_live", missing="vault.keys")
        return NoPieces()
    vault = await stack.enter_async_context(open_vault(settings))
    partition = delta_partition(settings[WorkerSettings].instance)
    pieces = HeardPieces(partition, vault, lambda why: EDGE_METRICS.pieces_ended.labels(why).inc())
    kafka, registry = settings[KafkaSettings], open_registry(settings)
    topic = await _insisting(lambda: DeltaTopic(kafka, registry, partition, pieces.wanted, pieces.arrived), stopping)
    if topic is None:
        return None
    stack.push_async_callback(asyncio.to_thread, topic.close)
    return pieces


async def drain(app: App, door: Door, chosen: EdgeSettings) -> None:
    """Take nothing new, and wait for what is open; whoever is left after that is told where the answer will be."""
    door.stopping = app.draining = True
    await asyncio.sleep(chosen.lame_duck_s)
    for patience_s in (chosen.drain_s, chosen.lame_duck_s + 1.0):
        await _pause(app.idle, patience_s)
        app.cut()


async def _insisting(open_it: Callable[[], T], stopping: asyncio.Event) -> T | None:
    """What ``open_it`` opens, once the brokers answer; ``None``: stopped before that."""
    while not stopping.is_set():
        try:
            return await asyncio.to_thread(open_it)
        except broker_errors() as error:
            log.warning("brokers_awaited", error=type(error).__name__)
            await _pause(stopping, _TICK_S)
    return None


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return


def tls(chosen: EdgeSettings) -> ssl.SSLContext | None:
    """What its certificate is shown with; ``None``: it has none."""
    if not chosen.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chosen.tls_cert, chosen.tls_key)
    return context


def main(settings: Settings) -> int:
    """Entry point of ``forebay worker edge``: run the event loop (uvloop where it is installed)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(run(settings))
    if sys.version_info >= (3, 12):
        return asyncio.run(run(settings), loop_factory=uvloop.new_event_loop)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(settings))
