"""``forebay prices``: what calls cost, and why."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forebay.cli.terminal.saying import complain, print_json, refusal, say
from forebay.cli.terminal.tables import Column, print_table

if TYPE_CHECKING:
    from forebay_agents.models.prices.explaining import Explainer
    from forebay_agents.models.prices.operations import Listed
    from forebay_agents.models.pricing import ListPrice
    from forebay_agents.models.settings import ModelsSettings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Prices of models.")


@app.command("list", help="Show what each deployment costs now, since when, and who says so.")
def list_prices(as_json: Annotated[bool, typer.Option("--json", help="One JSON line a deployment.")] = False) -> None:
    """US dollars per million tokens, for short inputs without a service tier."""
    from forebay_agents.models.prices import operations

    found = operations.listed(*_priced())
    if as_json:
        for row in found:
            amounts = {kind: float(amount) for kind, amount in row.prices.items()}
            print_json(
                {"deployment": row.deployment, "tier": row.tier, "model": row.model, "priced": row.source is not None}
                | {"source": row.source, "from": row.since, "until": row.until, "usd_per_million": amounts}
            )
        return
    _print_listed(found)


@app.command(help="Say which deployments have no price, or one that is far from litellm's; exit status 1 if any.")
def check(as_json: Annotated[bool, typer.Option("--json", help="One JSON line a doubt.")] = False) -> None:
    """More than 20 % off is far."""
    from forebay_agents.models.prices import operations

    doubts = operations.check(*_priced())
    for doubt in doubts:
        ours = None if doubt.ours is None else float(doubt.ours)
        theirs = None if doubt.theirs is None else float(doubt.theirs)
        if as_json:
            print_json(
                {"deployment": doubt.deployment, "model": doubt.model, "problem": doubt.problem}
                | {"kind": doubt.kind, "usd_per_million": ours, "litellm_usd_per_million": theirs}
            )
        elif doubt.kind is None:
            say(f"{doubt.deployment}: {doubt.model} has no price: write one into models.prices")
        else:
            say(f"{doubt.deployment}: {doubt.model}: {doubt.kind} is {ours:g} $ per million, litellm has {theirs:g}")
    if doubts:
        raise typer.Exit(1)
    if not as_json:
        say("every deployment is priced")


@app.command(help="Show what a call costs and by which prices, or a JSON line for each JSON line of a file.")
def explain(
    model: Annotated[str, typer.Argument(help="litellm model name, or name of a deployment.")] = "",
    input_tokens: Annotated[int, typer.Option("--input", min=0, help="All input tokens.")] = 0,
    output: Annotated[int, typer.Option(min=0, help="All output tokens.")] = 0,
    cached: Annotated[int, typer.Option(min=0, help="Of the input: what the provider had cached.")] = 0,
    cache_write: Annotated[int, typer.Option(min=0, help="Of the input: what it wrote to its cache.")] = 0,
    cache_write_1h: Annotated[
        int, typer.Option("--cache-write-1h", min=0, help="Of the input: what it wrote there for an hour.")
    ] = 0,
    reasoning: Annotated[int, typer.Option(min=0, help="Of the output: reasoning.")] = 0,
    service_tier: Annotated[str, typer.Option(help="standard, batch, flex, priority …")] = "standard",
    at: Annotated[str, typer.Option(help="When the call began, UTC: 2026-11-01T12:00; by default now.")] = "",
    file: Annotated[str, typer.Option("--from", help="JSON lines with these options as keys; -: stdin.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Exit status 1 when a call cannot be priced."""
    if bool(model) == bool(file):
        raise refusal("name a model, or a file with --from")
    explainer = _explainer()
    if file:
        bad = 0
        with _lines(file) as lines:
            for line in lines:
                if line.strip():
                    found = explainer.line(line)
                    bad += "error" in found
                    print_json(found)
        raise typer.Exit(int(bad > 0))
    counts = {"input": input_tokens, "output": output, "cached": cached, "cache_write": cache_write}
    counts |= {"cache_write_1h": cache_write_1h, "reasoning": reasoning}
    found = explainer.line(_json({"model": model, **counts, "service_tier": service_tier, "at": at}))
    if as_json:
        print_json(found)
    elif "error" not in found:
        _print(found)
    if "error" in found:
        complain(found["error"]["message"])
        raise typer.Exit(1)


def _print_listed(found: "list[Listed]") -> None:
    numbers = [Column(title=name, right=True) for name in ("input", "cached", "output")]
    print_table(
        ["deployment", "model", *numbers, "since", "by"],
        [
            (
                row.deployment, row.model,
                *(f"{float(row.prices[kind]):g}" if row.prices else "" for kind in ("input", "cached_input", "output")),
                row.since or "", row.source or "nobody: unpriced",
            )
            for row in found
        ],
    )  # fmt: skip


def _explainer() -> "Explainer":
    from forebay_agents.models.prices.explaining import Explainer

    return Explainer(*_priced())


def _priced() -> "tuple[ModelsSettings, ListPrice]":
    from forebay.settings import load
    from forebay_agents.models.open_caller import litellm_prices
    from forebay_agents.models.settings import ModelsSettings

    return load()[ModelsSettings], litellm_prices()


def _json(call: dict[str, Any]) -> str:
    import json

    return json.dumps(call)


def _print(found: dict[str, Any]) -> None:
    numbers = [Column(title=name, right=True) for name in ("tokens", "$ per million", "n$")]
    columns: list[str | Column] = ["kind", *numbers, "as"]
    cells = [
        (
            part["kind"],
            f"{part['tokens']:,}",
            f"{part['usd_per_million']:g}",
            f"{part['nanousd']:,}",
            part.get("as", ""),
        )
        for part in found["parts"]
    ]
    print_table(columns, cells)
    since = f" from {found['from']}" if found["from"] else ""
    step = f", above {found['step']:,} input tokens" if found["step"] is not None else ""
    hours = ", off-peak" if found["off_peak"] else ""
    say(
        f"{found['cost_nanousd']:,} n$ = {found['cost_nanousd'] / 1e9:.9f} $, by {found['source']}{since}"
        f" ({found['service_tier']}{step}{hours})"
    )


@contextmanager
def _lines(file: str) -> Iterator[Iterable[str]]:
    if file == "-":
        yield (raw.decode("utf-8", "replace") for raw in sys.stdin.buffer)
        return
    if not Path(file).is_file():
        complain(f"there is no file {file}")
        raise typer.Exit(2)
    with Path(file).open(encoding="utf-8-sig", errors="replace", newline="\n") as stream:
        yield stream
