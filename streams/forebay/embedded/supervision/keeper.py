"""How is one part kept running? Started, asked until it answers, started again when it dies, later each time.

A state machine that is stepped from the supervisor's loop: nothing in it waits, and clock, child and probe are given to
it, so that it is tested without a process.
"""

from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum
from typing import Protocol

from forebay.embedded.parts import Health, Part, Probe

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
HEALTHY_S = 30.0
"""A part that served this long is given the short pause again."""

ASK_STARTING_S, ASK_READY_S = 0.1, 2.0
HUNG_S = 60.0
"""A part that runs but has not answered this long is killed: two slow cores can keep one busy for many seconds."""

_CONFIGURATION_ERROR = 2  # exit status of our commands: starting again changes nothing
_TRIES = 3


class ProcessState(StrEnum):
    """Where a part is."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    FAILED = "failed"


class Running(Protocol):
    """The part of :class:`forebay.embedded.supervision.process.Child` that a keeper needs."""

    @property
    def pid(self) -> int:
        """Process id."""
        ...

    def poll(self) -> int | None:
        """Exit status, ``None`` while it runs."""
        ...

    def terminate(self) -> None:
        """Ask it to stop."""
        ...

    def kill(self) -> None:
        """End it now."""
        ...


def pause_s(failures: int) -> float:
    """Seconds to wait before the start that follows the ``failures``-th death in a row (1: the first)."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16))


class Keeper:
    """Keeps one part running.

    Args:
        spawn: starts the part's process; called from :meth:`step`.
        ask: runs a probe elsewhere, so that a slow one holds up nobody.
        start_timeout_s: seconds until a part that has never answered counts as failed.
    """

    def __init__(
        self,
        part: Part,
        spawn: Callable[[Part], Running],
        ask: Callable[[Probe], Future[Health]],
        start_timeout_s: float,
    ) -> None:
        self.part = part
        self.child: Running | None = None
        self.state = ProcessState.STARTING
        self.restarts = 0
        self.was_ready = False
        self.failure = ""
        self._spawn = spawn
        self._ask = ask
        self._start_timeout_s = start_timeout_s
        self._answer: Future[Health] | None = None
        self._ask_at = 0.0
        self._start_at = 0.0
        self._first_start: float | None = None
        self._answered_at = 0.0
        self._ready_since: float | None = None
        self._deaths = 0

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self.child.pid if self.child is not None else None

    def step(self, now: float) -> None:
        """Do what is due. ``now``: monotonic seconds."""
        if self.child is None:
            if now >= self._start_at and self.state is not ProcessState.FAILED:
                self._start(now)
            return
        status = self.child.poll()
        if status is not None:
            self.child = None
            self._died(now, f"ended with status {status}", hopeless=status == _CONFIGURATION_ERROR)
            return
        self._listen(now)
        patience = self._start_timeout_s if self._ready_since is None else HUNG_S
        if now - self._answered_at > patience:
            self.child.kill()
        if not self.was_ready and self._first_start is not None and now - self._first_start > self._start_timeout_s:
            self._fail(f"was not ready within {self._start_timeout_s:g} s")

    def stopped(self) -> None:
        """The supervisor has stopped the process."""
        self.child = None
        if self.state is not ProcessState.FAILED:
            self.state = ProcessState.STOPPED

    def _start(self, now: float) -> None:
        if self._first_start is None:
            self._first_start = now
        self._answer, self._ask_at, self._answered_at, self._ready_since = None, now, now, None
        try:
            self.part.prepare()
            self.child = self._spawn(self.part)
        except OSError as error:
            self._died(now, f"cannot be started: {error}")
            return
        self.state = ProcessState.STARTING

    def _died(self, now: float, why: str, *, hopeless: bool = False) -> None:
        if self._ready_since is not None and now - self._ready_since >= HEALTHY_S:
            self._deaths = 0
        self._deaths += 1
        if not self.was_ready and (hopeless or self._deaths >= _TRIES):
            self._fail(why)
            return
        self.restarts += 1
        self.state = ProcessState.RESTARTING
        self._start_at = now + pause_s(self._deaths)

    def _fail(self, why: str) -> None:
        self.state = ProcessState.FAILED
        self.failure = why

    def _listen(self, now: float) -> None:
        """Take the probe's answer if there is one, ask again when it is time."""
        if self._answer is not None and self._answer.done():
            health, self._answer = self._answer.result(), None
            serves = health is Health.READY
            if health is not Health.DOWN:
                self._answered_at = now
            if serves:
                self._ready_since = now if self._ready_since is None else self._ready_since
                self.was_ready = True
            self.state = ProcessState.READY if serves else ProcessState.STARTING
            self._ask_at = now + (ASK_READY_S if serves else ASK_STARTING_S)
        if self._answer is None and now >= self._ask_at:
            self._answer = self._ask(self.part.health)
