"""The compose file's health check of a worker, run against the worker's own health server."""

import asyncio
import os
import sys
from pathlib import Path

import yaml

from forebay.observability.health import HealthServer, Readiness
from forebay.settings import WorkerSettings

COMPOSE = Path(__file__).resolve().parents[3] / "docker-compose.yml"


async def exit_status(port: int) -> int:
    check = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]["redaction"]["healthcheck"]["test"]
    assert check[:3] == ["CMD", "python", "-c"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        check[3],
        env={**os.environ, "FOREBAY_WORKER_PORT": str(port)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


async def test_it_succeeds_only_when_the_worker_is_ready() -> None:
    found = Readiness(started=False)
    async with HealthServer(WorkerSettings(port=0), lambda: found) as server:
        assert await exit_status(server.port) != 0
        found = Readiness(started=True)
        assert await exit_status(server.port) == 0
        found = Readiness(started=True, problems={"cache": {"topic_missing": "there is no topic requests.redacted"}})
        assert await exit_status(server.port) != 0
    assert await exit_status(server.port) != 0
