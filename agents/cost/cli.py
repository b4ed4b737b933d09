"""``forebay spend``: who spent how much, on what."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer

from streams.json_lines import to_json
from streams.records import Spend, WindowKind

app = typer.Typer(add_completion=False, invoke_without_command=True, help="Spend by tenant, user, model and window.")


@app.callback()
def spend(
    context: typer.Context,
    window: Annotated[WindowKind, typer.Option(help="Length of the windows.")] = WindowKind.DAY,
    tenant: Annotated[str, typer.Option(help="Only this tenant.")] = "",
    user: Annotated[str, typer.Option(help="Only this user.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a row.")] = False,
) -> None:
    """Rows of the topic ``spend``, newest window first."""
    if context.invoked_subcommand is not None:
        return
    from agents.cost.rows import spend_rows
    from streams.cli.settings import installation

    rows = [
        row
        for row in spend_rows(installation())
        if row.window is window and (not tenant or row.tenant_id == tenant) and (not user or row.user_id == user)
    ]
    rows.sort(key=lambda row: (-row.window_start, row.tenant_id, row.user_id, row.model))
    if as_json:
        for row in rows:
            typer.echo(orjson.dumps(to_json(row)).decode())
        return
    _print(rows, window)


def _print(rows: list[Spend], window: WindowKind) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(window.value, "tenant/user", "model", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    # Eighty columns: what is zero in every row is left out.
    amounts = [(name, show) for name, show in _AMOUNTS.items() if name in _ALWAYS or any(map(_is_shown(name), rows))]
    for name, _ in amounts:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        names = (_started(row, window), f"{row.tenant_id}/{row.user_id}", row.model.rpartition("/")[2])
        table.add_row(*names, *(show(row) for _, show in amounts))
    Console().print(table)


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
