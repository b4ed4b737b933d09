"""The same row of Forebay: everything on, the load by Kafka, every stage a process, judged as in the chaos tests."""

import time
from collections.abc import Callable
from pathlib import Path

from forebay.client.client import ForebayClient
from forebay.contract.json_lines import new_id
from forebay.contract.records import CacheMode, CachePolicy, Message, Request
from forebay.settings import Settings
from loadtest.chaos.stack import Stack
from loadtest.measurements.chain import question
from loadtest.peers.rows import Row
from loadtest.users.hits import Hits
from loadtest.users.report import a_request
from loadtest.users.run import INSTANT, Wanted, measure

_OPEN = 64
_BEFORE_KILL_S = 1.2
_PATIENCE_S = 120.0
_QUIET_RATE = 5.0
_SLOW = {"models": {name: {"latency": {"first_token_ms": 300.0, "tokens_per_s": 5.0}} for name in ("small", "large")}}


def of_forebay(
    hits: Hits, folder: Path, *, seconds: float, seed: int, start: float, warm: int, say: Callable[[str], None]
) -> Row:
    """The highest rate under the users' mix (or its hits), and what a kill of ``completion`` loses of 64 requests."""
    seen: dict[str, float] = {}

    def first(stack: Stack) -> None:
        seen["added_ms"] = _quiet_p50_ms(stack.settings, seconds, repeated=hits is Hits.ALL)

    def last(stack: Stack) -> None:
        seen["lost"] = _killed(stack)

    wanted = Wanted(
        users=max(1, round(start * 60)), seconds=seconds, hits=hits, seed=seed, warm=warm, find=True, real=False
    )
    found = measure(wanted, folder, say, first=first, last=last)
    best = max((one for one in found.trials if one.holds), key=lambda one: one.rate, default=found.trials[-1])
    return Row(
        name=f"Forebay, {'hits only' if hits is Hits.ALL else 'everything on'}",
        rate=found.highest,
        added_ms=round(seen["added_ms"], 1),
        cpu_ms=a_request(best)["all"],
        mib=round(sum(best.pss_mb.values())),
        in_flight=_OPEN,
        lost=round(seen["lost"]),
        yardstick_ms=max(best.yardstick_ms),
        tried={one.rate: one.latency_ms["p95"] for one in found.trials},
    )


def _quiet_p50_ms(settings: Settings, seconds: float, *, repeated: bool) -> float:
    """With a provider that takes no time, at 5 requests a second, by Forebay's client."""
    took: list[float] = []
    with ForebayClient(settings) as client:
        for number in range(round(_QUIET_RATE * seconds)):
            begun = time.perf_counter()
            client.ask(_request(0 if repeated else number, fresh=False), timeout_s=_PATIENCE_S)
            took.append(time.perf_counter() - begun)
            time.sleep(max(0.0, begun + 1 / _QUIET_RATE - time.perf_counter()))
    return 1000 * sorted(took)[len(took) // 2]


def _killed(stack: Stack) -> int:
    """Requests without an answer, of those in flight when ``completion`` was killed."""
    stack.provider(_SLOW)
    with ForebayClient(stack.settings) as client:
        futures = [client.submit(_request(number, fresh=True)) for number in range(_OPEN)]
        time.sleep(_BEFORE_KILL_S)
        stack.strike("completion")
        deadline = time.monotonic() + _PATIENCE_S
        lost = 0
        for future in futures:
            try:
                future.result(max(0.1, deadline - time.monotonic()))
            except TimeoutError:
                lost += 1
    stack.provider(INSTANT)
    return lost


def _request(number: int, *, fresh: bool) -> Request:
    cache = CachePolicy(mode=CacheMode.BYPASS) if fresh else CachePolicy()
    return Request(request_id=new_id(), messages=(Message(content=question("added", number)),), cache=cache)
