"""How do tests start servers? The parts of the embedded stack, without its supervisor."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from forebay.embedded.parts import Health, Part
from forebay.embedded.supervision.process import Child, Watchdog, tail


class Servers:
    """Parts that a test runs, stops, kills and starts again, by their names."""

    def __init__(self, parts: Sequence[Part], logs: Path, watchdog: Watchdog) -> None:
        self._parts = {part.name: part for part in parts}
        self._logs = logs
        self._watchdog = watchdog
        self.children: dict[str, Child] = {}

    def start(self, *names: str, timeout_s: float = 120.0) -> None:
        """Start the parts, all by default, and wait until they answer. Fails with the tail of the log."""
        chosen = names or tuple(self._parts)
        for name in chosen:
            part = self._parts[name]
            part.prepare()
            self.children[name] = Child(
                part.command, environment=part.environment, log=self._log(name), watchdog=self._watchdog
            )
        for name in chosen:
            self._await(name, time.monotonic() + timeout_s)

    def kill(self, name: str) -> None:
        """kill -9."""
        self.children.pop(name).kill()

    def stop(self) -> None:
        """Stop all, the last started first."""
        for name in reversed(list(self.children)):
            self.children.pop(name).stop(self._parts[name].stop_s)

    def _await(self, name: str, deadline: float) -> None:
        while self._parts[name].health() is not Health.READY:
            status = self.children[name].poll()
            if status is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not answer (exit status {status}):\n{tail(self._log(name))}")
            time.sleep(0.05)

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"


@contextmanager
def running(parts: Sequence[Part], logs: Path) -> Iterator[Servers]:
    """The parts, started, for the length of a ``with``."""
    with Watchdog() as watchdog:
        servers = Servers(parts, logs, watchdog)
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()
