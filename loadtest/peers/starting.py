"""How is LiteLLM's proxy started beside the provider simulator? By its best documented settings, in three shapes.

It comes from an environment of its own: ``litellm[proxy]`` does not live beside ours.
"""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil

from forebay.embedded.ports import Ports
from loadtest.door.driving import asking, at_rate, session

KEY = f"sk-{secrets.token_hex(32)}"
MODEL = "sim"
SLOW: Mapping[str, Any] = {"instant": False, "latency": {"first_token_ms": 300, "tokens_per_s": 5}}
"""A model that is asked long enough for its proxy to be killed meanwhile."""
_MIB = 1 << 20
_READY_S = 180.0
_REDIS_MB = 256


class Shape(StrEnum):
    """What stands behind the proxy besides the provider."""

    PLAIN = "plain"
    REDIS = "redis"
    PRESIDIO = "presidio"


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """One that runs: base URL with ``/v1``, its own process, and all that belong to it.

    Attributes:
        beside: processes that it needs: Redis, Presidio's.
    """

    url: str
    process: psutil.Process
    beside: Sequence[psutil.Process]
    ready_s: float

    def cpu_s(self) -> float:
        """CPU so far, of everything."""
        return sum(sum(one.cpu_times()[:2]) for one in self._all())

    def mib(self) -> int:
        """Resident memory of everything."""
        return round(sum(one.memory_info().rss for one in self._all()) / _MIB)

    def kill(self) -> None:
        """``kill -9`` of the proxy and its workers."""
        for one in (*self.process.children(recursive=True), self.process):
            one.kill()

    def _all(self) -> list[psutil.Process]:
        return [every for one in (self.process, *self.beside) for every in (one, *one.children(recursive=True))]


@contextmanager
def provider(folder: Path) -> Iterator[dict[str, str]]:
    """The simulator with one model that answers at once; its URLs, and ``invoice``: a line a call."""
    config, invoice = folder / "script.json", folder / "invoice.jsonl"
    config.write_text(json.dumps({"models": {MODEL: {"instant": True}}}), "utf-8")
    command = [sys.executable, "-m", "loadtest.provider", "--config", str(config), "--invoice", str(invoice)]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()) | {"invoice": str(invoice)}
        finally:
            process.terminate()


async def slow_down(admin: str, model: Mapping[str, Any]) -> None:
    """Change how the simulator's model answers."""
    async with (
        session() as http,
        http.post(f"{admin}/config", json={"models": {MODEL: model}}) as answer,
    ):
        assert answer.status == 200, await answer.text()


@contextmanager
def proxy(folder: Path, executable: Path, provider: str, shape: Shape = Shape.PLAIN) -> Iterator[Proxy]:
    """A proxy that answers, for as long as it is open.

    Args:
        executable: ``bin/litellm`` of an environment with ``litellm[proxy]``; for Presidio also ``presidio-analyzer``,
            ``presidio-anonymizer`` and a spaCy model.
        provider: base URL of the model, with ``/v1``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ports = Ports(folder / "ports.json")
    with ExitStack() as opened:
        own: dict[str, str] = {}
        beside: list[psutil.Process] = []
        config = _configuration(provider)
        if shape is Shape.REDIS:
            process, given = opened.enter_context(_redis(folder, ports))
            beside.append(process)
            config["litellm_settings"] |= {"cache": True, "cache_params": {"type": "redis", **given}}
        if shape is Shape.PRESIDIO:
            for kind, name in (("analyze", "ANALYZER"), ("anonymize", "ANONYMIZER")):
                process, url = opened.enter_context(_presidio(folder, ports, executable, kind))
                beside.append(process)
                own[f"PRESIDIO_{name}_API_BASE"] = url
            rules = {"guardrail": "presidio", "mode": "pre_call", "default_on": True, "output_parse_pii": True}
            config["guardrails"] = [{"guardrail_name": "presidio", "litellm_params": rules}]
        (folder / "proxy.yaml").write_text(json.dumps(config), "utf-8")  # YAML is a superset of JSON
        port, begun = ports.take("proxy"), time.monotonic()
        command = [str(executable), "--config", str(folder / "proxy.yaml"), "--host", "127.0.0.1", "--port", str(port)]
        started = opened.enter_context(_started(command, folder / "proxy.log", executable, own))
        url = f"http://127.0.0.1:{port}/v1"
        asyncio.run(_ready(url))
        ready_s = round(time.monotonic() - begun, 1)
        yield Proxy(url=url, process=psutil.Process(started.pid), beside=beside, ready_s=ready_s)


def _configuration(provider: str) -> dict[str, Any]:
    model = {"model": f"openai/{MODEL}", "api_base": provider, "api_key": "none"}
    return {
        "model_list": [{"model_name": MODEL, "litellm_params": model}],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"num_retries": 0},
    }


@contextmanager
def _started(
    command: Sequence[str], log: Path, executable: Path, own: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of the peers' environment, without anything of ours in its own."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("FOREBAY_", "PYTHON"))}
    bare |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PATH": f"{executable.parent}:{bare['PATH']}", **own}
    with log.open("wb") as file:
        started = subprocess.Popen(command, env=bare, stdout=file, stderr=subprocess.STDOUT, cwd=log.parent)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


@contextmanager
def _redis(folder: Path, ports: Ports) -> Iterator[tuple[psutil.Process, dict[str, Any]]]:
    """Redis as the embedded cache has it, and the parameters with which LiteLLM reaches it."""
    from forebay.embedded.parts import Health
    from forebay.embedded.servers.redis import redis_part

    part, url = redis_part(folder / "redis", ports.take("redis"), memory_mb=_REDIS_MB, of_cache=True)
    part.prepare()
    place = urlsplit(url)
    with (folder / "redis.log").open("wb") as log:
        started = subprocess.Popen(part.command, env=part.environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + _READY_S
        while part.health() is not Health.READY and time.monotonic() < deadline:
            time.sleep(0.1)
        yield (
            psutil.Process(started.pid),
            {"host": place.hostname, "port": place.port, "password": place.password, "ttl": 3600},
        )
    finally:
        started.terminate()
        started.wait()


@contextmanager
def _presidio(folder: Path, ports: Ports, executable: Path, kind: str) -> Iterator[tuple[psutil.Process, str]]:
    port = ports.take(kind)
    service = Path(__file__).with_name("presidio_service.py")
    command = [str(executable.parent / "python"), str(service), kind, str(port)]
    url = f"http://127.0.0.1:{port}/"
    with _started(command, folder / f"{kind}.log", executable, {}) as started:
        asyncio.run(_answers(f"{url}health"))
        yield psutil.Process(started.pid), url


async def _answers(url: str) -> None:
    deadline = time.monotonic() + _READY_S
    async with session() as client:
        while True:
            try:
                async with client.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.5)


async def _ready(url: str) -> None:
    deadline = time.monotonic() + _READY_S
    async with session() as client:
        ask = asking(client, url, KEY, lambda number: f"Are you ready, {number}?", MODEL)
        while True:
            try:
                await at_rate(ask, 10, 3)
            except (aiohttp.ClientError, RuntimeError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.5)
            else:
                return
