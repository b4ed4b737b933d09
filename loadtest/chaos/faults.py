"""What can go wrong? The catalogue of faults: each is done to a stack under load, and is over when it returns."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from forebay.contract.clock import now_ms
from forebay.contract.names import topic_on_broker
from forebay.kafka.connection import confluent_options
from forebay.settings import KafkaSettings
from forebay.state.redis_client import open_redis
from loadtest.chaos.poison import poison
from loadtest.chaos.stack import Stack

STAGES = ("redaction", "cache", "completion", "response", "cost", "evaluation", "review", "retry")

_SKEW = Path(__file__).parent / "skewed"
"""Holds a ``sitecustomize`` that shifts the clock of a Python process."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """What a fault left that the oracle must know: keys that must be buried, and of those to be answered.

    Attributes:
        stood_still: from when to when (ms since the epoch) a worker stood still.
    """

    buried: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    stood_still: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        inflict: does it.
        stage: whose recovery is timed.
        brokers: how many it needs at least.
        costs_claims: it destroys Redis's memory, and with it what was paid already: see docs/reliability.md.
    """

    name: str
    inflict: Callable[[Stack], Traces | None]
    stage: str | None = None
    brokers: int = 1
    costs_claims: bool = False


def _nothing(_stack: Stack) -> None: ...


def _end_worker(stage: str, number: signal.Signals, stack: Stack) -> None:
    """The worker's end; the one that is asked to go still commits what it has done."""
    if number is signal.SIGTERM:
        stack.end_in_order(stage)
    else:
        stack.strike(stage, number)


def _kill_while_retrying(number: signal.Signals, stack: Stack) -> None:
    stack.outage("503", 3.0, share=0.5)
    time.sleep(1.5)
    _end_worker("retry", number, stack)


def _provider(kind: str, seconds: float, share: float, stack: Stack) -> None:
    stack.outage(kind, seconds, share)
    time.sleep(seconds)


def _rebalances(stack: Stack, rounds: int = 3) -> None:
    """A worker of four stages joins, and leaves in order or without a word."""
    for number in range(rounds):
        process = stack.add_worker("redaction", "cache", "completion", "response")
        time.sleep(2.0)
        stack.remove_worker(process, signal.SIGKILL if number % 2 else signal.SIGTERM)


def _takeover(stack: Stack) -> None:
    """Of two workers of a stage one is killed: the other takes its partitions over."""
    process = stack.add_worker("completion")
    time.sleep(3.0)
    stack.remove_worker(process, signal.SIGKILL)


def _broker_bounce(stack: Stack) -> None:
    name = next(name for name in stack.rows() if name.startswith("kafka"))
    stack.strike(name, signal.SIGTERM)
    time.sleep(1.0)
    stack.wait_ready()


def _leader_lost(stack: Stack) -> None:
    """kill -9 of the broker that leads the most partitions."""
    stack.strike(f"kafka-{_busiest_broker(stack)}", signal.SIGKILL)
    time.sleep(5.0)
    stack.wait_ready()


def _busiest_broker(stack: Stack) -> int:
    from confluent_kafka.admin import AdminClient

    kafka = stack.settings[KafkaSettings]
    topics = AdminClient(confluent_options(kafka)).list_topics(timeout=10).topics
    names = {topic_on_broker(name, kafka) for name in ("requests", "requests.redacted", "requests.uncached")}
    leaders = [p.leader for name in names for p in topics[name].partitions.values()]
    return max(set(leaders), key=leaders.count)


def _redis_killed(stack: Stack) -> None:
    stack.strike("redis", signal.SIGKILL)


def _redis_emptied(stack: Stack) -> None:
    async def empty() -> None:
        async with open_redis(stack.settings, timeout_s=10.0) as client:
            await client.flushall()

    asyncio.run(empty())


def _redis_full(stack: Stack) -> None:
    """Redis takes nothing new for a while: requests wait, and go on when it has room."""

    async def limited() -> None:
        async with open_redis(stack.settings, timeout_s=10.0) as client:
            before = (await client.config_get("maxmemory"))["maxmemory"]
            try:
                await client.config_set("maxmemory", 1)
                await asyncio.sleep(8.0)
            finally:
                await client.config_set("maxmemory", before)

    asyncio.run(limited())


def _poison(stack: Stack) -> Traces:
    buried, answered = poison(stack.settings)
    return Traces(buried=buried, answered=answered)


