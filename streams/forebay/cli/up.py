"""``forebay up``, ``forebay down`` and ``forebay status``: the embedded stack as seen from a terminal."""

import os
import signal
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forebay.cli.terminal.saying import complain, print_json, refusal, say
from forebay.embedded.discovery import DATA_DIR

if TYPE_CHECKING:
    from forebay.embedded.supervision.state import State
    from forebay.settings import Settings

up = typer.Typer(add_completion=False)
down = typer.Typer(add_completion=False)
status = typer.Typer(add_completion=False)

DataDir = Annotated[Path, typer.Option("--data-dir", help="Data, logs and state of the stack.")]

_STOP_S = 60.0


class Workers(StrEnum):
    """How stages become processes."""

    EACH = "each"
    SINGLE = "single"
    NONE = "none"


@up.command(
    "up", help="Start Kafka, Redis, two local models and every stage; what the environment names is not started."
)
def up_command(
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Return when everything is ready.")] = False,
    brokers: Annotated[int, typer.Option(min=1, max=7, help="Kafka brokers; 3 keep every record three times.")] = 1,
    workers: Annotated[
        Workers, typer.Option(help="A process for each stage, a single one for all, or none.")
    ] = Workers.EACH,
    layout: Annotated[
        str,
        typer.Option(
            help="Which stages share a process: `redaction;cache;completion;response,retry,cost,review,evaluation`; "
            "those that are not named have one each.",
        ),
    ] = "",
    edge: Annotated[bool, typer.Option(help="With the HTTP door, on loopback.")] = True,
    data_dir: DataDir = Path(DATA_DIR),
) -> None:
    """Run the stack until Ctrl-C, or leave it running; exit status 1 when a part cannot be started."""
    from forebay.artifacts import ArtifactError
    from forebay.cli.up_display import Display, prepare
    from forebay.embedded.layout import LayoutError, parse
    from forebay.embedded.plan import Options, stage_names
    from forebay.embedded.supervision.launch import detach as run_detached
    from forebay.embedded.supervision.launch import supervise
    from forebay.embedded.supervision.state import AlreadyRunningError, StackState, is_locked

    if layout and workers is not Workers.EACH:
        raise refusal(f"--layout and --workers {workers.value} contradict each other", "--layout")
    try:
        shared = parse(layout, stage_names()) if layout else ()
    except LayoutError as error:
        raise refusal(str(error), "--layout") from None
    options = Options(data_dir=data_dir, brokers=brokers, workers=workers.value, edge=edge, layout=shared)
    run: Callable[[Options, Callable[[State], None]], State] = run_detached if detach else supervise
    try:
        if not is_locked(data_dir):
            prepare(options)
        with Display(stays=detach, data_dir=data_dir) as display:
            last = run(options, display.show)
    except (AlreadyRunningError, ArtifactError) as error:
        complain(error)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if last.stack is StackState.FAILED:
        _explain(last)
        raise typer.Exit(1)


def _explain(state: "State") -> None:
    from forebay.embedded.supervision.process import tail

    what = f"{state.failed_part} {state.failure}" if state.failed_part else state.failure
    complain(f"{what}; everything is stopped")
    if state.failed_part:
        log = Path(state.logs) / f"{state.failed_part}.log"
        say(f"--- the end of {log}\n{tail(log)}", err=True, lines=True)


@down.command("down", help="Stop the stack that runs here, and wait until it is gone.")
def down_command(*, data_dir: DataDir = Path(DATA_DIR)) -> None:
    """Ask the supervisor to stop; kill it, and with it everything, if it takes longer than a minute."""
    from forebay.embedded.supervision import state as state_file

    if not state_file.is_locked(data_dir):
        state_file.remove(data_dir)
        say("nothing is running here", err=True)
        return
    pid = state_file.holder(data_dir)
    _end(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while state_file.is_locked(data_dir):
        if time.monotonic() > deadline:
            _end(pid, signal.SIGKILL)
        time.sleep(0.05)
    state_file.remove(data_dir)
    say("stopped", err=True)


def _end(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


@status.command("status", help="What runs here, what the topics hold, and what each stage has not finished yet.")
def status_command(
    *,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    data_dir: DataDir = Path(DATA_DIR),
) -> None:
    """Exit status 1 when neither a stack nor a broker is there."""
    from forebay.embedded.discovery import apply_to_environment
    from forebay.embedded.supervision.state import live
    from forebay.kafka.queries import BrokerUnavailableError
    from forebay.settings import load

    state = live(data_dir)
    apply_to_environment(data_dir)
    found: dict[str, Any] = {"processes": [row.public() for row in state.processes] if state else []}
    found["edge"] = state.edge(data_dir) if state else None
    problem = ""
    try:
        found |= _broker_view(load())
    except BrokerUnavailableError as error:
        problem = str(error)
        found |= {"topics": {}, "lag": {}, "lag_seconds": {}}
    if json_output:
        print_json(found, indent=True)
    else:
        from forebay.cli.up_display import print_status

        print_status(found)
    if problem:
        complain(problem)
        sys.exit(0 if state else 1)


def _broker_view(settings: "Settings") -> dict[str, Any]:
    from forebay.kafka.group_offsets import topic_sizes
    from forebay.kafka.lag import read_waiting
    from forebay.settings import KafkaSettings

    offsets, waiting = read_waiting(settings, 5.0)
    return {
        "topics": topic_sizes(offsets, settings[KafkaSettings].topic_prefix),
        "lag": {stage: {name: one.records for name, one in topics.items()} for stage, topics in waiting.items()},
        "lag_seconds": {
            stage: {name: round(one.seconds, 1) for name, one in topics.items()} for stage, topics in waiting.items()
        },
    }
