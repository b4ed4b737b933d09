"""What runs in this data folder? A file that the supervisor keeps up to date, and a lock that says whether it lives.

The lock is the kernel's (``flock``): it is gone the moment its holder is, however it went, so that a state file without
a lock is stale whatever process ids it names.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from forebay.embedded.files import private_folder, write_private
from forebay.embedded.supervision.keeper import ProcessState

STATE_FILE, LOCK_FILE, KEY_FILE = "state.json", "lock", "edge.key"
DOOR = "edge"
"""The HTTP door's stage in rows of processes, although it is none."""
_LOCK_TRIES, _LOCK_PAUSE_S = 10, 0.05


class StackState(StrEnum):
    """Where the stack as a whole is."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


class AlreadyRunningError(Exception):
    """A supervisor works in this data folder."""


@dataclass(frozen=True, kw_only=True)
class ProcessRow:
    """One supervised process."""

    name: str
    stage: str | None
    pid: int | None
    port: int | None
    health_port: int | None
    state: ProcessState
    restarts: int

    def public(self) -> dict[str, Any]:
        """As ``forebay status --json`` shows it: without what does not apply."""
        row: dict[str, Any] = {"name": self.name}
        if self.stage is not None:
            row["stage"] = self.stage
        row["pid"] = self.pid
        if self.port is not None:
            row["port"] = self.port
        return row | {"state": self.state.value, "restarts": self.restarts}


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that other commands may want to know of a running stack.

    Attributes:
        environment: variables under which its servers are reached; holds secrets.
        failed_part: name of the part because of which the start failed.
    """

    supervisor: int
    stack: StackState
    logs: str
    processes: Sequence[ProcessRow] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    failed_part: str = ""
    failure: str = ""

    def edge(self, data_dir: Path) -> dict[str, Any] | None:
        """How the HTTP door is reached, as ``forebay status --json`` shows it; ``None``: there is none."""
        rows = [row for row in self.processes if row.stage == DOOR and row.port is not None]
        if not rows:
            return None
        return {
            "base_url": f"http://127.0.0.1:{rows[0].port}/v1",
            "replicas": [{"pid": row.pid, "port": row.port, "ready": row.state is ProcessState.READY} for row in rows],
            "key_file": str(data_dir / KEY_FILE),
        }


def write(data_dir: Path, state: State) -> None:
    """Replace the state file."""
    write_private(data_dir / STATE_FILE, json.dumps(asdict(state), indent=1))


def read(data_dir: Path) -> State | None:
    """The state file's content, whether or not its supervisor lives; ``None`` if there is none that can be read."""
    try:
        raw = json.loads((data_dir / STATE_FILE).read_text("utf-8"))
        rows = [ProcessRow(**row | {"state": ProcessState(row["state"])}) for row in raw.pop("processes")]
        return State(**raw | {"processes": rows, "stack": StackState(raw["stack"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def live(data_dir: Path) -> State | None:
    """The state of the supervisor that works in ``data_dir``, ``None`` if none does."""
    return read(data_dir) if is_locked(data_dir) else None


def remove(data_dir: Path) -> None:
    """Remove the state file."""
    (data_dir / STATE_FILE).unlink(missing_ok=True)


def is_locked(data_dir: Path) -> bool:
    """Whether a supervisor works in ``data_dir``."""
    try:
        handle = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def holder(data_dir: Path) -> int | None:
    """Process id of who holds, or last held, the lock."""
    try:
        return int((data_dir / LOCK_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None


@contextmanager
def lock(data_dir: Path) -> Iterator[None]:
    """Be the only supervisor of ``data_dir``. Raises :class:`AlreadyRunningError`."""
    private_folder(data_dir)
    handle = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(handle, data_dir)
        os.truncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, data_dir: Path) -> None:
    for attempt in range(_LOCK_TRIES):  # somebody who only looks, in is_locked(), holds it for microseconds
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt == _LOCK_TRIES - 1:
                raise AlreadyRunningError(
                    f"forebay is running already in {data_dir} (pid {holder(data_dir)}): forebay down stops it"
                ) from None
            time.sleep(_LOCK_PAUSE_S)
        else:
            return
