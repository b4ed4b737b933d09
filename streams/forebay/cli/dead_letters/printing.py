"""How do the commands of ``forebay dlq`` say what they found, and what went wrong?"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from forebay.cli.terminal import tables

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.operations.dead_letters.actions import DeadLetters
    from forebay.operations.dead_letters.letters import DeadLetter, Group
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
    """A time in ms since the epoch, in UTC; what is none, such as one after the year 9999, as the number that it is."""
    try:
        return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return str(at_ms)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table, as wide as the terminal, or wide enough for a file."""
    tables.print_table(columns, rows, piped_width=_PIPED_WIDTH)


def print_groups(groups: Iterable["Group"]) -> None:
    """Letters by stage and code."""
    print_table(
        ("", "stage", "code", "class", "letters", "open", "first", "last"),
        [
            ("new" if item.new else "", item.stage, item.code, item.failure_class, str(item.count), str(item.open),
             time_text(item.first_failed_at), time_text(item.last_failed_at))
            for item in groups
        ],
    )  # fmt: skip


def print_letters(letters: Iterable["DeadLetter"]) -> None:
    """A line a letter."""
    print_table(
        ("id", "failed", "stage", "code", "tenant", "request", "replays", "state", "message"),
        [
            (item.letter_id, time_text(item.failed_at), item.stage, item.code, item.tenant_id, item.request_id,
             str(item.replays), item.state, item.message)
            for item in letters
        ],
    )  # fmt: skip
