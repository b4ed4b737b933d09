"""How do the commands of ``forebay dlq`` say what they found, and what went wrong?"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import typer

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.operations.dead_letters.actions import DeadLetters
    from forebay.operations.dead_letters.letters import DeadLetter
    from forebay.operations.dead_letters.preview import Preview

_PIPED_WIDTH = 240
"""Columns of a table that goes into a file or a pipe, where a code must not be broken over lines."""


@contextmanager
def dead_letters() -> Iterator["DeadLetters"]:
    """The dead letters of this installation; see :func:`explained`."""
    from forebay.embedded.installation import installation
    from forebay.operations.dead_letters.opening import open_dead_letters

    with explained(), open_dead_letters(installation()) as letters:
        yield letters


def explained() -> AbstractContextManager[None]:
    """What an operator of dead letters can mend, or has to know; see :mod:`forebay.cli.explaining`."""
    from forebay.cli import explaining
    from forebay.operations.dead_letters.transform import TransformError

    return explaining.explained(TransformError, who=lambda note: f"{note.action.value} by {note.by}")


def letter_line(letter: "DeadLetter") -> dict[str, Any]:
    """What a JSON line says of a letter: no content of its record."""
    return {
        "id": letter.letter_id,
        "stage": letter.stage,
        "code": letter.code,
        "class": letter.failure_class,
        "message": letter.message,
        "attempts": letter.attempts,
        "failed_at": letter.failed_at,
        "first_failed_at": letter.first_failed_at,
        "origin_topic": letter.origin_topic,
        "request_id": letter.request_id,
        "tenant_id": letter.tenant_id,
        "replays": letter.replays,
        "replay_id": letter.replay_id,
        "state": letter.state.value,
    }


def preview_line(preview: "Preview") -> dict[str, Any]:
    """What a JSON line of a dry run says of a letter."""
    letter = preview.letter
    line = {
        "id": letter.letter_id,
        "stage": letter.stage,
        "code": letter.code,
        "request_id": letter.request_id,
        "action": preview.fate.value,
    }
    if preview.diff is not None:
        line["diff"] = preview.diff
    if preview.problem:
        line["error"] = preview.problem
    return line


def preview_text(preview: "Preview") -> str:
    """A letter of a dry run for people."""
    letter = preview.letter
    head = f"{letter.letter_id}  {letter.stage}  {letter.code}  {letter.request_id}  {preview.fate.value}"
    return head + (f"\n{preview.diff}" if preview.diff else "") + (f"\n  {preview.problem}" if preview.problem else "")


def time_text(at_ms: int) -> str:
    """A time in ms since the epoch, in UTC."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def print_json(content: Any) -> None:
    """One line of JSON."""
    typer.echo(orjson.dumps(content).decode())


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table, as wide as the terminal, or wide enough for a file."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    piped = not sys.stdout.isatty()
    Console(width=_PIPED_WIDTH if piped else None).print(table)
