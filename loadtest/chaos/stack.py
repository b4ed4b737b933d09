"""What is broken on purpose? The embedded stack with every stage in a process of its own, and a provider simulator.

It is the stack that ``forebay up`` starts, supervised as always; only prices, time-outs and delays are short, so that a
run takes minutes (:data:`CONFIGURATION`). Further workers are started and stopped here.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forebay.embedded.layout import Layout
from forebay.embedded.plan import Options, Workers
from forebay.embedded.prepare import tasks
from forebay.embedded.supervision.launch import detach
from forebay.embedded.supervision.process import tail
from forebay.embedded.supervision.state import ProcessRow, StackState, live
from forebay.settings import Settings, load


def tiers(*, timeout_s: float) -> list[dict[str, Any]]:
    """``models.tiers`` of a stack whose providers are named in ``FOREBAY_TIER_SMALL_URL`` and ``…_LARGE_URL``."""
    return [
        {
            "name": name,
            "accept": 0.5,
            "deployments": [
                {
                    "name": f"{name}-1",
                    "model": f"openai/{name}",
                    "api_base": f"${{FOREBAY_TIER_{name.upper()}_URL}}",
                    "api_key": "simulated",
                    "timeout_s": timeout_s,
                    "price": {"input": dollars, "output": 4 * dollars},
                }
            ],
        }
        for name, dollars in (("small", 0.05), ("large", 2.5))
    ]


CONFIGURATION: Mapping[str, Any] = {
    "retry": {"delays_s": [1, 3, 10]},
    "models": {
        "cooldown_s": 1,
        "tiers": tiers(timeout_s=6),
    },
    # Above every call's time-out, and so far below the end of a run that all lost calls are declared by then.
    "cost": {"unsettled_after_s": 20, "sweep_every_s": 2},
    "evaluation": {"sample_rate": 0.02, "judge_tier": "small"},
}


class StackError(Exception):
    """The stack cannot be started or has gone."""


class Stack:
    """A running stack.

    Attributes:
        settings: of its installation.
        invoice: the provider's file.
        asked: the bodies of all its calls, a line each.
        folder: holds all data; workers that are added log there.
    """

    def __init__(self, folder: Path, settings: Settings, admin_url: str, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.settings = settings
        self.invoice = folder / "invoice.jsonl"
        self.asked = folder / "asked.jsonl"
        self._admin_url = admin_url
        self._environment = environment
        self._extra: list[subprocess.Popen[bytes]] = []

    def rows(self) -> Mapping[str, ProcessRow]:
        """The supervised processes by name."""
        state = live(self.folder / "stack")
        if state is None:
            raise StackError("the supervisor is gone")
        return {row.name: row for row in state.processes}

    def door(self) -> tuple[str, str]:
        """Base URL of the HTTP door, and a key (of the tenant ``default``)."""
        state = live(self.folder / "stack")
        found = None if state is None else state.edge(self.folder / "stack")
        if found is None:
            raise StackError("there is no door")
        return str(found["base_url"]), Path(found["key_file"]).read_text("utf-8").strip()

    def strike(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the process ``name``; the supervisor starts it again when it has ended."""
        pid = self.rows()[name].pid
        if pid is not None:
            os.kill(pid, number)

    def end_in_order(self, name: str, timeout_s: float = 30.0) -> None:
        """SIGTERM to the process ``name``; returns when it has ended."""
        pid = self.rows()[name].pid
        self.strike(name, signal.SIGTERM)
        deadline = time.monotonic() + timeout_s
        while self.rows()[name].pid == pid and time.monotonic() < deadline:
            time.sleep(0.02)

    def wait_ready(self, timeout_s: float = 90.0) -> None:
        """Wait until every supervised process serves. Raises :class:`StackError`."""
        deadline = time.monotonic() + timeout_s
        while waiting := [row.name for row in self.rows().values() if row.state != "ready"]:
            if time.monotonic() > deadline:
                raise StackError(f"not ready after {timeout_s:g} s: {', '.join(waiting)}")
            time.sleep(0.2)

    def add_worker(self, *stages: str, ready_s: float = 180.0, **environment: str) -> "subprocess.Popen[bytes]":
        """Start a further worker beside the supervised ones, and wait until it has partitions.

        ``cost`` reads its tables first: after 32 faults, on two busy cores, it was ready after 68 s.
        """
        log = self.folder / f"extra-{len(self._extra)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "forebay", "worker", *stages],
                env={**self._environment, "FOREBAY_WORKER_PORT": "0", **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._extra.append(process)
        deadline = time.monotonic() + ready_s
        while b"worker_ready" not in log.read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"a worker did not start: {log.read_bytes()[-2000:].decode('utf-8', 'replace')}")
            time.sleep(0.1)
        return process

    def add_door(self, **environment: str) -> "tuple[str, subprocess.Popen[bytes]]":
        """Start a further HTTP door; its base URL, and its process."""
        process = self.add_worker("edge", ready_s=60.0, **{"FOREBAY_EDGE_PORT": "0", **environment})
        log = self.folder / f"extra-{len(self._extra) - 1}.log"
        [ready] = [line for line in log.read_text("utf-8").splitlines() if "worker_ready" in line]
        return f"http://127.0.0.1:{json.loads(ready)['port']}/v1", process

    def remove_worker(self, process: "subprocess.Popen[bytes]", number: signal.Signals = signal.SIGTERM) -> None:
        """End a worker that was added."""
        process.send_signal(number)
        process.wait(30)

    def provider(self, patch: Mapping[str, Any]) -> None:
        """Change the provider's script by merge patch."""
        self._post("config", patch)

    def outage(self, kind: str, for_s: float, share: float = 1.0) -> None:
        """Let the provider fail."""
        self._post("outage", {"kind": kind, "for_s": for_s, "share": share})

    def calls_in_flight(self) -> int:
        """Calls that the provider is answering now."""
        with urllib.request.urlopen(f"{self._admin_url}/stats", timeout=10) as answer:
            models = json.load(answer)["models"]
        return sum(one["in_flight"] for one in models.values())

    def close(self) -> None:
        """End added workers."""
        for process in self._extra:
            if process.poll() is None:
                process.kill()
                process.wait()

    def _post(self, path: str, content: Mapping[str, Any]) -> None:
        request = urllib.request.Request(f"{self._admin_url}/{path}", json.dumps(content).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()


@contextmanager
def running_stack(
    folder: Path,
    *,
    brokers: int = 1,
    configuration: Mapping[str, Any] | None = None,
    workers: Workers = "each",
    door: bool = False,
    layout: Layout = (),
) -> Iterator[Stack]:
    """The stack in ``folder`` (absolute), for the length of a ``with``; with an HTTP ``door`` on request."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "forebay.yaml"
    file.write_text(json.dumps({**CONFIGURATION, **(configuration or {})}), "utf-8")  # YAML is a superset of JSON
    with _provider(folder) as addresses, _environment(addresses["base_url"], file):
        options = Options(data_dir=folder / "stack", brokers=brokers, workers=workers, edge=door, layout=layout)
        for task in tasks(options, os.environ):
            task.run(lambda _path: None)
        state = detach(options)
        if state.stack is not StackState.READY:
            log = tail(Path(state.logs) / f"{state.failed_part}.log")
            raise StackError(f"{state.failed_part}: {state.failure}\n{log}")
        reached = {**os.environ, **state.environment}
        os.environ.update(state.environment)
        stack = Stack(folder, load(), addresses["admin_url"], reached)
        try:
            yield stack
        finally:
            stack.close()
            _end(state.supervisor)


@contextmanager
def _provider(folder: Path) -> Iterator[Mapping[str, str]]:
    command = [sys.executable, "-m", "loadtest.provider", "--profile", "tiers"]
    command += ["--invoice", str(folder / "invoice.jsonl"), "--request-log", str(folder / "asked.jsonl")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def _environment(base_url: str, file: Path) -> Iterator[None]:
    """This process, and all that it starts, on this stack; as it was before at the end."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("FOREBAY_")]:
        del os.environ[name]
    os.environ["FOREBAY_CONFIG"] = str(file)
    for tier in ("SMALL", "LARGE"):
        os.environ[f"FOREBAY_TIER_{tier}_URL"] = base_url
        os.environ[f"FOREBAY_TIER_{tier}_MODEL"] = f"openai/{tier.lower()}"
        os.environ[f"FOREBAY_TIER_{tier}_KEY"] = "simulated"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _end(supervisor: int) -> None:
    os.kill(supervisor, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if os.waitpid(supervisor, os.WNOHANG)[0]:
                return
        except ChildProcessError:
            return
        time.sleep(0.1)
    os.kill(supervisor, signal.SIGKILL)
