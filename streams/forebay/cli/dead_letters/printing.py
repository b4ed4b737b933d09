"""How do the commands of ``forebay dlq`` say what they found, and what went wrong?"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import typer

_PIPED_WIDTH = 240
"""Columns of a table that goes into a file or a pipe, where a code must not be broken over lines."""


@contextmanager
def explained() -> Iterator[None]:
    """What an operator can mend, or has to know, in one line and exit status 1."""
    from forebay.kafka.publisher import PublishError
    from forebay.operations.dead_letters.journal import FencedError, JournalError
    from forebay.operations.dead_letters.transform import TransformError

    try:
        yield
    except (FencedError, JournalError, PublishError, TransformError) as error:
        typer.echo(f"forebay: {error}", err=True)
        raise typer.Exit(1) from None


def dry_text(line: dict[str, Any]) -> str:
    """A line of a dry run for people."""
    head = f"{line['id']}  {line['stage']}  {line['code']}  {line['request_id']}  {line['action']}"
    return (
        head + (f"\n{line['diff']}" if line.get("diff") else "") + (f"\n  {line['error']}" if "error" in line else "")
    )


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
