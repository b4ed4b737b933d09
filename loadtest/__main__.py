"""``python -m loadtest …``: measurements, against a broker that the environment names or an embedded one."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from loadtest.ending import end_in_order
from loadtest.endurance.command import overload, scale, soak
from loadtest.peers.command import peers
from loadtest.under_fire import canaries, hostile, invoice
from loadtest.users.command import users

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as for the stages: see streams/forebay/cli/main.py
app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command("hop-child", hidden=True)
def hop_child(kind: str) -> None:
    """One process of the hop measurement."""
    from loadtest.measurements.hop import main_of_child

    main_of_child(kind)


@app.command()
def hop(
    records: Annotated[int, typer.Option(help="Records to copy with each kind of hop.")] = 50_000,
    rate: Annotated[int, typer.Option(help="Records per second of the latency measurement.")] = 100,
    seconds: Annotated[int, typer.Option(help="Length of the latency measurement.")] = 20,
) -> None:
    """Cost of one hop: pass-through stage, stock Faust and bare aiokafka in one run."""
    from loadtest.measurements.hop import report

    print(json.dumps(report(_broker(), records, rate, seconds), indent=2))


@app.command("pieces-child", hidden=True)
def pieces_child(kind: str, streams: int, seconds: float) -> None:
    """One process of the measurement of pieces."""
    from loadtest.measurements.live_pieces import main_of_child

    main_of_child(kind, streams, seconds)


@app.command()
def pieces(
    streams: Annotated[int, typer.Option(help="Answers at once, at 25 pieces a second each.")] = 40,
    seconds: Annotated[float, typer.Option(help="Length of each measurement.")] = 10.0,
) -> None:
    """CPU time of a piece of a live answer, at completion and at a door."""
    from loadtest.measurements.live_pieces import report

    print(json.dumps(report(_broker(), streams, seconds)))


def _broker() -> str:
    bootstrap = os.environ.get("FOREBAY_KAFKA_BOOTSTRAP")
    if not bootstrap:
        raise typer.BadParameter(
            "FOREBAY_KAFKA_BOOTSTRAP must name a broker; `forebay up --workers none --detach` starts one, "
            "`forebay status` tells its port"
        )
    return bootstrap


@app.command()
def chain(
    rate: Annotated[float, typer.Option(help="Requests per second.")] = 20.0,
    seconds: Annotated[float, typer.Option(help="Length of the measurement.")] = 30.0,
) -> None:
    """Latency that the whole chain adds, with a model that answers at once, by stage."""
    from loadtest.measurements.chain import report

    print(json.dumps(report(rate, seconds), indent=2))


@app.command()
def calls(
    url: Annotated[str, typer.Argument(help="Base URL of `python -m loadtest.provider`, with /v1.")],
    calls: Annotated[int, typer.Option(help="Calls of each way.")] = 400,
    at_once: Annotated[int, typer.Option(help="Calls in flight.")] = 8,
) -> None:
    """CPU time of a call of a model, straight and through litellm."""
    from loadtest.calls import report

    for line in report(url, calls, at_once):
        print(json.dumps(line))


@app.command()
def cpu(
    rate: Annotated[float, typer.Option(help="Requests per second.")] = 8.0,
    seconds: Annotated[float, typer.Option(help="Length of the measurement under load.")] = 40.0,
    idle_s: Annotated[float, typer.Option(help="Length of the measurement with nothing asked.")] = 25.0,
) -> None:
    """CPU time of each process: a request's, and a second's in which nothing is asked."""
    from loadtest.measurements.cpu import report

    print(json.dumps(report(rate, seconds, idle_s), indent=2))


@app.command()
def chats(
    file: Annotated[Path, typer.Argument(help="JSON lines: source, turns (text, spans).")],
    limit: Annotated[int, typer.Option(help="Conversations to read.")] = 1_000_000,
    every: Annotated[int, typer.Option(help="Read one of so many.")] = 1,
) -> None:
    """What leaks of customers' answers, by label and source, with questions of our own put before them."""
    from loadtest.measurements.chats import report

    print(json.dumps(report(file, limit, every), indent=2))


@app.command()
def flood(
    seconds: Annotated[float, typer.Option(help="Length of each of the two measurements.")] = 12.0,
    rate: Annotated[float, typer.Option(help="Requests per second of the flooding tenant.")] = 30.0,
) -> None:
    """What a quiet tenant waits, alone and while another one floods: the whole chain, two minutes at most."""
    from loadtest.measurements.flood import report

    print(json.dumps(report(seconds, rate), indent=2))


@app.command()
def outage(
    rate: Annotated[float, typer.Option(help="Requests per second.")] = 4.0,
    small_down_s: Annotated[float, typer.Option(help="Seconds for which the small tier is down.")] = 300.0,
    all_down_s: Annotated[float, typer.Option(help="Seconds for which everything is down then.")] = 120.0,
) -> None:
    """The small tier down, then everything, then all back, under load: who was served when, and how late."""
    from loadtest.measurements.outage import report

    print(json.dumps(report(rate, small_down_s, all_down_s), indent=2))


