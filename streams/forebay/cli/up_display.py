"""How does a start look in a terminal? A table that fills up; in a pipe or a log, a line for each change."""

import os
import shlex
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from forebay.cli.terminal.bars import Bar
from forebay.cli.terminal.live import LiveTable
from forebay.cli.terminal.tables import Frame, Part, Styled, print_table
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
    for task in tasks(options, os.environ):
        with Bar(task.title, task.steps, stays=False) as bar:
            task.run(lambda _, bar=bar: bar.advance())  # type: ignore[misc]  # bound now, not when called


class Display:
    """Shows states as they come, for the length of a ``with``.

    Args:
        stays: the stack goes on when the command ends.
        data_dir: of the stack.
    """

    def __init__(self, *, stays: bool, data_dir: Path) -> None:
        self._stays = stays
        self._data_dir = data_dir
        self._started = time.monotonic()
        self._before: dict[str, tuple[ProcessState, int]] = {}
        self._stack: StackState | None = None
        self._screen = LiveTable()

    def __enter__(self) -> Self:
        self._screen.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._screen.stop()

    def show(self, state: State) -> None:
        """A new state."""
        self._screen.show(_PROCESS, _process_rows([row.public() for row in state.processes]))
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
        if not self._screen.drawn:
            self._screen.say(f"{self._elapsed()} {row.name} {row.state.value}")

    def _turned(self, state: State) -> None:
        if state.stack is StackState.READY:
            self._screen.stop()
            self._screen.say(Styled(f"{self._elapsed()} everything is ready", "green"))
            for variable, title in _ENDPOINTS:
                if variable in state.environment:
                    self._screen.say(f"  {title:12} {state.environment[variable]}")
            self._screen.say(f"  {'logs':12} {state.logs}")
            for line in pasted(state.edge(self._data_dir)):
                self._screen.say(line)
            self._screen.say(Styled("  forebay down stops it" if self._stays else "  Ctrl-C stops it", "dim"))
        elif state.stack is StackState.STOPPING:
            self._screen.stop()
            self._screen.say(Styled("stopping", "dim"))

    def _elapsed(self) -> str:
        return f"[{time.monotonic() - self._started:5.1f} s]"


def pasted(edge: dict[str, Any] | None) -> list[str]:
    """Three lines that one can paste to ask by HTTP."""
    if edge is None:
        return []
    return [
        f"  export OPENAI_BASE_URL={edge['base_url']} OPENAI_API_KEY=$(cat {shlex.quote(edge['key_file'])})",
        '  curl $OPENAI_BASE_URL/chat/completions -H "authorization: Bearer $OPENAI_API_KEY" \\',
        """    --json '{"model": "auto", "messages": [{"role": "user", "content": "What is 12 + 7?"}]}'""",
    ]


def print_status(found: dict[str, Any]) -> None:
    """``forebay status`` for people."""
    if found["processes"]:
        print_table(_PROCESS, _process_rows(found["processes"]), frame=Frame.NONE)
    waiting: dict[str, list[str]] = {}
    for stage, topics in found["lag"].items():
        for topic, records in topics.items():
            since = f" since {found['lag_seconds'][stage][topic]:,.0f} s" if records else ""
            waiting.setdefault(topic, []).append(f"{stage} {records}{since}")
    rows = [
        (topic, str(size["partitions"]), str(size["records"]), ", ".join(waiting.get(topic, [])))
        for topic, size in found["topics"].items()
    ]
    if rows:
        print_table(("topic", "partitions", "records", "unfinished"), rows, frame=Frame.NONE)


_PROCESS = ("process", "state", "pid", "port", "restarts")


def _process_rows(rows: list[dict[str, Any]]) -> list[tuple[Part, ...]]:
    return [
        (
            row["name"], Styled(str(row["state"]), _COLOURS[str(row["state"])]), str(row.get("pid") or ""),
            str(row.get("port") or ""), str(row["restarts"]),
        )
        for row in rows
    ]  # fmt: skip
