"""How does the stack come up, stay up and go down? One loop in the main thread that steps a keeper for each part.

Servers start at once and together; when the brokers answer, the topics are created; then the workers start. Down it
goes in the opposite order: workers first, so that they can drain and commit.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from forebay.embedded.parts import Health, Layer, Part, Probe
from forebay.embedded.plan import Plan
from forebay.embedded.supervision import state as state_file
from forebay.embedded.supervision.keeper import Keeper, ProcessState, Running
from forebay.embedded.supervision.process import Child, Watchdog, rotate
from forebay.embedded.supervision.state import ProcessRow, StackState, State

_TICK_S = 0.05
_PROBES = 8


class Supervisor:
    """Runs a plan until it is told to stop.

    Args:
        create_topics: creates what is missing on the brokers, and makes it ready; called in a thread once they answer,
            with an event that tells it to give up.
        on_change: called with every new state, for the display.
    """

    def __init__(
        self,
        plan: Plan,
        data_dir: Path,
        watchdog: Watchdog,
        *,
        start_timeout_s: float,
        create_topics: Callable[[threading.Event], object],
        on_change: Callable[[State], None] = lambda _: None,
    ) -> None:
        self._plan = plan
        self._data_dir = data_dir
        self._logs = data_dir.absolute() / "logs"
        self._watchdog = watchdog
        self._create_topics = create_topics
        self._on_change = on_change
        self._stopping = threading.Event()
        self._hurry = False
        self._threads = ThreadPoolExecutor(_PROBES, thread_name_prefix="probe")
        self._topics: Future[object] | None = None
        self._was_ready = False
        self._state = State(supervisor=os.getpid(), stack=StackState.STARTING, logs=str(self._logs))

        def keeper(part: Part) -> Keeper:
            return Keeper(part, self._spawn, self._ask, start_timeout_s)

        self._servers = [keeper(part) for part in plan.servers]
        self._workers = [keeper(part) for part in plan.workers]

    def run(self) -> State:
        """Start everything, keep it running, stop it when :meth:`stop` was called or the start failed."""
        for part in (*self._plan.servers, *self._plan.workers):
            rotate(self._log(part))
        try:
            while not self._stopping.is_set():
                self._step()
                if self._state.stack is StackState.FAILED:
                    break
                self._stopping.wait(_TICK_S)
        finally:
            self._stopping.set()
            self._stop_all()
            self._threads.shutdown(wait=False, cancel_futures=True)
        return self._state

    def stop(self) -> None:
        """Have :meth:`run` stop everything and return; called again: without giving anything time for it."""
        self._hurry = self._stopping.is_set()
        self._stopping.set()

    def _step(self) -> None:
        now = time.monotonic()
        for keeper in self._servers:
            keeper.step(now)
        there = self._topics_are_there()
        for keeper in self._workers:
            if there or keeper.part.early:
                keeper.step(now)
        self._publish(self._stack_state())

    def _topics_are_there(self) -> bool:
        if self._topics is None:
            brokers = [keeper for keeper in self._servers if keeper.part.layer is Layer.BROKER]
            if all(keeper.was_ready for keeper in brokers):
                self._topics = self._threads.submit(self._create_topics, self._stopping)
        return self._topics is not None and self._topics.done() and self._topics.exception() is None

    def _stack_state(self) -> StackState:
        keepers = [*self._servers, *self._workers]
        if self._was_ready:
            return StackState.READY
        if any(keeper.state is ProcessState.FAILED for keeper in keepers) or self._topics_failed():
            return StackState.FAILED
        self._was_ready = self._topics_are_there() and all(keeper.was_ready for keeper in keepers)
        return StackState.READY if self._was_ready else StackState.STARTING

    def _topics_failed(self) -> bool:
        return self._topics is not None and self._topics.done() and self._topics.exception() is not None

    def _publish(self, stack: StackState) -> None:
        failed = next((k for k in (*self._servers, *self._workers) if k.state is ProcessState.FAILED), None)
        failure = failed.failure if failed is not None else ""
        if stack is StackState.FAILED and failed is None and self._topics is not None:
            failure = f"the topics cannot be made ready: {self._topics.exception()}"
        new = State(
            supervisor=os.getpid(),
            stack=stack,
            logs=str(self._logs),
            processes=[_row(keeper) for keeper in (*self._servers, *self._workers)],
            environment=self._plan.environment,
            failed_part=failed.part.name if failed is not None else "",
            failure=failure,
        )
        if new != self._state:
            self._state = new
            state_file.write(self._data_dir, new)
            self._on_change(new)

    def _stop_all(self) -> None:
        failed = self._state.stack is StackState.FAILED
        if not failed:
            self._publish(StackState.STOPPING)
        for layer in sorted(Layer, reverse=True):
            self._stop_layer([k for k in (*self._servers, *self._workers) if k.part.layer is layer])
            self._publish(StackState.FAILED if failed else StackState.STOPPING)

    def _stop_layer(self, keepers: Sequence[Keeper]) -> None:
        """Ask all, then wait for each; whoever takes longer than its part allows is killed."""
        asked = time.monotonic()
        for keeper in keepers:
            if keeper.child is not None:
                keeper.child.terminate()
        for keeper in keepers:
            while keeper.child is not None and keeper.child.poll() is None:
                if self._hurry or time.monotonic() - asked > keeper.part.stop_s:
                    keeper.child.kill()
                time.sleep(_TICK_S)
            keeper.stopped()

    def _spawn(self, part: Part) -> Running:
        return Child(part.command, environment=part.environment, log=self._log(part), watchdog=self._watchdog)

    def _ask(self, probe: Probe) -> Future[Health]:
        return self._threads.submit(probe)

    def _log(self, part: Part) -> Path:
        return self._logs / f"{part.name}.log"


def _row(keeper: Keeper) -> ProcessRow:
    part = keeper.part
    return ProcessRow(
        name=part.name,
        stage=part.stage,
        pid=keeper.pid,
        port=part.port,
        health_port=part.health_port,
        state=keeper.state,
        restarts=keeper.restarts,
    )


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` on SIGINT, SIGTERM and SIGHUP for the length of a ``with``."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
