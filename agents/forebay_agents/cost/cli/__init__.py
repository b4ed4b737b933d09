"""``forebay spend``: who spent how much, on what."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.explaining import explained
from forebay.cli.terminal.saying import print_json, refusal, say
from forebay.cli.terminal.tables import Column, Frame, print_table
from forebay.contract.clock import now_s
from forebay.contract.records import WindowKind
from forebay_agents.cost.cli.files import FROM, lines_of, tell_left_out
from forebay_agents.cost.cli.invoices import reconcile
from forebay_agents.cost.cli.rebuilding import rebuild

if TYPE_CHECKING:
    from forebay.settings import Settings
    from forebay_agents.cost.spending.facts import Amounts
    from forebay_agents.cost.spending.grouping import Key, Spending, SpendQuery

app = typer.Typer(
    add_completion=False, invoke_without_command=True, help="Spend by tenant, user, model, tier, purpose and time."
)


@app.callback()
def spend(
    context: typer.Context,
    by: Annotated[
        str,
        typer.Option(
            help="Of tenant,user,model,tier,purpose,key,task,label:NAME,hour,day,month; day,tenant,user,model."
        ),
    ] = "",
    window: Annotated[WindowKind | None, typer.Option(help="W means --by W,tenant,user,model.")] = None,
    since: Annotated[str, typer.Option(help="Only what began since then: 2026-11-01, or an age: 6h, 2d.")] = "",
    until: Annotated[str, typer.Option(help="Only what began before then.")] = "",
    tenant: Annotated[str, typer.Option(help="Only this tenant.")] = "",
    user: Annotated[str, typer.Option(help="Only this user, by id or pseudonym.")] = "",
    top: Annotated[int | None, typer.Option(min=1, help="Only so many groups, the dearest first.")] = None,
    zone: Annotated[str, typer.Option(help="Zone of days and months: Europe/Berlin, +02:00; by default UTC.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a group, the total last.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a row `total`.")] = False,
    file: Annotated[str, typer.Option("--from", help=FROM)] = "",
) -> None:
    """Sums by group, newest first, and their total; money is US dollars, in JSON and CSV nano-dollars."""
    if context.invoked_subcommand is not None:
        return
    if window is not None and by:
        raise refusal("--window and --by exclude each other")
    if as_json and as_csv:
        raise refusal("--json and --csv exclude each other")
    from forebay_agents.cost import operations

    chosen = f"{window.value},tenant,user,model" if window is not None else by
    with explained():
        query = operations.query_of(by=chosen, since=since, until=until, tenant=tenant, user=user, top=top, zone=zone)
        found, as_of = _from_file(query, file) if file else _from_brokers(query, with_age=not (as_json or as_csv))
    if as_json:
        _print_json(found)
    elif as_csv:
        _print_csv(found)
    else:
        _print(found, query.zone)
        say(as_of)


def _from_file(query: "SpendQuery", file: str) -> "tuple[Spending, str]":
    from forebay.privacy.people.names import open_names
    from forebay.settings import load
    from forebay_agents.cost import operations

    with lines_of(file) as lines:
        found = operations.spend_of_entries(lines, query, open_names(load()))
    tell_left_out(lines)
    return found, f"from {'standard input' if file == '-' else file}"


def _from_brokers(query: "SpendQuery", *, with_age: bool) -> "tuple[Spending, str]":
    from forebay.embedded.installation import installation
    from forebay.privacy.people.names import open_names
    from forebay_agents.cost import operations

    settings = installation()
    names = open_names(settings)
    if query.needs_ledger:
        found = operations.spend_of_entries(operations.read_entries(settings), query, names)
        return found, f"as of {_now()}, from the ledger"
    read = operations.in_hours(query)
    if (read.since_ms, read.until_ms) != (query.since_ms, query.until_ms):
        begin, end = _utc(read.since_ms), _utc(read.until_ms)
        say(f"sums are by the hour: from {begin or 'the first'} until {end or 'now'}", err=True)
    with operations.open_spend(settings) as view:
        found = operations.spend(view, query, names)
    return found, f"as of {_now()}{_behind(settings) if with_age else ''}"


def _behind(settings: "Settings") -> str:
    from forebay_agents.cost import operations

    waiting = operations.behind(settings)
    return f"; {waiting.records:,} entries of the ledger, {waiting.seconds:.0f} s, are not in yet" if waiting else ""


def _now() -> str:
    return datetime.fromtimestamp(now_s(), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _utc(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def _keys(by: "Iterable[str]", keys: "Iterable[Key]") -> dict[str, "str | None"]:
    return {name: _utc(key) if isinstance(key, int) else key for name, key in zip(by, keys, strict=True)}


def _print_json(found: "Spending") -> None:
    for group in found.groups:
        print_json(_keys(found.by, group.keys) | group.amounts._asdict())
    print_json({"total": True, **found.total._asdict()})


def _print_csv(found: "Spending") -> None:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*found.by, *found.total._fields])
    for group in found.groups:
        writer.writerow([*_keys(found.by, group.keys).values(), *group.amounts])
    writer.writerow(["total", *[""] * (len(found.by) - 1), *found.total])
    say(text.getvalue().removesuffix("\n"), lines=True)


def _print(found: "Spending", zone: tzinfo) -> None:
    # What is zero in all is left out; ids are never cut, whatever the width.
    amounts = [(name, show) for name, show in _AMOUNTS.items() if name in _ALWAYS or show(found.total) not in _ZERO]
    columns = [
        *(Column(title=name, whole=True) for name in found.by),
        *(Column(title=name, right=True, whole=True) for name, _ in amounts),
    ]
    cells = [
        (
            *(_cell(name, key, zone) for name, key in zip(found.by, group.keys, strict=True)),
            *(show(group.amounts) for _, show in amounts),
        )
        for group in found.groups
    ]
    total = ("total", *[""] * (len(found.by) - 1), *(show(found.total) for _, show in amounts))
    widths = [max(map(len, column)) for column in zip([one.title for one in columns], total, *cells, strict=True)]
    print_table(columns, [*cells, total], frame=Frame.HEAD, least_width=sum(widths) + 3 * len(widths))


def _cell(name: str, key: "Key", zone: tzinfo) -> str:
    if not isinstance(key, int):
        return key
    form = {"hour": "%d %b %H:%M", "day": "%Y-%m-%d", "month": "%Y-%m"}[name]
    return datetime.fromtimestamp(key / 1000, zone).strftime(form)


def _dollars(nano: int) -> str:
    return f"{nano / 1e9:.7f}".rstrip("0") if 0 < abs(nano) < 1e7 else f"{nano / 1e9:,.2f}"


_AMOUNTS: "dict[str, Callable[[Amounts], str]]" = {
    "calls": lambda row: f"{row.calls:,}",
    "failed": lambda row: f"{row.failed:,}",
    "avoided": lambda row: f"{row.avoided:,}",
    "unpriced": lambda row: f"{row.unpriced_calls:,}",
    "tokens": lambda row: f"{row.input_tokens + row.output_tokens:,}",
    "US$": lambda row: _dollars(row.cost_nanousd),
    "pending": lambda row: _dollars(row.pending_nanousd),
    "saved: cache": lambda row: _dollars(row.saved_cache_nanousd),
    "tier": lambda row: _dollars(row.saved_tier_nanousd),
    "cut": lambda row: _dollars(row.saved_compression_nanousd),
}
_ALWAYS = frozenset({"calls", "tokens", "US$"})
_ZERO = ("0", "0.00")


app.command(help="Compare the ledger with a provider's invoice (CSV or JSON): call by call, or sums by day and model.")(
    reconcile
)
app.command(help="Make what the cost stage knows anew from the ledger, while none of its workers runs.")(rebuild)
