"""Commands that look for what breaks: invoices under faults, hostile texts, personal data where it must not be."""

import json
from typing import Annotated

import typer


def invoice(
    requests: Annotated[int, typer.Option(help="Each is a call; a tenth are judged by a second one.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Another one has other faults.")] = 1,
) -> None:
    """Does spend equal the provider's invoice, with workers killed, entries doubled and replayed, and a wrong clock?"""
    from loadtest.scenarios.invoice import report

    found = report(requests, seed)
    print(json.dumps(found, indent=2))
    raise typer.Exit(int(bool(found["differences"])))


def hostile(
    only: Annotated[str, typer.Argument(help="Part of the names of the readers to try; by default all.")] = "",
    seed: Annotated[int, typer.Option(help="Another one breeds other texts.")] = 1,
    each: Annotated[int, typer.Option(help="Texts bred for each pattern.")] = 12,
    rounds: Annotated[int, typer.Option(help="How often the slowest of them are varied.")] = 15,
) -> None:
    """Texts bred to keep a pattern busy, of redaction and of the last check: fails if one is slower than it may be."""
    from loadtest.hostile.report import report

    slow = 0
    for row in report(only, seed, each, rounds):
        print(json.dumps(row, ensure_ascii=False), flush=True)
        slow += not row["ok"]
    raise typer.Exit(min(slow, 1))


def canaries(
    seconds: Annotated[float, typer.Option(help="How long.")] = 120.0,
    rate: Annotated[float, typer.Option(help="Requests per second, each with personal data of six kinds.")] = 10.0,
) -> None:
    """Personal data in every request, through a failing provider: is any of it where it must not be?"""
    from loadtest.canaries import main

    raise typer.Exit(main(seconds, rate))
