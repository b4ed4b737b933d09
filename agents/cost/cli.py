"""``forebay spend``: who spent how much, on what."""

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
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table

    table = Table(
        window.value, "tenant", "user", "model", "calls", "failed", "avoided", "tokens", "US$", "pending", "saved"
    )
    for column in table.columns[4:]:
        column.justify = "right"
    for row in rows:
        table.add_row(
            f"{datetime.fromtimestamp(row.window_start / 1000, UTC):%Y-%m-%d %H:%M}",
            row.tenant_id,
            row.user_id,
            row.model,
            str(row.calls),
            str(row.failed),
            str(row.avoided),
            f"{row.prompt_tokens + row.completion_tokens:,}",
            *(f"{amount / 1e9:.6f}" for amount in (row.cost_nanousd, row.pending_nanousd, row.saved_nanousd)),
        )
    Console().print(table)
