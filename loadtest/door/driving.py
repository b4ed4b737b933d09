"""How is a door loaded? So many requests a second, whatever became of the ones before, or so many at once."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from statistics import quantiles
from typing import Any

import aiohttp
import psutil

Ask = Callable[[int], Coroutine[Any, Any, float]]
"""Asks question number N; the seconds that it took."""


def session(limit: int = 0) -> aiohttp.ClientSession:
    """Connections without a bound of their own."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit), timeout=aiohttp.ClientTimeout(total=180))


def asking(client: aiohttp.ClientSession, url: str, key: str, text: Callable[[int], str], model: str = "small") -> Ask:
    """Asks for whole answers at ``url`` (with ``/v1``); anything but an answer is raised."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    async def ask(number: int) -> float:
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": text(number)}]}).encode()
        begun = time.perf_counter()
        async with client.post(f"{url}/chat/completions", data=body, headers=headers) as answer:
            told = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.status}: {told[:200]!r}")
        return time.perf_counter() - begun

    return ask


async def at_rate(ask: Ask, rate: float, seconds: float) -> list[float]:
    """What each took, in seconds."""
    tasks: list[asyncio.Task[float]] = []
    begun = time.perf_counter()
    for number in range(round(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(ask(number)))
    return list(await asyncio.gather(*tasks))


async def at_once(ask: Ask, clients: int, seconds: float) -> list[float]:
    """The same of ``clients`` that ask again as soon as they have an answer."""
    ends, took = time.perf_counter() + seconds, []

    async def one(start: int) -> None:
        number = start
        while time.perf_counter() < ends:
            took.append(await ask(number))
            number += clients

    await asyncio.gather(*(one(start) for start in range(clients)))
    return took


def cpu_s(process: psutil.Process) -> float:
    """CPU time so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def spread(took_s: Sequence[float]) -> dict[str, float]:
    """p50, p90 and p99 in ms."""
    cuts = quantiles(took_s, n=100, method="inclusive")
    return {f"p{share}_ms": round(1000 * cuts[share - 1], 1) for share in (50, 90, 99)}


async def watched(process: psutil.Process, load: Awaitable[list[float]]) -> tuple[dict[str, Any], list[float]]:
    """What ``load`` saw, the CPU time that ``process`` took a request meanwhile, and what each took in seconds."""
    before, begun = cpu_s(process), time.perf_counter()
    took = await load
    used, lasted = cpu_s(process) - before, time.perf_counter() - begun
    found = {
        "requests": len(took),
        "a_second": round(len(took) / lasted),
        "cpu_us": round(1e6 * used / len(took)),
        "a_second_and_core": round(len(took) / used) if used else 0,
        **spread(took),
    }
    return found, took
