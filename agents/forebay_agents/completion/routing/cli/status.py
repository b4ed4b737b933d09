"""``forebay tiers status``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.terminal.saying import complain, print_json
from forebay.cli.terminal.tables import Column, print_table
from forebay.embedded.discovery import DATA_DIR

if TYPE_CHECKING:
    from forebay_agents.completion.routing.status import TiersReport

Metrics = Annotated[
    list[str] | None,
    typer.Option("--metrics", help="Address of a worker's /metrics; several times for several workers."),
]


def status(
    metrics: Metrics = None,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Data folder of the embedded stack.")] = Path(DATA_DIR),
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Exit status 1 when no worker that calls models answered, 2 when the configuration cannot be read."""
    from forebay.settings import ConfigurationError, load
    from forebay_agents.completion import operations
    from forebay_agents.models.settings import ModelsSettings

    try:
        tiers = load()[ModelsSettings].tiers
    except ConfigurationError as error:
        complain(error)
        raise typer.Exit(2) from None
    addresses = list(metrics or embedded(data_dir))
    found = operations.status(tiers, addresses)
    if as_json:
        print_json(found.report, indent=True)
    else:
        _show(found.report)
    for address in found.silent:
        complain(f"{address} does not answer")
    if not found.report.workers:
        where = "" if addresses else ": no stack runs here; name its address with --metrics"
        complain(f"no worker that calls models was found{where}")
        raise typer.Exit(1)


def embedded(data_dir: str | Path) -> list[str]:
    """Addresses of the workers of the stack that runs in ``data_dir``."""
    from forebay.embedded.supervision.state import live

    state = live(Path(data_dir))
    rows = state.processes if state else ()
    return [f"http://127.0.0.1:{row.health_port}/metrics" for row in rows if row.health_port]


def _show(found: "TiersReport") -> None:
    versions = ", ".join(found.router.versions) or "unknown"
    titles = ("breaker", "in flight", "errors", "p95", "failed", "cost")
    rows = [
        (
            f"{tier.name}/{one.name}",
            one.breaker or "-",
            "-" if one.in_flight is None else f"{one.in_flight} of {one.limit}",
            "-" if one.recent_error_share is None else f"{one.recent_error_share:.0%}",
            "-" if one.p95_s is None else f"{one.p95_s:.2f} s",
            f"{one.failed_calls} of {one.calls}",
            f"${one.cost_usd:.6f}",
        )
        for tier in found.tiers
        for one in tier.deployments
    ]
    columns = (Column(title="deployment", whole=True), *titles)
    print_table(columns, rows, title=f"{found.workers} workers, router: {versions}")
