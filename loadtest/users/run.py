"""How is a stack brought to where users meet it? Started, warmed by users of the same habits, seen at rest, tried."""

import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from forebay.embedded.layout import parse
from forebay.embedded.plan import stage_names
from forebay.kafka.lag import wait_until_idle
from loadtest.chaos.stack import Stack, running_stack, tiers
from loadtest.users.finding import highest
from loadtest.users.hits import Hits
from loadtest.users.mix import Asked, Users
from loadtest.users.profiling import profiled
from loadtest.users.sending import send
from loadtest.users.trial import Trial, attempt
from loadtest.users.watching import GENERATOR, PROVIDER, Spent, Watch, spent

CONFIGURATION: Mapping[str, Any] = {
    # Above every call's time-out, so that the ledger has declared what it does not know when the verdict is made.
    "cost": {"unsettled_after_s": 40, "sweep_every_s": 5},
    "models": {"tiers": tiers(timeout_s=30)},
}
"""Over the configuration of the chaos tests: 2 % judged by the small tier, short delays of retries."""
_ERRORS = {"503": 0.004, "429": 0.003, "500": 0.002, "disconnect": 0.001}
REALISTIC: Mapping[str, Any] = {
    "models": {
        name: {
            "latency": {
                "kind": "lognormal",
                "first_token_ms": first_ms,
                "sigma": 0.4,
                "tokens_per_s": tokens_per_s,
                "tail": {"share": 0.01, "ms": tail_ms},
            },
            "quality": {"skill": skill, "floor": 0.5},
            "errors": _ERRORS,
        }
        for name, first_ms, tokens_per_s, tail_ms, skill in (
            ("small", 200.0, 160.0, 2_000.0, 0.7),
            ("large", 600.0, 60.0, 4_000.0, 1.0),
        )
    }
}
"""With 24 tokens an answer: median of the small model 350 ms, of the large one 1 s; 1 % slow, 1 % fails."""
INSTANT: Mapping[str, Any] = {
    "models": {
        name: {
            "latency": {"kind": "fixed", "first_token_ms": 0.0, "tokens_per_s": 0.0, "tail": {"share": 0.0}},
            "quality": {"skill": 1.0, "floor": 0.9},
        }
        for name in ("small", "large")
    }
}
_WARM_RATE = 15.0
_SETTLE_S = 5.0


def _nothing(_stack: Stack) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is measured; ``start`` is the first rate of ``find``, in requests a second.

    Attributes:
        users: how many, each thinking ``think_s`` between two questions on average.
        warm: requests before anything is measured.
        real: whether the provider takes as long as real ones, and fails like them.
        profile: folder for profiles.
        layout: which stages share a process, as `forebay up --layout` has it.
    """

    users: int = 1_200
    think_s: float = 60.0
    seconds: float = 60.0
    hits: Hits = Hits.MIX
    seed: int = 1
    warm: int = 1_000
    idle_s: float = 20.0
    find: bool = False
    real: bool = True
    profile: Path | None = None
    layout: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found; ``highest``: the rate that held, if it was looked for and there is one."""

    wanted: Wanted
    idle: Spent
    trials: list[Trial]
    highest: float | None


def measure(
    wanted: Wanted,
    folder: Path,
    say: Callable[[str], None],
    *,
    first: Callable[[Stack], None] = _nothing,
    last: Callable[[Stack], None] = _nothing,
) -> Found:
    """Start a stack in ``folder``, warm it, look at it at rest, and try.

    Args:
        first: what else is done with the warm stack before; last: afterwards.
    """
    layout = parse(wanted.layout, stage_names()) if wanted.layout else ()
    with running_stack(folder, configuration=CONFIGURATION, layout=layout) as stack:
        stack.wait_ready()
        stack.provider(REALISTIC if wanted.real else INSTANT)
        warm(stack, wanted, say)
        pids = pids_of(stack)
        watch = Watch(stack.settings, pids)
        say(f"at rest for {wanted.idle_s:g} s")
        before = watch.look()
        time.sleep(wanted.idle_s)
        idle = spent(before, watch.look())
        first(stack)
        trials: list[Trial] = []

        def holds(rate: float) -> bool:
            number = len(trials)
            users = users_of(wanted, rate)
            say(f"{rate:g} requests a second: {users.count} users for {wanted.seconds:g} s")
            asked = list(users.asking(wanted.seconds, f"try {number}"))
            folder = wanted.profile and wanted.profile / str(number)
            beside = profiled(_workers(pids), folder) if folder else nullcontext()
            trials.append(last := attempt(stack, watch, users, asked, say, beside=beside))
            say(f"{'holds' if last.holds else 'does not hold'}: {dict(last.latency_ms)} ms, {list(last.violations)}")
            return last.holds

        rate = wanted.users / wanted.think_s
        best = highest(holds, rate) if wanted.find else None
        if not wanted.find:
            holds(rate)
        last(stack)
    return Found(wanted=wanted, idle=idle, trials=trials, highest=best)


def users_of(wanted: Wanted, rate: float) -> Users:
    """As many users as make ``rate`` requests a second."""
    count = max(1, math.ceil(rate * wanted.think_s))
    return Users(count, think_s=wanted.think_s, hits=wanted.hits, seed=wanted.seed)


def warm(stack: Stack, wanted: Wanted, say: Callable[[str], None]) -> None:
    """Bring ``stack`` to where users meet it."""
    users = users_of(wanted, _WARM_RATE)
    known: list[Asked] = list(users.known()) if wanted.hits is Hits.ALL else []
    asked = known or list(users.asking(wanted.warm / users.rate, "warm"))
    say(f"warming: {len(asked)} requests at {users.rate:g} a second")
    send(stack.settings, asked, say, patience_s=120.0)
    wait_until_idle(stack.settings, 120.0)
    time.sleep(_SETTLE_S)


def pids_of(stack: Stack) -> dict[str, int]:
    """Processes by name: those of the stack, the provider, and this one."""
    found = {name: row.pid for name, row in stack.rows().items() if row.pid}
    for child in psutil.Process().children():
        if "loadtest.provider" in child.cmdline():
            found[PROVIDER] = child.pid
    return found | {GENERATOR: os.getpid()}


def _workers(pids: Mapping[str, int]) -> dict[str, int]:
    """The processes that run Python and are Forebay's."""
    return {
        name: pid
        for name, pid in pids.items()
        if name not in (GENERATOR, PROVIDER) and "python" in psutil.Process(pid).name()
    }
