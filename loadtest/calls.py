"""What does a call of a model cost this machine, straight and through litellm? CPU time, nothing else of a stage."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from forebay.contract.records import Message
from forebay_agents.models.providers.direct_provider import DirectProvider
from forebay_agents.models.providers.litellm_provider import LitellmProvider
from forebay_agents.models.providers.provider import Call, Provider
from forebay_agents.models.settings import Deployment
from loadtest.yardstick import yardstick_ms

_QUESTION = Message(content="What is 12 + 7? " * 6)


def report(url: str, calls: int, at_once: int) -> list[dict[str, object]]:
    """One line a way and kind of answer, each twice in turns, with a yardstick.

    Args:
        url: base URL of an OpenAI-compatible server in another process, such as the provider simulator.
        calls: timed ones of each line.
        at_once: calls in flight.
    """
    return asyncio.run(_report(url, calls, at_once))


async def _report(url: str, calls: int, at_once: int) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for stream in (True, False):
        deployment = Deployment(name="measured", model="openai/x", api_base=url, stream=stream)
        for way in ("litellm", "straight") * 2:
            async with _opened(way) as provider:
                await _asked(provider, deployment, at_once, at_once)
                ms = await _asked(provider, deployment, calls, at_once)
            lines.append({"way": way, "stream": stream, "cpu_ms": round(ms, 2), "yardstick_ms": yardstick_ms()})
    return lines


@asynccontextmanager
async def _opened(way: str) -> AsyncIterator[Provider]:
    if way == "litellm":
        library = LitellmProvider()
        await library.ready()
        yield library
        return
    straight = DirectProvider()
    yield straight
    await straight.aclose()


async def _asked(provider: Provider, deployment: Deployment, calls: int, at_once: int) -> float:
    """Milliseconds of CPU a call."""
    left = iter(range(calls))

    async def asks() -> None:
        for number in left:
            call = Call(attempt_id=f"a{number}", request_id=f"r{number}", messages=(_QUESTION,))
            await provider.complete(deployment, call)

    started = time.process_time()
    await asyncio.gather(*(asks() for _ in range(at_once)))
    return 1e3 * (time.process_time() - started) / calls
