"""Where is a ledger that is no broker's? In a file, or on standard input; what of it is no entry is told."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from forebay.cli.terminal.saying import complain, say
from forebay_agents.cost.spending.ledger_lines import LedgerLines

FROM = "Read lines of `forebay tail usage --json` from this file instead of the brokers; -: stdin."
"""What the option means."""


@contextmanager
def lines_of(file: str) -> Iterator[LedgerLines]:
    """The entries of ``file``, while this is entered; ends the command with status 2 if it cannot be read."""
    if file == "-":
        yield LedgerLines(lines=sys.stdin.buffer)
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below; errors of the body are not the file's
    except OSError as error:
        complain(f"{file}: {error.strerror}")
        raise typer.Exit(2) from None
    with stream:
        yield LedgerLines(lines=stream)


def tell_left_out(lines: LedgerLines) -> None:
    """On standard error, once all are read."""
    if lines.left_out:
        places = ", ".join(map(str, lines.places)) + (" …" if lines.left_out > len(lines.places) else "")
        say(f"{lines.left_out:,} lines are no entries of the ledger and were left out: line {places}", err=True)
