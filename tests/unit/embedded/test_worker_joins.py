"""Which servers does `forebay worker` use? Those of the stack that runs here, unless the environment names brokers."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forebay.cli.worker import app
from forebay.embedded.discovery import DATA_DIR
from forebay.embedded.supervision import state as state_file
from forebay.embedded.supervision.state import StackState, State
from forebay.observability import logging
from forebay.runtime import worker
from forebay.settings import KafkaSettings, RedisSettings, Settings

ENVIRONMENT = {"FOREBAY_KAFKA_BOOTSTRAP": "127.0.0.1:20002", "FOREBAY_REDIS_URL": "redis://127.0.0.1:20003/0"}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Settings]:
    """Settings of the workers that were started, in a folder of their own."""
    settings: list[Settings] = []

    def main(_names: Sequence[str], given: Settings) -> int:
        settings.append(given)
        return 0

    for name in ENVIRONMENT:
        monkeypatch.setenv(name, "")  # so that it is restored afterwards
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(worker, "main", main)
    monkeypatch.setattr(logging, "configure", lambda *_, **__: None)
    return settings


def run_beside_a_stack() -> None:
    folder = Path(DATA_DIR)
    with state_file.lock(folder):
        state_file.write(folder, State(supervisor=1, stack=StackState.READY, logs="", environment=ENVIRONMENT))
        assert CliRunner().invoke(app, ["response"]).exit_code == 0


def test_it_joins_the_stack_that_runs_here(started: list[Settings]) -> None:
    run_beside_a_stack()
    assert started[0][KafkaSettings].bootstrap == ENVIRONMENT["FOREBAY_KAFKA_BOOTSTRAP"]
    assert started[0][RedisSettings].url.get_secret_value() == ENVIRONMENT["FOREBAY_REDIS_URL"]


def test_told_its_brokers_it_looks_nowhere_else(started: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREBAY_KAFKA_BOOTSTRAP", "real:9092")
    run_beside_a_stack()
    assert started[0][KafkaSettings].bootstrap == "real:9092"
    assert started[0][RedisSettings].url.get_secret_value() == "redis://127.0.0.1:6379/0"


def test_without_a_stack_it_takes_the_defaults(started: list[Settings]) -> None:
    assert CliRunner().invoke(app, ["response"]).exit_code == 0
    assert started[0][KafkaSettings].bootstrap == "127.0.0.1:9092"
