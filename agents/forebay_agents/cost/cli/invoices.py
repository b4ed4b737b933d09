"""``forebay spend reconcile``: does a provider's invoice agree with the ledger?"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.terminal.saying import complain, print_json, say
from forebay.cli.terminal.tables import print_table
from forebay.contract.json_lines import to_json
from forebay_agents.cost.cli.files import FROM, lines_of, tell_left_out

if TYPE_CHECKING:
    from forebay_agents.cost.cells import CellReconciliation
    from forebay_agents.cost.reconciliation import Reconciliation
    from forebay_agents.cost.spending.facts import Entered

_PIPED_WIDTH = 200
"""Columns of a table that goes into a file or a pipe, where an id must not be broken over lines."""


def reconcile(
    invoice: Annotated[
        Path, typer.Option(help="The invoice, CSV or JSON: a line a call (attempt_id), or sums by day and model.")
    ],
    by: Annotated[str, typer.Option(help="day,model: compare sums, also where there is an attempt_id.")] = "",
    tolerance: Annotated[str, typer.Option(help="By which share a sum may be off.")] = "0.5%",
    columns: Annotated[
        Path | None,
        typer.Option(help="YAML: day, model, cost_usd, key, tokens to what they are called there; or `openrouter`."),
    ] = None,
    zone: Annotated[str, typer.Option(help="Zone of the invoice's days: Europe/Berlin, +02:00; by default UTC.")] = "",
    since: Annotated[str, typer.Option(help="Only calls that began since then: 2026-11-01, or an age: 6h, 2d.")] = "",
    until: Annotated[str, typer.Option(help="Only calls that began before then.")] = "",
    file: Annotated[str, typer.Option("--from", help=FROM)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Exit status 1 when they differ. Attempts whose end nobody saw are listed apart: the invoice settles them."""
    from forebay.operations.choices import InvalidChoiceError
    from forebay_agents.cost import operations
    from forebay_agents.cost.invoice import InvoiceError

    statement = operations.Statement(
        invoice=invoice, since=since, until=until, by=by, tolerance=tolerance, columns=columns, zone=zone
    )
    try:
        with _ledger(file) as entries:
            if operations.has_sums(statement):
                sums = operations.reconcile_sums(statement, entries)
                print_json(to_json(sums)) if as_json else print_cells(sums)
                differ = bool(sums.differences)
            else:
                found = operations.reconcile(statement, (one.entry for one in entries))
                print_json({**to_json(found), "error_nanousd": found.error_nanousd}) if as_json else print_calls(found)
                differ = bool(found.differences)
    except (InvoiceError, InvalidChoiceError, OSError) as error:
        complain(error)
        raise typer.Exit(2) from None
    if differ:
        raise typer.Exit(1)


@contextmanager
def _ledger(file: str) -> "Iterator[Iterable[Entered]]":
    from forebay.embedded.installation import installation
    from forebay_agents.cost import operations

    if not file:
        yield operations.read_entries(installation())
        return
    with lines_of(file) as lines:
        yield lines
        tell_left_out(lines)


def print_cells(result: "CellReconciliation") -> None:
    """Cells that differ, and what agrees."""
    if result.differences:
        print_table(
            ("difference", "day", "model", "key", "ledger n$", "invoice n$", "n$", "%", "unsettled"),
            [
                (
                    item.kind.value, item.day, item.model, item.key or "", f"{item.ledger_nanousd:,}",
                    f"{item.invoice_nanousd:,}", f"{item.difference_nanousd:+,}",
                    "" if item.percent is None else f"{item.percent:+.2f}", f"{item.unsettled:,}",
                )
                for item in result.differences
            ],
            piped_width=_PIPED_WIDTH,
        )  # fmt: skip
    say(
        f"{result.cells:,} sums: {result.agreed:,} agree, {len(result.differences):,} differences; ledger "
        f"{result.ledger_nanousd:,} n$, invoice {result.invoice_nanousd:,} n$, {result.unsettled:,} calls unsettled"
    )


def print_calls(result: "Reconciliation") -> None:
    """Calls that differ, calls whose end nobody saw, and what agrees."""
    if result.differences:
        print_table(
            ("difference", "attempt", "request", "ledger", "invoice", "n$"),
            [
                (item.kind.value, item.attempt_id, item.request_id, item.ledger, item.invoice,
                 str(item.difference_nanousd))
                for item in result.differences
            ],
            piped_width=_PIPED_WIDTH,
        )  # fmt: skip
    if result.open:
        print_table(
            ("open attempt", "request", "status", "worst case n$", "billed n$"),
            [
                (each.attempt_id, each.request_id, each.status.value, str(each.worst_case_nanousd),
                 "–" if each.billed_nanousd is None else str(each.billed_nanousd))
                for each in result.open
            ],
            piped_width=_PIPED_WIDTH,
        )  # fmt: skip
    say(
        f"{result.lines} invoice lines, {result.attempts} attempts: {result.agreed} agree, "
        f"{len(result.differences)} differences ({result.error_nanousd} n$), {len(result.open)} open"
    )
