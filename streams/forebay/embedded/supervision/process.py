"""How is a child process run so that it is never orphaned, its log is bounded, and it can be stopped?

Each child is the leader of a session of its own, so that Ctrl-C reaches only the supervisor, which then stops the
others in order. See :mod:`forebay.embedded.supervision.guard` and :mod:`forebay.embedded.supervision.watchdog` for the
case that it cannot.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

LOG_BYTES = 8 * 1024 * 1024
"""A log larger than this is set aside when its process is started again."""

_HERE = Path(__file__).parent


def script(name: str) -> list[str]:
    """Command that runs ``name`` of this package with this interpreter, without site packages (20 ms)."""
    return [sys.executable, "-I", "-S", str(_HERE / name)]


class Watchdog:
    """Kills all children when this process ends without having done so; for the length of a ``with``."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - our own script
            script("watchdog.py"), stdin=subprocess.PIPE, start_new_session=True, bufsize=0
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def watch(self, group: int) -> None:
        """From now on ``group`` dies with us."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """``group`` is gone."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # somebody killed the watchdog: the kernel's signal is left
            self._process.stdin.write(line.encode())


class Child:
    """A running child process.

    Args:
        command: absolute path of the program, then its arguments (no secrets: everybody can read them).
        environment: the whole environment of the child.
        log: where its standard output and error are appended.

    Raises:
        RuntimeError: not called from the main thread. Linux sends the parent-death signal when the *thread* that forked
            ends, so a child of a short-lived thread would die with it.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], log: Path, watchdog: Watchdog
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started from the main thread only")
        self._watchdog = watchdog
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > LOG_BYTES:
            rotate(log)
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - commands are the supervisor's own
                [*script("guard.py"), str(os.getpid()), *command],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        watchdog.watch(self.pid)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it was killed already: poll() tells
            self._process.stdin.write(b"g")
            self._process.stdin.close()

    @property
    def pid(self) -> int:
        """Its process id, also of its process group."""
        return self._process.pid

    def poll(self) -> int | None:
        """Exit status (negative: the signal that ended it), ``None`` while it runs."""
        status = self._process.poll()
        if status is not None and self._process.stdin is not None:
            self._kill_group()  # what it forked goes with it
            self._watchdog.forget(self.pid)
            self._process.stdin = None
        return status

    def terminate(self) -> None:
        """Ask it to stop."""
        if self.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """End it, and what it forked, at once."""
        if self.poll() is None:
            self._kill_group()
            self._process.wait()
            self.poll()

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended within ``timeout_s`` seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        return self.poll() is not None

    def stop(self, grace_s: float) -> None:
        """Ask it to stop, kill it after ``grace_s`` seconds."""
        self.terminate()
        if not self.wait(grace_s):
            self.kill()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def rotate(log: Path) -> None:
    """Set ``log`` aside as ``NAME.log.1``, over the one before."""
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))


def tail(log: Path, lines: int = 20) -> str:
    """The last ``lines`` lines of ``log``, empty if there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 16_384))
        return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-lines:])
