"""What does the HTTP door cost? Alone over an echo on a real broker, and on the whole chain beside Forebay's client.

Latencies of a machine that others share are upper bounds: CPU time, memory and what was measured in turns in one run
are to be trusted. The yardstick says how fast a core was.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from loadtest.chaos.stack import Stack, running_stack
from loadtest.door import beside
from loadtest.door.clients import Clients
from loadtest.door.driving import asking, at_once, at_rate, cpu_s, session, spread, watched
from loadtest.measurements.chain import question, send
from loadtest.yardstick import yardstick_ms

_STREAMS, _HELD_S = 1_000, 120.0
_FIRST_MS = 300.0
_MIB = 1 << 20
_PROVIDER: Mapping[str, Any] = {"models": {"small": {"instant": True}, "large": {"instant": True}}}


def report(seconds: float, parts: str, proxy: Path | None, rate: float = 20.0) -> dict[str, Any]:
    """All figures, or of ``parts``: ``alone``, ``streams``, ``stopped``, ``added``, ``first`` (with commas).

    Args:
        rate: requests a second of ``added``: what the chain cannot take waits, and hides what the door adds.
        proxy: ``bin/litellm`` of an environment with ``litellm[proxy]``, to be measured beside; ``None``: none.
    """
    wanted = parts.split(",") if parts else ["alone", "streams", "stopped", "added", "first"]
    found: dict[str, Any] = {"yardstick_ms": [yardstick_ms()]}
    with tempfile.TemporaryDirectory() as place:
        if {"alone", "streams", "stopped"} & set(wanted):
            found |= _over_an_echo(Path(place) / "echo", seconds, wanted)
        if {"added", "first"} & set(wanted):
            found |= _on_the_chain(Path(place) / "chain", seconds, wanted, rate)
        if proxy is not None:
            found["litellm_proxy"] = beside.report(Path(place) / "proxy", proxy.absolute(), seconds)
    found["yardstick_ms"].append(yardstick_ms())
    return found


def _over_an_echo(folder: Path, seconds: float, wanted: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with running_stack(folder, workers="none") as stack, _echo():
        key = _new_key(stack)
        if "alone" in wanted:
            with _door(stack) as (url, process, started):
                found["start"] = started
                found["alone"] = asyncio.run(_alone(url, key, process, seconds))
        if "streams" in wanted:
            with _door(stack, FOREBAY_EDGE_TIMEOUT_S="600") as (url, process, _):
                found["streams"] = asyncio.run(_streams(url, key, process))
        if "stopped" in wanted:
            with _door(stack, FOREBAY_EDGE_DRAIN_S="10", FOREBAY_EDGE_LAME_DUCK_S="1") as (url, process, _):
                found["stopped"] = asyncio.run(_stopped(url, key, process))
    return found


async def _alone(url: str, key: str, process: psutil.Process, seconds: float) -> dict[str, Any]:
    async with session() as client:
        ask = asking(client, url, key, lambda number: f"{number} {time.time_ns()} " + "word " * 80)
        await at_rate(ask, 50, 4)
        found = {f"{rate} a second": (await watched(process, at_rate(ask, rate, seconds)))[0] for rate in (50, 500)}
        return found | {"32 at once": (await watched(process, at_once(ask, 32, seconds)))[0]}


async def _streams(url: str, key: str, process: psutil.Process) -> dict[str, Any]:
    at_rest = process.memory_info().rss
    async with Clients([url], key) as clients, session() as probing:
        open_ = []
        for number in range(_STREAMS):
            text = f"[hold={_HELD_S + 20:g}] [pace=1] {number} {time.time_ns()} " + "word " * 160
            open_.append(asyncio.create_task(clients.ask(f"s-{number}-{time.time_ns()}", text, stream=True)))
            await asyncio.sleep(0.015)
        took, largest, ends = list[float](), 0, time.monotonic() + _HELD_S
        before_s = cpu_s(process)
        while time.monotonic() < ends:
            begun = time.perf_counter()
            async with probing.get(url.removesuffix("/v1") + "/healthz") as answer:
                await answer.read()
                assert answer.status == 200
            took.append(time.perf_counter() - begun)
            largest = max(largest, process.memory_info().rss)
            await asyncio.sleep(0.1)
        used_s = cpu_s(process) - before_s
        seen = await asyncio.gather(*open_)
    return {
        "streams": len(seen),
        "ended_well": sum(one.answered for one in seen),
        "otherwise": [one.cut for one in seen if not one.answered][:5],
        "at_rest_mib": round(at_rest / _MIB, 1),
        "largest_mib": round(largest / _MIB, 1),
        "kib_a_stream": round((largest - at_rest) / _STREAMS / 1024, 1),
        "pieces_a_stream": round(sum(1 + len(one.gaps_s) for one in seen) / _STREAMS, 1),
        "cpu_us_a_piece": round(1e6 * used_s / (_STREAMS * _HELD_S)),
        "healthz": spread(took),
    }


async def _stopped(url: str, key: str, process: psutil.Process) -> dict[str, Any]:
    """200 streams and 200 others wait, of each a quarter for longer than the door does; then SIGTERM, and 40 more."""
    async with Clients([url], key) as clients:

        def ask(number: int, hold_s: float) -> "asyncio.Task[Any]":
            text, name = f"[hold={hold_s}] {number} {time.time_ns()}", f"t-{number}-{time.time_ns()}"
            return asyncio.create_task(clients.ask(name, text, stream=number % 2 == 0))

        tasks = [ask(number, 6.0 if number % 8 > 1 else 60.0) for number in range(400)]
        for _ in range(200):  # the others were asked between them
            await clients.begun.get()
        process.terminate()
        for number in range(400, 440):
            tasks.append(ask(number, 0.0))
            await asyncio.sleep(0.05)
        seen = await asyncio.gather(*tasks)
    ends = Counter("answered" if one.answered else one.cut[-1] for one in seen)
    told = {"answered", "draining", "still_running", "ClientConnectorError"}  # the last: nobody listens any more
    return {"clients": len(seen), "ends": ends, "without_an_end": sum(ends[end] for end in ends.keys() - told)}


def _on_the_chain(folder: Path, seconds: float, wanted: list[str], rate: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    configuration = {"evaluation": {"sample_rate": 0}}
    with running_stack(folder, configuration=configuration, door=True) as stack:
        url, key = stack.door()
        stack.provider(_PROVIDER)
        send(stack.settings, 10, 10, "warm")
        if "added" in wanted:
            found["added"] = _added(stack, url, key, seconds, rate)
        if "first" in wanted:
            pace = {"kind": "fixed", "first_token_ms": _FIRST_MS, "tokens_per_s": 25}
            patch = {"instant": False, "answer_tokens": 50, "latency": pace}
            stack.provider({"models": {"small": patch}})
            found["first"] = asyncio.run(_first(url, key, seconds))
    return found


def _added(stack: Stack, url: str, key: str, seconds: float, rate: float) -> dict[str, Any]:
    """In turns, twice: by Forebay's client, and by HTTP; the same questions but for their names."""
    by_client: list[float] = []
    by_http: list[float] = []
    for turn in range(2):
        took = send(stack.settings, rate, seconds, f"client-{turn}")
        by_client += [ms / 1000 for ms in took.values()]
        by_http += asyncio.run(_sent(url, key, rate, seconds, partial(question, f"http-{turn}")))
    found = {"by_client": spread(by_client), "by_http": spread(by_http)}
    return found | {
        "added": {name: round(found["by_http"][name] - found["by_client"][name], 1) for name in spread([0, 1])}
    }


async def _sent(url: str, key: str, rate: float, seconds: float, text: Any) -> list[float]:
    async with session() as client:
        return await at_rate(asking(client, url, key, text, "auto"), rate, seconds)


async def _first(url: str, key: str, seconds: float, rate: float = 2.0) -> dict[str, Any]:
    async with Clients([url], key) as clients:
        tasks, begun = [], time.perf_counter()
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            name = f"first-{number}-{time.time_ns()}"
            tasks.append(asyncio.create_task(clients.ask(name, question("first", number), stream=True)))
        seen = [one for one in await asyncio.gather(*tasks) if one.answered]
    gaps = [gap for one in seen for gap in one.gaps_s]
    return {
        "streams": len(seen),
        "first_text": spread([one.first_s for one in seen]),
        "of_it_the_providers_ms": _FIRST_MS,
        "between_pieces": spread(gaps),
        "pieces_a_stream": round(1 + len(gaps) / max(1, len(seen)), 1),
    }


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
