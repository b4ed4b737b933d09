"""What does a proxy do under the users' mix? Open loop by HTTP: latency from when a request was due, CPU of all."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from loadtest.door.clients import Clients
from loadtest.door.driving import session
from loadtest.measurements.chain import question
from loadtest.oracle import quantile
from loadtest.peers.starting import KEY, MODEL, Proxy
from loadtest.users.mix import Asked
from loadtest.users.trial import LEAST_OK, P95_MS
from loadtest.yardstick import yardstick_ms

_PATIENCE_S = 30.0
_OPEN = 64
_BEFORE_KILL_S = 1.2


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One rate.

    Attributes:
        ok: answered with 200.
        latency_ms: p50, p95 and p99, from when a request was due; what failed waited until the client gave up.
        cpu_ms: a request, of the proxy and of what stands behind it.
        yardstick_ms: the higher of before and after.
    """

    rate: float
    requests: int
    ok: int
    latency_ms: Mapping[str, int]
    cpu_ms: float
    mib: int
    yardstick_ms: float

    @property
    def holds(self) -> bool:
        """By the same rule as a rate of ours."""
        return self.latency_ms["p95"] < P95_MS and self.ok >= LEAST_OK * self.requests


def body(asked: Asked) -> bytes:
    """The request as HTTP has it."""
    system = [] if asked.system is None else [{"role": "system", "content": asked.system}]
    messages = [*system, {"role": "user", "content": asked.text}]
    return json.dumps({"model": MODEL, "messages": messages, "max_tokens": 256}).encode()


def tried(proxy: Proxy, asked: Sequence[Asked]) -> Tried:
    """Ask each (there is one at least) when it is due, and wait for all answers."""
    yard, before = yardstick_ms(), proxy.cpu_s()
    took = sorted(asyncio.run(_sent(proxy.url, asked)))
    spent = proxy.cpu_s() - before
    return Tried(
        rate=round(len(asked) / asked[-1].due_s, 1),
        requests=len(asked),
        ok=sum(one < _PATIENCE_S * 1000 for one in took),
        latency_ms={name: quantile(took, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))},
        cpu_ms=round(1000 * spent / len(asked), 2),
        mib=proxy.mib(),
        yardstick_ms=max(yard, yardstick_ms()),
    )


async def _sent(url: str, asked: Sequence[Asked]) -> list[int]:
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    bodies = [body(one) for one in asked]
    begun = time.perf_counter()
    async with session() as client:

        async def one(due_s: float, content: bytes) -> int:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    async with client.post(f"{url}/chat/completions", data=content, headers=headers) as answer:
                        await answer.read()
                        if answer.status == 200:
                            return round(1000 * (time.perf_counter() - begun - due_s))
            except (aiohttp.ClientError, TimeoutError):
                pass
            return round(1000 * _PATIENCE_S)

        waiting = []
        for request, content in zip(asked, bodies, strict=True):
            await asyncio.sleep(max(0.0, begun + request.due_s - time.perf_counter()))
            waiting.append(asyncio.create_task(one(request.due_s, content)))
        return list(await asyncio.gather(*waiting))


async def killed(proxy: Proxy, open_at_once: int = _OPEN, *, streams: int = 0) -> dict[str, int]:
    """How many of the requests, the first of them as streams, that were open when the proxy was killed had no end."""
    async with Clients([proxy.url], KEY) as clients:
        asked = [
            asyncio.create_task(
                clients.ask(
                    f"k-{number}", question("killed", number), stream=number < streams, model=MODEL, max_tokens=64
                )
            )
            for number in range(open_at_once)
        ]
        await asyncio.sleep(_BEFORE_KILL_S)
        proxy.kill()
        seen = await asyncio.gather(*asked)
    return {"in_flight": len(seen), "lost": sum(not one.answered for one in seen)}
