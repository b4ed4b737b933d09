"""Is a stack running here? The lock says so, whatever the file says; and commands find it."""

import os
import stat
from pathlib import Path

import pytest

from forebay.embedded.discovery import DATA_DIR, apply_to_environment
from forebay.embedded.files import kept, write_private
from forebay.embedded.installation import installation
from forebay.embedded.supervision import state as state_file
from forebay.embedded.supervision.keeper import ProcessState
from forebay.embedded.supervision.state import AlreadyRunningError, ProcessRow, StackState, State
from forebay.settings import KafkaSettings, RedisSettings

ROW = ProcessRow(
    name="redaction", stage="redaction", pid=7, port=20001, health_port=20001, state=ProcessState.READY, restarts=2
)
STATE = State(
    supervisor=4242,
    stack=StackState.READY,
    logs="/logs",
    processes=[ROW],
    environment={
        "FOREBAY_KAFKA_BOOTSTRAP": "127.0.0.1:20002",
        "FOREBAY_KAFKA_REPLICATION_FACTOR": "3",
        "FOREBAY_REDIS_URL": "redis://:secret@127.0.0.1:20003/0",
    },
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in STATE.environment:
        monkeypatch.setenv(name, "")  # so that it is restored afterwards
        monkeypatch.delenv(name)


def test_a_state_comes_back_as_it_was_written(tmp_path: Path) -> None:
    state_file.write(tmp_path, STATE)
    assert state_file.read(tmp_path) == STATE
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"processes": [{}]}'])
def test_a_damaged_state_is_none(tmp_path: Path, damage: str) -> None:
    (tmp_path / "state.json").write_text(damage)
    assert state_file.read(tmp_path) is None


def test_status_shows_what_applies() -> None:
    assert ROW.public() == {
        "name": "redaction",
        "stage": "redaction",
        "pid": 7,
        "port": 20001,
        "state": "ready",
        "restarts": 2,
    }
    server = ProcessRow(
        name="w", stage=None, pid=None, port=None, health_port=None, state=ProcessState.RESTARTING, restarts=1
    )
    assert server.public() == {"name": "w", "pid": None, "state": "restarting", "restarts": 1}


def test_a_state_without_a_lock_is_stale(tmp_path: Path) -> None:
    state_file.write(tmp_path, STATE)
    assert state_file.live(tmp_path) is None
    assert not apply_to_environment(tmp_path)
    assert "FOREBAY_REDIS_URL" not in os.environ


def test_one_supervisor_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with state_file.lock(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert state_file.is_locked(folder)
        with pytest.raises(AlreadyRunningError, match=f"pid {os.getpid()}"), state_file.lock(folder):
            pytest.fail("two at a time")
    assert not state_file.is_locked(folder)
    with state_file.lock(folder):
        assert state_file.is_locked(folder)


def test_commands_find_the_running_stack(tmp_path: Path) -> None:
    with state_file.lock(tmp_path):
        state_file.write(tmp_path, STATE)
        assert apply_to_environment(tmp_path)
    assert {name: os.environ[name] for name in STATE.environment} == STATE.environment


def test_what_the_environment_names_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREBAY_KAFKA_BOOTSTRAP", "real:9092")
    with state_file.lock(tmp_path):
        state_file.write(tmp_path, STATE)
        apply_to_environment(tmp_path)
    assert os.environ["FOREBAY_KAFKA_BOOTSTRAP"] == "real:9092"
    assert "FOREBAY_KAFKA_REPLICATION_FACTOR" not in os.environ
    assert os.environ["FOREBAY_REDIS_URL"].startswith("redis://:secret@")


def test_an_application_finds_the_stack_and_keeps_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    with state_file.lock(tmp_path / DATA_DIR):
        state_file.write(tmp_path / DATA_DIR, STATE)
        found = installation()
    kafka = found[KafkaSettings]
    assert (kafka.bootstrap, kafka.replication_factor) == ("127.0.0.1:20002", 3)
    assert found[RedisSettings].url.get_secret_value() == "redis://:secret@127.0.0.1:20003/0"
    assert dict(os.environ) == before
    assert installation()[KafkaSettings].bootstrap == "127.0.0.1:9092", "the stack is gone: so is its address"


def test_what_the_environment_names_wins_for_an_application_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_KAFKA_BOOTSTRAP", "real:9092")
    monkeypatch.setenv("FOREBAY_REDIS_URL", "redis://real:6379/0")
    with state_file.lock(tmp_path / DATA_DIR):
        state_file.write(tmp_path / DATA_DIR, STATE)
        found = installation()
    assert (found[KafkaSettings].bootstrap, found[KafkaSettings].replication_factor) == ("real:9092", 1)
    assert found[RedisSettings].url.get_secret_value() == "redis://real:6379/0"


def test_private_files_are_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "secret"
    assert [kept(path, lambda: "first"), kept(path, lambda: "second")] == ["first", "first"]
    write_private(path, "third")
    assert path.read_text() == "third"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [child.name for child in path.parent.iterdir()] == ["secret"]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, "before")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\ud800")
    assert path.read_text() == "before"
    assert [child.name for child in tmp_path.iterdir()] == ["file"]
