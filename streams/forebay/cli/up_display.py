"""How does a start look in a terminal? A table that fills up; in a pipe or a log, a line for each change."""

import os
import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from forebay.embedded.plan import Options
from forebay.embedded.prepare import tasks
from forebay.embedded.supervision.keeper import ProcessState
from forebay.embedded.supervision.state import ProcessRow, StackState, State

_COLOURS = {"starting": "yellow", "ready": "green", "restarting": "red", "stopped": "dim", "failed": "bold red"}
_ENDPOINTS = (
    ("FOREBAY_KAFKA_BOOTSTRAP", "Kafka"),
    ("FOREBAY_TIER_SMALL_URL", "small model"),
    ("FOREBAY_TIER_LARGE_URL", "large model"),
    ("FOREBAY_VAULT_KEYS_FILE", "vault key"),
)


def prepare(options: Options) -> None:
    """Fetch what is missing, with a bar for each thing; says nothing when everything is there."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for task in tasks(options, os.environ):
            bar = progress.add_task(task.title, total=task.steps)
            task.run(lambda _, bar=bar: progress.advance(bar))  # type: ignore[misc]  # bound now, not when called


class Display:
    """Shows states as they come, for the length of a ``with``.

    Args:
        stays: the stack goes on when the command ends.
    """

    def __init__(self, *, stays: bool) -> None:
        self._console = Console(stderr=True)
        self._stays = stays
        self._started = time.monotonic()
        self._before: dict[str, tuple[ProcessState, int]] = {}
        self._stack: StackState | None = None
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, state: State) -> None:
        """A new state."""
        if self._live.is_started:
            self._live.update(_process_table([row.public() for row in state.processes]), refresh=True)
        for row in state.processes:
            self._change(row)
        if state.stack is not self._stack:
            self._stack = state.stack
            self._turned(state)

    def _change(self, row: ProcessRow) -> None:
        """A line for what changed, unless the table shows it."""
        now = (row.state, row.restarts)
        waits = row.state is ProcessState.STARTING and row.pid is None
        if self._before.get(row.name) == now or waits:
            return
        self._before[row.name] = now
        if not self._live.is_started:
            self._console.print(f"{self._elapsed()} {row.name} {row.state.value}", highlight=False)

    def _turned(self, state: State) -> None:
        if state.stack is StackState.READY:
            self._live.stop()
            self._console.print(f"{self._elapsed()} everything is ready", style="green", highlight=False)
            for variable, title in _ENDPOINTS:
                if variable in state.environment:
                    self._console.print(f"  {title:12} {state.environment[variable]}", highlight=False)
            self._console.print(f"  {'logs':12} {state.logs}", highlight=False)
            self._console.print("  forebay down stops it" if self._stays else "  Ctrl-C stops it", style="dim")
        elif state.stack is StackState.STOPPING:
            self._live.stop()
            self._console.print("stopping", style="dim")

    def _elapsed(self) -> str:
        return f"[{time.monotonic() - self._started:5.1f} s]"


def print_status(found: dict[str, Any]) -> None:
    """``forebay status`` for people."""
    console = Console()
    if found["processes"]:
        console.print(_process_table(found["processes"]))
    waiting: dict[str, list[str]] = {}
    for stage, topics in found["lag"].items():
        for topic, records in topics.items():
            since = f" since {found['lag_seconds'][stage][topic]:,.0f} s" if records else ""
            waiting.setdefault(topic, []).append(f"{stage} {records}{since}")
    table = Table("topic", "partitions", "records", "unfinished", box=None)
    for topic, size in found["topics"].items():
        table.add_row(topic, str(size["partitions"]), str(size["records"]), ", ".join(waiting.get(topic, [])))
    if found["topics"]:
        console.print(table)


def _process_table(rows: list[dict[str, Any]]) -> Table:
    table = Table("process", "state", "pid", "port", "restarts", box=None)
    for row in rows:
        state = str(row["state"])
        cells = [str(row.get(key) or "") for key in ("pid", "port")]
        table.add_row(row["name"], f"[{_COLOURS[state]}]{state}[/]", *cells, str(row["restarts"]))
    return table
