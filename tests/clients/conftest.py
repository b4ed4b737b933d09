"""One embedded stack whose models are the provider simulator, keys of its door, and the clients' programs."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from forebay.contract.records import ApiKey, KeyRole
from forebay.operations.api_keys import created
from forebay.operations.audit.recording import unrecorded
from forebay.operations.publishing import publish
from loadtest.chaos.stack import Stack, running_stack
from tests.clients.environments import CLIENTS, command

_CONFIGURATION = {
    "cache": {"semantic": False},  # all clients are asked nearly the same
    "evaluation": {"sample_rate": 0},
}
_PROVIDER = {
    "models": {
        "small": {"repeats": True, "answer_tokens": 40, "latency": {"tokens_per_s": 60}, "quality": {"skill": 9.0}}
    }
}


class Program:
    """A client's program, which answers line by line."""

    def __init__(self, words: list[str], url: str, key: str, log: Path) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("FOREBAY_", "PYTHON"))}
        own |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        self._key = key
        self._log = log
        with log.open("wb") as errors:
            pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
            self._process = subprocess.Popen(words, env=own, text=True, **pipes)
        self.acts = self._answer()["acts"]

    def __call__(self, act: str, prompt: str = "What is 12 + 7?", **more: Any) -> Any:
        """What an act found, or its ``error``."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": act, "prompt": prompt, "key": self._key, **more}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """It ends when there are no more lines."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("{"), f"{line}\n{self._log.read_text('utf-8', 'replace')[-3000:]}"
        return json.loads(line)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything started: all stages in one process, and a door."""
    folder = tmp_path_factory.mktemp("clients")
    with running_stack(folder, configuration=_CONFIGURATION, workers="single", door=True) as found:
        found.provider(_PROVIDER)
        yield found


@pytest.fixture(scope="session")
def programs(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Program]]:
    """A client's program by its name: installed and started when it is first asked for."""
    logs = tmp_path_factory.mktemp("logs")
    url, key = stack.door()
    with ExitStack() as opened:
        running: dict[str, Program] = {}

        def program(name: str) -> Program:
            if name not in running:
                running[name] = Program(command(CLIENTS[name]), url, key, logs / f"{name}.log")
                opened.callback(running[name].close)
            return running[name]

        yield program


@pytest.fixture(scope="session")
def new_key(stack: Stack) -> Callable[..., str]:
    """Makes a key of the door, which is good once a door has read it."""

    def make(**wanted: Any) -> str:
        write = partial(publish, stack.settings)
        with created(ApiKey(tenant_id="acme", user_id="u-1", **wanted), unrecorded, write) as shown:
            return shown.key

    return make


@pytest.fixture(scope="session")
def keys(new_key: Callable[..., str]) -> Mapping[str, str]:
    """Keys that may not do all: ``reader`` looks only, ``expired`` is of yesterday."""
    found = {"reader": new_key(role=KeyRole.READ), "expired": new_key(expires_at=int(time.time() * 1000) - 1_000)}
    time.sleep(2)  # the door's bound for news of keys
    return found
