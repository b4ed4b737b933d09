"""What does a proxy that keeps nothing add, and lose when it is killed? LiteLLM's, before the same provider.

It comes from an environment of its own: ``litellm[proxy]`` does not live beside ours.
"""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from forebay.embedded.ports import Ports
from loadtest.door.clients import Clients
from loadtest.door.driving import asking, at_rate, session, spread, watched
from loadtest.measurements.chain import question

_KEY = f"sk-{secrets.token_hex(32)}"
_MIB = 1 << 20
_AT_ONCE = 70
_READY_S = 180.0


def report(folder: Path, executable: Path, seconds: float, rate: float = 20.0) -> dict[str, Any]:
    """Added latency and CPU at ``rate`` a second, memory, and what became of 70 requests when it was killed.

    Args:
        executable: ``bin/litellm`` of an environment with ``litellm[proxy]``.
    """
    folder.mkdir(parents=True)
    invoice = folder / "invoice.jsonl"
    with _provider(invoice) as provider, _proxy(folder, executable, provider["base_url"]) as (url, process, started):
        found = asyncio.run(_added(provider["base_url"], url, process, rate, seconds))
        slow = {"models": {"sim": {"instant": False, "latency": {"first_token_ms": 300, "tokens_per_s": 5}}}}
        asyncio.run(_configured(provider["admin_url"], slow))
        paid = len(invoice.read_text("utf-8").splitlines())
        found["killed"] = asyncio.run(_killed(url, process))
        time.sleep(3)
        found["killed"]["paid"] = len(invoice.read_text("utf-8").splitlines()) - paid
    return started | found


async def _added(direct: str, url: str, process: psutil.Process, rate: float, seconds: float) -> dict[str, Any]:
    async with session() as client:
        by_provider: list[float] = []
        by_proxy: list[float] = []
        for turn in range(2):
            by_provider += await at_rate(asking(client, direct, _KEY, _text(f"direct-{turn}"), "sim"), rate, seconds)
            ask = asking(client, url, _KEY, _text(f"proxy-{turn}"), "sim")
            seen, took = await watched(process, at_rate(ask, rate, seconds))
            by_proxy += took
        provider, proxy = spread(by_provider), spread(by_proxy)
    added = {name: round(proxy[name] - provider[name], 1) for name in proxy}
    return {"added": added, "cpu_us": seen["cpu_us"], "mib": round(_rss(process) / _MIB)}


async def _killed(url: str, process: psutil.Process) -> dict[str, Any]:
    async with Clients([url], _KEY) as clients:
        asked = [
            asyncio.create_task(
                clients.ask(f"k-{number}", question("killed", number), stream=number < 20, model="sim", max_tokens=64)
            )
            for number in range(_AT_ONCE)
        ]
        await asyncio.sleep(1.2)
        for one in (*process.children(recursive=True), process):
            one.kill()
        seen = await asyncio.gather(*asked)
    return {"in_flight": len(seen), "lost": sum(not one.answered for one in seen)}


def _text(kind: str) -> Any:
    return lambda number: question(kind, number)


def _rss(process: psutil.Process) -> int:
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))


async def _configured(admin: str, patch: Mapping[str, Any]) -> None:
    async with aiohttp.ClientSession() as client, client.post(f"{admin}/config", json=patch) as answer:
        assert answer.status == 200, await answer.text()


@contextmanager
def _provider(invoice: Path) -> Iterator[dict[str, str]]:
    config = invoice.with_name("script.json")
    config.write_text(json.dumps({"models": {"sim": {"instant": True}}}), "utf-8")
    command = [sys.executable, "-m", "loadtest.provider", "--config", str(config), "--invoice", str(invoice)]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def _proxy(folder: Path, executable: Path, provider: str) -> Iterator[tuple[str, psutil.Process, dict[str, Any]]]:
    model = {"model": "openai/sim", "api_base": provider, "api_key": "none"}
    config = {
        "model_list": [{"model_name": "sim", "litellm_params": model}],
        "general_settings": {"master_key": _KEY},
        "litellm_settings": {"num_retries": 0},
    }
    (folder / "proxy.yaml").write_text(json.dumps(config), "utf-8")  # YAML is a superset of JSON
    port = Ports(folder / "ports.json").take("proxy")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("FOREBAY_", "PYTHON"))}
    own |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PATH": f"{executable.parent}:{own['PATH']}"}
    command = [str(executable), "--config", str(folder / "proxy.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    begun = time.monotonic()
    with (folder / "proxy.log").open("wb") as log:
        started = subprocess.Popen(command, env=own, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        url, process = f"http://127.0.0.1:{port}/v1", psutil.Process(started.pid)
        asyncio.run(_ready(url))
        yield url, process, {"ready_s": round(time.monotonic() - begun, 1), "mib_at_rest": round(_rss(process) / _MIB)}
    finally:
        started.kill()
        started.wait()


async def _ready(url: str) -> None:
    deadline = time.monotonic() + _READY_S
    async with session() as client:
        ask = asking(client, url, _KEY, _text("ready"), "sim")
        while True:
            try:
                await at_rate(ask, 10, 3)
            except (aiohttp.ClientError, RuntimeError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.5)
            else:
                return
