"""``forebay spend``: who spent how much, on what."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.terminal.saying import complain, print_json, say
from forebay.cli.terminal.tables import Column, Frame, print_table
from forebay.contract.json_lines import to_json
from forebay.contract.records import Spend, WindowKind

if TYPE_CHECKING:
    from forebay_agents.cost.reconciliation import Reconciliation

app = typer.Typer(add_completion=False, invoke_without_command=True, help="Spend by tenant, user, model and window.")


@app.callback()
def spend(
    context: typer.Context,
    window: Annotated[WindowKind, typer.Option(help="Length of the windows.")] = WindowKind.DAY,
    tenant: Annotated[str, typer.Option(help="Only this tenant.")] = "",
    user: Annotated[str, typer.Option(help="Only this user, by id or pseudonym.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a row.")] = False,
) -> None:
    """Rows of the topic ``spend``, newest window first."""
    if context.invoked_subcommand is not None:
        return
    from forebay.embedded.installation import installation
    from forebay.privacy.people.names import open_names
    from forebay_agents.cost import operations

    settings = installation()
    with operations.open_spend(settings) as view:
        query = operations.SpendQuery(window=window, tenant=tenant, user=user)
        rows = operations.spend(view, query, open_names(settings))
    if as_json:
        for row in rows:
            print_json(to_json(row))
        return
    _print(rows, window)


def _print(rows: list[Spend], window: WindowKind) -> None:
    # Eighty columns: what is zero in every row is left out.
    amounts = [(name, show) for name, show in _AMOUNTS.items() if name in _ALWAYS or any(map(_is_shown(name), rows))]
    columns = (
        window.value,
        "tenant/user",
        "model",
        *(Column(title=name, right=True, whole=True) for name, _ in amounts),
    )
    cells = [
        (
            _started(row, window), f"{row.tenant_id}/{row.user_id}", row.model.rpartition("/")[2],
            *(show(row) for _, show in amounts),
        )
        for row in rows
    ]  # fmt: skip
    print_table(columns, cells, frame=Frame.HEAD)


def _started(row: Spend, window: WindowKind) -> str:
    form = {WindowKind.HOUR: "%d %b %H:%M", WindowKind.DAY: "%Y-%m-%d", WindowKind.MONTH: "%Y-%m"}[window]
    return datetime.fromtimestamp(row.window_start / 1000, UTC).strftime(form)


def _dollars(nano: int) -> str:
    return f"{nano / 1e9:.7f}".rstrip("0") if 0 < nano < 1e7 else f"{nano / 1e9:.2f}"


_AMOUNTS: dict[str, Callable[[Spend], str]] = {
    "calls": lambda row: f"{row.calls:,}",
    "failed": lambda row: f"{row.failed:,}",
    "avoided": lambda row: f"{row.avoided:,}",
    "tokens": lambda row: f"{row.prompt_tokens + row.completion_tokens:,}",
    "US$": lambda row: _dollars(row.cost_nanousd),
    "pending": lambda row: _dollars(row.pending_nanousd),
    "saved": lambda row: _dollars(row.saved_nanousd),
}
_ALWAYS = frozenset({"calls", "tokens", "US$"})


def _is_shown(name: str) -> Callable[[Spend], bool]:
    show = _AMOUNTS[name]
    return lambda row: show(row) not in ("0", "0.00")


@app.command(help="Compare the ledger with a provider's invoice (CSV or JSON lines) and list every difference.")
def reconcile(
    invoice: Annotated[Path, typer.Option(help="The invoice: attempt_id, cost_nanousd or cost_usd, model, tokens.")],
    since: Annotated[str, typer.Option(help="Only calls that began since then: 2026-11-01, or an age: 6h, 2d.")] = "",
    until: Annotated[str, typer.Option(help="Only calls that began before then.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Exit status 1 when they differ. Attempts whose end nobody saw are listed apart: the invoice settles them."""
    from forebay.embedded.installation import installation
    from forebay.operations.choices import InvalidChoiceError
    from forebay_agents.cost import operations
    from forebay_agents.cost.invoice import InvoiceError

    try:
        statement = operations.Statement(invoice=invoice, since=since, until=until)
        result = operations.reconcile(statement, operations.read_ledger(installation()))
    except (InvoiceError, InvalidChoiceError, OSError) as error:
        complain(error)
        raise typer.Exit(2) from None
    if as_json:
        print_json(_as_json(result))
    else:
        _print_reconciliation(result)
    if result.differences:
        raise typer.Exit(1)


_PIPED_WIDTH = 200
"""Columns of a table that goes into a file or a pipe, where an id must not be broken over lines."""


def _as_json(result: "Reconciliation") -> dict[str, object]:
    return {**to_json(result), "error_nanousd": result.error_nanousd}


def _print_reconciliation(result: "Reconciliation") -> None:
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
