"""The main job as its users run it: `forebay up`, `forebay send`, kill -9 of everything in turn, and nothing left over.

The provider is simulated (real HTTP, no cost); Kafka, Redis and every stage are real, in processes of their own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]

STAGES = {"redaction", "cache", "completion", "response", "cost", "evaluation", "review", "retry"}
PERSONAL = ("Karen Whitfield", "219-09-9999", "4111 1111 1111 1111", "karen.whitfield@example.com")


class Installation:
    """A running stack, by its command line."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.data = folder / ".forebay"
        self._environment = environment

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = self._command(arguments)
        return subprocess.run(
            command, cwd=self.folder, env=self._environment, text=True, check=False, capture_output=True, **options
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command(arguments), cwd=self.folder, env=self._environment, text=True, stdout=subprocess.PIPE
        )

    def processes(self) -> dict[str, dict[str, Any]]:
        found = self.run("status", "--json", timeout=60)
        assert found.returncode == 0, found.stderr
        status = json.loads(found.stdout)
        assert status.keys() == {"processes", "topics", "lag"}
        return {process["name"]: process for process in status["processes"]}

    def wait_until(self, holds: Callable[[dict[str, dict[str, Any]]], bool], timeout_s: float = 120) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds(self.processes()):
            assert time.monotonic() < deadline, self.processes()
            time.sleep(0.3)

    @staticmethod
    def _command(arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "streams.cli", *arguments]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a simulated provider."""
    command = [sys.executable, "-m", "loadtest.provider", "--invoice", str(tmp_path_factory.mktemp("i") / "invoice")]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["base_url"]
        process.terminate()


@pytest.fixture(scope="module")
def installation(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("installation")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
    tiers = {
        f"FOREBAY_TIER_{tier}_{key}": value
        for tier in ("SMALL", "LARGE")
        for key, value in (("MODEL", f"openai/sim-{tier.lower()}"), ("URL", provider), ("KEY", "none"))
    }
    found = Installation(folder, outside | tiers | {"FOREBAY_EVALUATION_SAMPLE_RATE": "0.05"})
    started = found.run("up", "--detach", timeout=240)
    assert started.returncode == 0, started.stdout + started.stderr
    yield found
    found.run("down", timeout=60)


def write_requests(path: Path, count: int, kind: str) -> None:
    with path.open("w") as file:
        for number in range(count):
            text = f"{kind} {number}: what is {number} + {number % 7}? I am Karen Whitfield, SSN 219-09-9999, card "
            text += "4111 1111 1111 1111, karen.whitfield@example.com."
            file.write(json.dumps({"request_id": f"{kind}-{number}", "messages": [{"role": "user", "content": text}]}))
            file.write("\n")


def answers(sending: subprocess.Popen[str], timeout_s: float) -> list[dict[str, Any]]:
    output, _ = sending.communicate(timeout=timeout_s)
    assert sending.returncode == 0
    return [json.loads(line) for line in output.splitlines()]


def test_every_part_is_there(installation: Installation) -> None:
    processes = installation.processes()
    assert {process.get("stage") for process in processes.values()} >= STAGES
    assert {"kafka", "redis"} <= processes.keys()
    for process in processes.values():
        assert process["state"] == "ready"
        assert psutil.pid_exists(process["pid"])


def test_nothing_is_lost_when_everything_is_killed_in_turn(installation: Installation, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    write_requests(requests, 500, "killed")
    sending = installation.start("send", str(requests), "--wait", "--json", "--timeout", "300")
    time.sleep(2)
    for name in [*sorted(STAGES), "kafka"]:
        before = installation.processes()[name]
        os.kill(before["pid"], signal.SIGKILL)
        installation.wait_until(
            lambda now, name=name, before=before: (
                now[name]["state"] == "ready" and now[name]["restarts"] > before["restarts"]
            )
        )
    found = answers(sending, 320)
    assert sorted(answer["request_id"] for answer in found) == sorted(f"killed-{number}" for number in range(500))
    assert {answer["status"] for answer in found} == {"ok"}


def test_personal_data_is_only_where_it_may_be(installation: Installation, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    write_requests(requests, 20, "personal")
    found = answers(installation.start("send", str(requests), "--wait", "--json"), 120)
    assert len(found) == 20
    script = (
        "import sys; from pathlib import Path; from streams.embedded.discovery import apply_to_environment\n"
        "apply_to_environment(sys.argv[1])\n"
        "from streams.settings import load; from streams.demo.leaks import find_leaks\n"
        "from streams.demo.examples import read_personal_data\n"
        "print(find_leaks(load(), read_personal_data(Path(sys.argv[2])), Path(sys.argv[1], 'logs').glob('*.log*')))"
    )
    values = tmp_path / "values.txt"
    values.write_text("\n".join(PERSONAL) + "\n")
    command = [sys.executable, "-c", script, str(installation.data), str(values)]
    looked = subprocess.run(command, text=True, capture_output=True, check=True, timeout=120)
    assert looked.stdout.strip() == "[]"
    values.write_text("what is 3 + 3\n")  # the search does find what is there
    looked = subprocess.run(command, text=True, capture_output=True, check=True, timeout=120)
    assert "requests.redacted" in looked.stdout


def test_nothing_outlives_a_killed_supervisor(installation: Installation) -> None:
    processes = [psutil.Process(process["pid"]) for process in installation.processes().values()]
    os.kill(int((installation.data / "lock").read_text()), signal.SIGKILL)
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive
