"""How is a supervisor started: in this process, or in one that goes on by itself?

``python -m forebay.embedded.supervision.launch`` is the detached one. Whoever detaches it watches its state file until
everything is ready, or until it has given up and stopped what it had started.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from forebay.artifacts import ArtifactError
from forebay.contract.names import topics_of
from forebay.embedded.files import private_folder
from forebay.embedded.plan import Options, plan
from forebay.embedded.settings import EmbeddedSettings
from forebay.embedded.supervision import state as state_file
from forebay.embedded.supervision.process import Watchdog, rotate, tail
from forebay.embedded.supervision.state import AlreadyRunningError, StackState, State
from forebay.embedded.supervision.supervisor import Supervisor, stopped_by_signals
from forebay.kafka.topic_admin import TopicAdmin, TopicsError
from forebay.settings import ConfigurationError, KafkaSettings, Settings, TenantSettings, load

_POLL_S = 0.1
SUPERVISOR_LOG = "supervisor.log"
_FIRST_TENANT, _FIRST_USER = "default", "local"

OnChange = Callable[[State], None]


def supervise(options: Options, on_change: OnChange = lambda _: None) -> State:
    """Run the stack in this process until a signal or a failed start; the last state.

    Raises:
        AlreadyRunningError: another supervisor works in the data folder.
        ConfigurationError, ArtifactError: something cannot be used or had.
    """
    with state_file.lock(options.data_dir):
        state_file.remove(options.data_dir)  # of a supervisor that was killed
        settings = load()
        planned = plan(options, settings, os.environ)
        os.environ.update(planned.environment)
        found = load()
        with Watchdog() as watchdog:
            supervisor = Supervisor(
                planned,
                options.data_dir,
                watchdog,
                start_timeout_s=settings[EmbeddedSettings].start_timeout_s,
                create_topics=lambda stopping: _make_ready(found, stopping, _key_file(options)),
                on_change=on_change,
            )
            with stopped_by_signals(supervisor.stop):
                last = supervisor.run()
        if last.stack is not StackState.FAILED:
            state_file.remove(options.data_dir)
        return last


def detach(options: Options, on_change: OnChange = lambda _: None) -> State:
    """Start the stack in a process of its own; the state once it is ready or has failed (then all is stopped).

    Raises:
        AlreadyRunningError: another supervisor works in the data folder.
        KeyboardInterrupt: while waiting; the stack is stopped.
    """
    if state_file.is_locked(options.data_dir):
        with state_file.lock(options.data_dir):  # raises, and names the pid
            pass
    private_folder(options.data_dir)
    log = options.data_dir / "logs" / SUPERVISOR_LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    rotate(log)
    state_file.remove(options.data_dir)
    arguments = json.dumps(asdict(options) | {"data_dir": str(options.data_dir)})
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "forebay.embedded.supervision.launch", arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return _until_settled(process, options.data_dir, log, on_change)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise


def _until_settled(process: "subprocess.Popen[bytes]", data_dir: Path, log: Path, on_change: OnChange) -> State:
    seen: State | None = None
    while True:
        ended = process.poll() is not None
        found = state_file.read(data_dir)
        if found is not None and found.supervisor == process.pid and found != seen:
            seen = found
            on_change(found)
        if seen is not None and (seen.stack is StackState.READY or (ended and seen.stack is StackState.FAILED)):
            process.returncode = process.returncode or 0  # it goes on without us: no warning about that
            return seen
        if ended:
            return State(
                supervisor=process.pid,
                stack=StackState.FAILED,
                logs=str(log.parent.absolute()),
                failed_part=log.stem,
                failure=f"ended with status {process.returncode}: {tail(log, 1)}",
            )
        time.sleep(_POLL_S)


def _key_file(options: Options) -> Path | None:
    """Where a first key of the HTTP door has to go; ``None``: nowhere, there is one, or no door."""
    path = options.data_dir / state_file.KEY_FILE
    return path if options.edge and options.workers != "none" and not path.exists() else None


def _make_ready(settings: Settings, stopping: threading.Event, key_file: Path | None) -> None:
    """Topics first; then the trail has which configuration is about to be used, or no worker starts.

    Args:
        key_file: where a first key of the HTTP door has to go.
    """
    topics = topics_of(settings[TenantSettings])
    TopicAdmin(settings[KafkaSettings], sleep=_sleep_unless(stopping), topics=topics).create()
    # By a process: what people do, and that it is written down, stands on a floor with this room.
    _run("the configuration cannot be written down in the topic audit", "config", "check", "--audit")
    if key_file is not None:
        whose = ("--tenant", _FIRST_TENANT, "--user", _FIRST_USER, "--name", "forebay up")
        _run("no key of the HTTP door can be made", "keys", "create", *whose, "--file", str(key_file))


def _run(otherwise: str, *words: str) -> None:
    command = [sys.executable, "-m", "forebay", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands
    if done.returncode != 0:
        raise TopicsError(f"{otherwise}: {(done.stderr or done.stdout).strip()}")


def _sleep_unless(stopping: threading.Event) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        if stopping.wait(seconds):
            raise TopicsError("the stack is being stopped")

    return sleep


def main(arguments: str) -> int:
    """Exit status of the detached supervisor."""
    given = json.loads(arguments)
    try:
        last = supervise(Options(**given | {"data_dir": Path(given["data_dir"])}))
    except (AlreadyRunningError, ConfigurationError, ArtifactError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - to supervisor.log
        return 1
    return 1 if last.stack is StackState.FAILED else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
