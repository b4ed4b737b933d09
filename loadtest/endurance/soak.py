"""Half an hour of users with every stage killed once: is anything lost, and does anything grow?"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loadtest.chaos.faults import STAGES
from loadtest.chaos.gathering import mark
from loadtest.chaos.stack import Stack, running_stack
from loadtest.endurance.growth import Growth
from loadtest.endurance.sampling import Sampler, file_growth, memory_growth
from loadtest.users import run
from loadtest.users.sending import send
from loadtest.users.trial import judged, quantiles
from loadtest.yardstick import yardstick_ms

_PATIENCE_S = 120.0
_SETTLED = 0.15
"""Share of the time that processes have to warm up, after each start."""
_GROWN = 0.1
"""Share of itself by which nothing may certainly have grown at the end."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """``rate`` requests a second for so many minutes; the stages of ``killed`` in even distances."""

    rate: float
    minutes: float = 30.0
    seed: int = 1
    warm: int = 1_000
    killed: Sequence[str] = STAGES


def measure(wanted: Wanted, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Start a stack in ``folder``, warm it, load it, and kill in it."""
    seconds = 60 * wanted.minutes
    with running_stack(folder, configuration=run.CONFIGURATION) as stack:
        stack.wait_ready()
        stack.provider(run.REALISTIC)
        warming = run.Wanted(seed=wanted.seed, warm=wanted.warm)
        run.warm(stack, warming, say)
        users = run.users_of(warming, wanted.rate)
        asked = list(users.asking(seconds, "soak"))
        yard, since = yardstick_ms(), mark(stack.settings, stack.invoice)
        killing = threading.Thread(target=kill_each, args=(stack, wanted, say), name="killer", daemon=True)
        with Sampler(stack, max(1.0, seconds / 180)) as sampler:
            killing.start()
            sent = send(stack.settings, asked, say, patience_s=_PATIENCE_S)
        killing.join(60)
        stack.wait_ready()
        yard_after = yardstick_ms()
        evidence, violations = judged(stack, users, sent, since)
    memory = memory_growth(sampler.samples, _SETTLED * seconds)
    files = file_growth(sampler.samples, _SETTLED * seconds)
    return {
        "wanted": asdict(wanted),
        "requests": len(asked),
        "answered": len(sent.latency_ms),
        "latency_ms": quantiles(sent),
        "pss_mb": round(sum(sampler.samples[-1].pss_mb.values())) if sampler.samples else 0,
        "memory": {name: _rounded(one) for name, one in memory.items()},
        "files": {name: _rounded(one) for name, one in files.items()},
        "generator_late_ms": sent.late_ms,
        "yardstick_ms": [yard, yard_after],
        "unfinished": {stage: dict(topics) for stage, topics in evidence.lag.items() if any(topics.values())},
        "violations": [*grown(memory, wanted.minutes / 60), *violations],
    }


def grown(memory: Mapping[str, Growth], hours: float) -> list[str]:
    """Processes that certainly grew by more than a tenth, in words. Topics and logs grow until their retention."""
    return [
        f"{name} grew by {one.low:.1f} to {one.high:.1f} MB an hour"
        for name, one in memory.items()
        if one.is_over(_GROWN, hours)
    ]


def kill_each(stack: Stack, wanted: Wanted, say: Callable[[str], None]) -> None:
    """``kill -9`` of each stage, in even distances over the time."""
    pause_s = 60 * wanted.minutes / (len(wanted.killed) + 1)
    for stage in wanted.killed:
        time.sleep(pause_s)
        say(f"kill -9 {stage}")
        stack.strike(stage)


def _rounded(one: Growth) -> dict[str, float]:
    return {name: round(value, 2) for name, value in asdict(one).items()}


def markdown(found: Mapping[str, Any]) -> str:
    """Tables for people."""
    wanted, latency = found["wanted"], found["latency_ms"]
    told = (
        f"{wanted['minutes']:g} min at {wanted['rate']:g}/s, kill -9 of {', '.join(wanted['killed'])}: "
        f"{found['answered']} of {found['requests']} answered, p50 / p95 / p99 "
        f"{latency['p50'] / 1000:.2f} / {latency['p95'] / 1000:.2f} / {latency['p99'] / 1000:.2f} s, "
        f"PSS {found['pss_mb']} MB, yardstick {max(found['yardstick_ms']):g}. "
        f"Broken: {'; '.join(found['violations']) or 'nothing'}."
    )
    lines = [
        told,
        "",
        "| | MB at the end | MB an hour | from | to |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind in ("memory", "files"):
        lines += [
            f"| {kind} of {name} | {one['last']:.1f} | {one['an_hour']:.1f} | {one['low']:.1f} | {one['high']:.1f} |"
            for name, one in found[kind].items()
        ]
    return "\n".join(lines)
