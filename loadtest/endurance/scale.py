"""One, two, four workers of a stage: is so much more carried? With a slow provider, whose places are what is short.

Completion is the stage, because it is what waits: a worker has few places, each call takes seconds, and next to no CPU
is needed, so that two cores show what more machines would do.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from threading import Event, Thread
from typing import Any

from forebay.contract.names import group_on_broker
from forebay.kafka.group_offsets import read_offsets
from forebay.kafka.lag import consumer_lag
from forebay.settings import KafkaSettings
from loadtest.chaos.gathering import mark
from loadtest.chaos.stack import Stack, running_stack
from loadtest.users import run
from loadtest.users.hits import Hits
from loadtest.users.sending import send
from loadtest.users.trial import judged, quantiles
from loadtest.yardstick import yardstick_ms

STAGE = "completion"
_PARTITIONS = 12
_REBALANCED_S = 10.0
_PATIENCE_S = 300.0
_WORTH = 0.8
"""Share of twice and four times as much that has to be carried."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """``places`` calls at once a worker, each of ``call_s`` seconds; ``seconds`` for each number of workers."""

    workers: Sequence[int] = (1, 2, 4)
    places: int = 8
    call_s: float = 4.0
    seconds: float = 60.0
    seed: int = 1
    warm: int = 60

    @property
    def rate(self) -> float:
        """Requests a second: a tenth more than all workers together carry, so that something always waits."""
        return 1.1 * max(self.workers) * self.places / self.call_s


@dataclass(frozen=True, kw_only=True)
class Step:
    """What so many workers did; calls in flight as the provider saw them, lag in records at the end."""

    workers: int
    served_per_s: float
    in_flight: float
    lag: int
    partitions: Sequence[int]


def measure(wanted: Wanted, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Start a stack in ``folder``, and more and more workers of the stage."""
    configuration = {
        **run.CONFIGURATION,
        "kafka": {"partitions": _PARTITIONS},
        STAGE: {"in_flight": wanted.places},
        "evaluation": {"sample_rate": 0.0},
    }
    with running_stack(folder, configuration=configuration) as stack:
        stack.wait_ready()
        stack.provider(run.INSTANT)
        run.warm(stack, run.Wanted(seed=wanted.seed, warm=wanted.warm, hits=Hits.NONE), say)
        stack.provider(_slow(wanted.call_s))
        yard, since = yardstick_ms(), mark(stack.settings, stack.invoice)
        seconds = len(wanted.workers) * (wanted.seconds + _REBALANCED_S)
        users = run.users_of(run.Wanted(seed=wanted.seed, hits=Hits.NONE), wanted.rate)
        steps: list[Step] = []
        over = Event()
        stepping = Thread(target=_step, args=(stack, wanted, steps, over, say), name="steps", daemon=True)
        stepping.start()
        sent = send(stack.settings, list(users.asking(seconds, "scale")), say, patience_s=_PATIENCE_S)
        over.set()
        stepping.join(60)
        yard_after = yardstick_ms()
        _evidence, violations = judged(stack, users, sent, since)
    return {
        "wanted": asdict(wanted) | {"rate": wanted.rate},
        "steps": [asdict(one) for one in steps],
        "latency_ms": quantiles(sent),
        "yardstick_ms": [yard, yard_after],
        "violations": [*too_little(steps, wanted), *violations],
    }


def too_little(steps: Sequence[Step], wanted: Wanted) -> list[str]:
    """Where more workers did not carry so much more, in words."""
    if len(steps) < len(wanted.workers):
        return [f"only {len(steps)} of {len(wanted.workers)} steps came to their end"]
    one = steps[0].served_per_s / steps[0].workers
    return [
        f"{step.workers} workers served {step.served_per_s:g} a second, one {one:g}"
        for step in steps[1:]
        if step.served_per_s < _WORTH * step.workers * one
    ]


def _slow(call_s: float) -> Mapping[str, Any]:
    latency = {"kind": "fixed", "first_token_ms": 1000 * call_s, "tokens_per_s": 0.0, "tail": {"share": 0.0}}
    quality = {"skill": 1.0, "floor": 1.0}
    return {"models": {name: {"latency": latency, "quality": quality} for name in ("small", "large")}}


def _step(stack: Stack, wanted: Wanted, steps: list[Step], over: Event, say: Callable[[str], None]) -> None:
    running = 1
    for workers in wanted.workers:
        while running < workers:
            stack.add_worker(STAGE)
            running += 1
        if over.wait(_REBALANCED_S):
            return
        begun, done = time.monotonic(), _done(stack)
        in_flight = []
        while time.monotonic() - begun < wanted.seconds:
            if over.wait(1.0):
                return
            in_flight.append(stack.calls_in_flight())
        served = (_done(stack) - done) / (time.monotonic() - begun)
        steps.append(
            Step(
                workers=workers,
                served_per_s=round(served, 2),
                in_flight=round(fmean(in_flight), 1),
                lag=sum(consumer_lag(stack.settings).get(STAGE, {}).values()),
                partitions=_partitions(stack),
            )
        )
        say(f"{steps[-1]}")


def _done(stack: Stack) -> int:
    """Calls that the provider has answered, by the lines of its invoice."""
    with stack.invoice.open("rb") as file:
        return sum(1 for _ in file)


def _partitions(stack: Stack) -> list[int]:
    """Partitions of the group that have a reader; how they are shared out the group knows."""
    kafka = stack.settings[KafkaSettings]
    group = group_on_broker(STAGE, kafka, 1)
    assigned = read_offsets(kafka, [group]).assigned.get(group, frozenset())
    return sorted({partition for _topic, partition in assigned})


def markdown(found: Mapping[str, Any]) -> str:
    """A table for people."""
    wanted = found["wanted"]
    told = (
        f"{wanted['rate']:.1f} new questions a second, {wanted['places']} places a worker of {STAGE}, calls of "
        f"{wanted['call_s']:g} s, {_PARTITIONS} partitions, {wanted['seconds']:g} s a step; yardstick "
        f"{max(found['yardstick_ms']):g}. Broken: {'; '.join(found['violations']) or 'nothing'}."
    )
    lines = [
        told,
        "",
        "| workers | served a second | calls in flight | records waiting at the end | partitions read |",
        "| --- | --- | --- | --- | --- |",
    ]
    columns = ("workers", "served_per_s", "in_flight", "lag")
    lines += [
        f"| {' | '.join(f'{one[name]:g}' for name in columns)} | {len(one['partitions'])} |" for one in found["steps"]
    ]
    return "\n".join(lines)
