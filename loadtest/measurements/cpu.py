"""What does a request cost, and what a stack that is asked nothing? CPU time of each process of an embedded stack.

A share of a request is what the processes took while requests were on their way, without what they would have taken
anyway. Beside it stands the yardstick.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from loadtest.measurements.chain import send
from loadtest.simulated_stack import running
from loadtest.yardstick import yardstick_ms

_SETTLE_S = 15.0
"""Seconds after which stages have restored what they keep and imported what they need late."""


def report(rate: float, seconds: float, idle_s: float, warm_up_s: float = 10.0) -> dict[str, Any]:
    """Watch an embedded stack with an instant model be asked nothing, then ``rate`` requests a second.

    Every request is new. ``idle_s`` and ``seconds`` are lengths of the two.

    Returns:
        By process and ``total``: ``idle_ms_a_second``, and ``ms_a_request`` over and above that; ``requests``,
        ``rate``; ``yardstick_ms`` before and after.
    """
    yardstick = [yardstick_ms()]
    with running({}) as (settings, _):
        pids = _pids(Path.cwd())
        send(settings, rate, warm_up_s, "warm")
        time.sleep(_SETTLE_S)
        idle, took_s = _watched(pids, lambda: time.sleep(idle_s))
        a_second = {name: ms / took_s for name, ms in idle.items()}
        busy, took_s = _watched(pids, lambda: send(settings, rate, seconds, "cpu"))
    requests = round(rate * seconds)
    yardstick.append(yardstick_ms())
    return {
        "requests": requests,
        "rate": rate,
        "idle_ms_a_second": _with_total(a_second),
        "ms_a_request": _with_total({name: (ms - a_second[name] * took_s) / requests for name, ms in busy.items()}),
        "yardstick_ms": yardstick,
    }


def _pids(folder: Path) -> dict[str, int]:
    from forebay.embedded.supervision.state import live

    state = live(folder / ".forebay")
    assert state is not None
    return {row.name: row.pid for row in state.processes if row.pid}


def _watched(pids: Mapping[str, int], meanwhile: Any) -> tuple[dict[str, float], float]:
    """CPU time of each process in ms while ``meanwhile`` ran, and the seconds that it took."""
    processes = {name: psutil.Process(pid) for name, pid in pids.items()}
    before, begun = {name: _cpu_ms(one) for name, one in processes.items()}, time.monotonic()
    meanwhile()
    took_s = time.monotonic() - begun
    return {name: _cpu_ms(one) - before[name] for name, one in processes.items()}, took_s


def _cpu_ms(process: psutil.Process) -> float:
    times = process.cpu_times()
    return 1000 * float(times.user + times.system)


def _with_total(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in sorted(values.items())} | {"total": round(sum(values.values()), 1)}