@app.command()
def redaction(
    file: Annotated[Path, typer.Argument(help="JSON lines with a text each.")] = Path(
        "tests/data/redaction-corpus.jsonl"
    ),
    limit: Annotated[int, typer.Option(help="Texts, at most.")] = 400,
    at_once: Annotated[
        int, typer.Option("--at-once", min=1, help="Texts that Forebay is given together: the stage reads up to 8.")
    ] = 1,
    half_load: Annotated[
        bool, typer.Option("--half-load", help="Instead: how late the stage alone is at half of what it can do.")
    ] = False,
    backlog: Annotated[int, typer.Option(help="Requests from which --half-load tells what the stage can do.")] = 2_000,
    seconds: Annotated[float, typer.Option(help="Length of --half-load itself.")] = 40.0,
) -> None:
    """CPU time of redaction and of stock Presidio on the same texts; needs no broker but for --half-load."""
    from loadtest.measurements import redaction, redaction_load

    found = redaction_load.report(backlog, seconds) if half_load else redaction.report(file, limit, at_once=at_once)
    print(json.dumps(found, indent=2))


@app.command("cache")
def cache(
    requests: Annotated[int, typer.Option(help="Requests of the simulation.")] = 50_000,
    delta: Annotated[float, typer.Option(help="Largest share of wrong hits.")] = 0.01,
    static: Annotated[bool, typer.Option(help="Learn nothing, explore nothing.")] = False,
    literal: Annotated[float, typer.Option(help="Share of topics in which other words want another answer.")] = 0.0,
) -> None:
    """Zipf-distributed questions with known answers through the cache: hits, wrong hits, money saved."""
    import asyncio

    from loadtest.scenarios.cache import simulate

    print(json.dumps(asyncio.run(simulate(requests, delta, adaptive=not static, literal=literal)), indent=2))


@app.command("cache-speed")
def cache_speed(
    entries: Annotated[int, typer.Option(help="Questions in the partition.")] = 100_000,
    lookups: Annotated[int, typer.Option(help="Look-ups of each kind.")] = 2_000,
    encoded: Annotated[
        int, typer.Option(help="Questions whose vectors the encoder makes; the others' are drawn like those.")
    ] = 5_000,
) -> None:
    """Time of a look-up, memory of an entry, recall of the vector search."""
    from loadtest.measurements.cache_speed import report

    print(json.dumps(report(entries, lookups, encoded), indent=2))


@app.command()
def compress(
    file: Annotated[Path | None, typer.Argument(help="Lines {context, question, answer}; by default our own.")] = None,
) -> None:
    """Answers that survive ``forebay compress``, beside keeping the head, random sentences and BM25."""
    from loadtest.measurements.compression import report

    for row in report(file):
        print(json.dumps(row))


@app.command("record-tiers")
def record_tiers(prompts: Annotated[int, typer.Option(help="How many.")] = 200) -> None:
    """Rows for ``forebay tiers simulate`` from the two local models, as JSON lines."""
    from loadtest.measurements.local_tiers import record

    for row in record(prompts):
        print(json.dumps(row), flush=True)


@app.command("tier-table")
def tier_table(
    workload: Annotated[str, typer.Option(help="help_desk or mixed.")] = "help_desk",
    requests: Annotated[int, typer.Option(help="Questions; each is asked of three models.")] = 10_000,
) -> None:
    """Cost and quality of large-only, small-only, untuned, tuned and oracle on simulated models."""
    from loadtest.measurements.tier_table import report

    print(json.dumps(report(workload, requests), indent=2))


@app.command("door-echo", hidden=True)
def door_echo() -> None:
    """What answers where only the door is measured."""
    from forebay.settings import load
    from loadtest.door.echo import echo

    echo(load())


@app.command()
def history(
    requests: Annotated[int, typer.Option(min=1, help="How many.")] = 20_000,
    out: Annotated[Path, typer.Option(help="The file; one that is there is added to.")] = Path("history.db"),
    days: Annotated[float, typer.Option(min=0.01, help="In how many days until now.")] = 7.0,
    seed: Annotated[int, typer.Option(help="The same makes the same.")] = 1,
) -> None:
    """A history of plausible requests, by the recorder's own writer: letters, alerts and spend included."""
    from loadtest.history.command import make

    print(json.dumps(make(out, requests, days=days, seed=seed), indent=2))


@app.command("history-speed")
def history_speed(
    requests: Annotated[int, typer.Option(min=1_000, help="How many.")] = 50_000,
    asked: Annotated[int, typer.Option(help="Requests in the history that is asked; 0: none is made.")] = 0,
) -> None:
    """The recorder on topics of the broker that the environment names: requests a CPU second, bytes, queries."""
    from loadtest.history.speed import report

    print(json.dumps(report(_broker(), requests, asked), indent=2))


@app.command()
def door(
    seconds: Annotated[float, typer.Option(help="Length of each measurement.")] = 15.0,
    parts: Annotated[
        str, typer.Option(help="alone, streams, stopped, added, first, with commas; all by default.")
    ] = "",
    proxy: Annotated[
        Path | None, typer.Option(help="bin/litellm of an environment with litellm[proxy], to be measured beside.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Requests a second of `added`.")] = 20.0,
) -> None:
    """The HTTP door: CPU a request, memory and health with 1,000 streams, its end under load, what it adds."""
    from loadtest.door.figures import report

    print(json.dumps(report(seconds, parts, proxy, rate), indent=2))


@app.command()
def budget(
    rejections: Annotated[int, typer.Option(help="Requests without money behind them, one after another.")] = 2_000,
    crowd: Annotated[int, typer.Option(help="Requests at once against a budget for 100.")] = 1_000,
) -> None:
    """Time of a rejection for want of money, and what a crowd can spend; on an embedded Redis."""
    from loadtest.measurements.budget import report

    print(json.dumps(report(rejections, crowd), indent=2))


app.command("canaries")(canaries)
app.command("hostile")(hostile)
app.command("invoice")(invoice)
app.command("overload")(overload)
app.command("peers")(peers)
app.command("scale")(scale)
app.command("soak")(soak)
app.command("users")(users)
end_in_order()
app()
