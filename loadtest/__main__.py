"""``python -m loadtest …``: measurements, against a broker that the environment names or an embedded one."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command("hop-child", hidden=True)
def hop_child(kind: str) -> None:
    """One process of the hop measurement."""
    from loadtest.hop import main_of_child

    main_of_child(kind)


@app.command()
def hop(
    records: Annotated[int, typer.Option(help="Records to copy with each kind of hop.")] = 50_000,
    rate: Annotated[int, typer.Option(help="Records per second of the latency measurement.")] = 100,
    seconds: Annotated[int, typer.Option(help="Length of the latency measurement.")] = 20,
) -> None:
    """Cost of one hop: pass-through stage, stock Faust and bare aiokafka in one run."""
    from loadtest.hop import report

    print(json.dumps(report(os.environ["FOREBAY_KAFKA_BOOTSTRAP"], records, rate, seconds), indent=2))


@app.command()
def compress(
    file: Annotated[Path | None, typer.Argument(help="Lines {context, question, answer}; by default our own.")] = None,
) -> None:
    """Answers that survive ``forebay compress``, beside keeping the head, random sentences and BM25."""
    from loadtest.compression import report

    for row in report(file):
        print(json.dumps(row))


@app.command("record-tiers")
def record_tiers(prompts: Annotated[int, typer.Option(help="How many.")] = 200) -> None:
    """Rows for ``forebay tiers simulate`` from the two local models, as JSON lines."""
    from loadtest.local_tiers import record

    for row in record(prompts):
        print(json.dumps(row), flush=True)


app()