def _skewed(seconds: int, stack: Stack) -> None:
    """A worker whose clock is wrong joins, serves for a while, and leaves."""
    path = os.pathsep.join(filter(None, [str(_SKEW), os.environ.get("PYTHONPATH", "")]))
    process = stack.add_worker(
        "redaction", "completion", "response", "retry", PYTHONPATH=path, LOADTEST_SKEW_S=str(seconds)
    )
    time.sleep(6.0)
    stack.remove_worker(process)


def _frozen(seconds: float, stack: Stack) -> Traces:
    """The stage's worker stands still for longer than its session beside its successor, and goes on."""
    process = stack.add_worker("completion")
    stack.strike("completion", signal.SIGSTOP)
    begun_ms = now_ms()
    time.sleep(seconds)
    ended_ms = now_ms()
    stack.strike("completion", signal.SIGCONT)
    time.sleep(3.0)
    stack.remove_worker(process)
    return Traces(stood_still=((begun_ms, ended_ms),))


def _disk_full(stack: Stack) -> None:
    """A worker that can write no file at all (as ``ulimit -f 0``) joins, serves and leaves."""
    path = os.pathsep.join(filter(None, [str(_SKEW), os.environ.get("PYTHONPATH", "")]))
    process = stack.add_worker("redaction", "completion", "cost", PYTHONPATH=path, LOADTEST_NO_FILES="1")
    time.sleep(6.0)
    stack.remove_worker(process)


def _together(stack: Stack) -> Traces:
    """Everything that can be had within half a minute, one on top of the other."""
    stack.outage("500", 20.0, share=0.15)
    traces = _poison(stack)
    _end_worker("completion", signal.SIGKILL, stack)
    time.sleep(2.0)
    _redis_killed(stack)
    _end_worker("redaction", signal.SIGKILL, stack)
    time.sleep(3.0)
    _end_worker("cache", signal.SIGTERM, stack)
    stack.outage("disconnect", 5.0, share=0.3)
    _end_worker("response", signal.SIGKILL, stack)
    time.sleep(3.0)
    _end_worker("cost", signal.SIGKILL, stack)
    brokers = sorted(name for name in stack.rows() if name.startswith("kafka"))
    stack.strike(brokers[-1], signal.SIGKILL)
    time.sleep(8.0)
    stack.wait_ready()
    return traces


def catalogue() -> Mapping[str, Fault]:
    """Every fault by name, in the order of the table."""
    faults: list[Fault] = [Fault(name="none", inflict=_nothing)]
    for number in (signal.SIGKILL, signal.SIGTERM):
        for stage in STAGES:
            inflict = partial(_kill_while_retrying, number) if stage == "retry" else partial(_end_worker, stage, number)
            faults.append(Fault(name=f"{number.name} {stage}", inflict=inflict, stage=stage))
    faults += [
        Fault(name="takeover", inflict=_takeover, stage="completion"),
        Fault(name="rebalances", inflict=_rebalances),
        Fault(name="broker bounce", inflict=_broker_bounce),
        Fault(name="leader lost", inflict=_leader_lost, brokers=3),
        Fault(name="redis killed", inflict=_redis_killed),
        Fault(name="redis full", inflict=_redis_full),
        Fault(name="redis emptied", inflict=_redis_emptied, costs_claims=True),
        Fault(name="provider 429", inflict=partial(_provider, "429", 5.0, 1.0)),
        Fault(name="provider 500", inflict=partial(_provider, "500", 5.0, 1.0)),
        Fault(name="provider time-outs", inflict=partial(_provider, "hang", 4.0, 0.5)),
        Fault(name="provider refuses", inflict=partial(_provider, "refuse", 5.0, 1.0)),
        Fault(name="provider half-closes", inflict=partial(_provider, "disconnect", 5.0, 0.7)),
        Fault(name="provider garbage", inflict=partial(_provider, "malformed", 5.0, 0.7)),
        Fault(name="poison everywhere", inflict=_poison),
        Fault(name="clock 1 h ahead", inflict=partial(_skewed, 3_600)),
        Fault(name="clock 1 h behind", inflict=partial(_skewed, -3_600)),
        Fault(name="clock 26 h ahead", inflict=partial(_skewed, 26 * 3_600)),
        Fault(name="frozen", inflict=partial(_frozen, 12.0)),
        Fault(name="no room on disk", inflict=_disk_full),
        Fault(name="all together", inflict=_together),
    ]
    return {fault.name: fault for fault in faults}


BOUNDED: Sequence[str] = (
    "SIGKILL completion",
    "SIGKILL redaction",
    "SIGTERM cache",
    "SIGKILL cost",
    "redis emptied",
    "provider garbage",
    "poison everywhere",
    "all together",
)
"""What the continuous integration does."""
