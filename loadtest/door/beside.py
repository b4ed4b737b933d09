"""What does a proxy that keeps nothing add, and lose when it is killed? LiteLLM's, before the same provider."""

import asyncio
import time
from pathlib import Path
from typing import Any

from loadtest.door.driving import asking, at_rate, session, spread, watched
from loadtest.measurements.chain import question
from loadtest.peers.asking import killed
from loadtest.peers.starting import KEY, MODEL, SLOW, Proxy, provider, proxy, slow_down

_AT_ONCE, _STREAMS = 70, 20


def report(folder: Path, executable: Path, seconds: float, rate: float = 20.0) -> dict[str, Any]:
    """Added latency and CPU at ``rate`` a second, memory, and what became of 70 requests when it was killed.

    Args:
        executable: ``bin/litellm`` of an environment with ``litellm[proxy]``.
    """
    folder.mkdir(parents=True)
    with provider(folder) as behind, proxy(folder, executable, behind["base_url"]) as running:
        found: dict[str, Any] = {"ready_s": running.ready_s, "mib_at_rest": running.mib()}
        found |= asyncio.run(_added(behind["base_url"], running, rate, seconds))
        asyncio.run(slow_down(behind["admin_url"], SLOW))
        invoice = Path(behind["invoice"])
        paid = len(invoice.read_text("utf-8").splitlines())
        found["killed"] = asyncio.run(killed(running, _AT_ONCE, streams=_STREAMS))
        time.sleep(3)
        found["killed"] |= {"paid": len(invoice.read_text("utf-8").splitlines()) - paid}
    return found


async def _added(direct: str, running: Proxy, rate: float, seconds: float) -> dict[str, Any]:
    async with session() as client:
        by_provider: list[float] = []
        by_proxy: list[float] = []
        for turn in range(2):
            by_provider += await at_rate(asking(client, direct, KEY, _text(f"direct-{turn}"), MODEL), rate, seconds)
            ask = asking(client, running.url, KEY, _text(f"proxy-{turn}"), MODEL)
            seen, took = await watched(running.process, at_rate(ask, rate, seconds))
            by_proxy += took
        provider, proxy = spread(by_provider), spread(by_proxy)
    added = {name: round(proxy[name] - provider[name], 1) for name in proxy}
    return {"added": added, "cpu_us": seen["cpu_us"], "mib": running.mib()}


def _text(kind: str) -> Any:
    return lambda number: question(kind, number)
