"""What does the HTTP door cost? Alone, over an echo on a real broker that stands for all stages.

Latencies of a machine that others share are upper bounds: CPU time, memory and what was measured in turns in one run
are to be trusted. The yardstick says how fast a core was.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from loadtest.chaos.stack import Stack, running_stack
from loadtest.door.driving import asking, at_once, at_rate, session, watched
from loadtest.measurements.cpu import yardstick_ms

_MIB = 1 << 20


def report(seconds: float) -> dict[str, Any]:
    """CPU a request and latency at 50 and at 500 requests a second and with 32 clients, what a door took to start."""
    found: dict[str, Any] = {"yardstick_ms": [yardstick_ms()]}
    with tempfile.TemporaryDirectory() as place, running_stack(Path(place) / "echo", workers="none") as stack, _echo():
        key = _new_key(stack)
        with _door(stack) as (url, process, started):
            found |= {"start": started, "alone": asyncio.run(_alone(url, key, process, seconds))}
    found["yardstick_ms"].append(yardstick_ms())
    return found


async def _alone(url: str, key: str, process: psutil.Process, seconds: float) -> dict[str, Any]:
    async with session() as client:
        ask = asking(client, url, key, lambda number: f"{number} {time.time_ns()} " + "word " * 80)
        await at_rate(ask, 50, 4)
        found = {f"{rate} a second": (await watched(process, at_rate(ask, rate, seconds)))[0] for rate in (50, 500)}
        return found | {"32 at once": (await watched(process, at_once(ask, 32, seconds)))[0]}


@contextmanager
def _echo() -> Iterator[None]:
    command = [sys.executable, "-m", "loadtest", "door-echo"]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()


@contextmanager
def _door(stack: Stack, **environment: str) -> Iterator[tuple[str, psutil.Process, dict[str, float]]]:
    """A door of its own; its URL, its process, and what it took to start."""
    begun = time.monotonic()
    url, started = stack.add_door(**environment)
    process = psutil.Process(started.pid)
    times = process.cpu_times()
    told = {"ready_s": round(time.monotonic() - begun, 1), "cpu_s": round(times.user + times.system, 1)}
    told["mib"] = round(process.memory_info().rss / _MIB, 1)
    try:
        yield url, process, told
    finally:
        started.kill()
        started.wait()


def _new_key(stack: Stack) -> str:
    from forebay.contract.records import ApiKey
    from forebay.operations.api_keys import created
    from forebay.operations.audit.recording import unrecorded
    from forebay.operations.publishing import publish

    wanted = ApiKey(tenant_id="acme", user_id="u-1")
    with created(wanted, unrecorded, partial(publish, stack.settings)) as shown:
        return shown.key
