"""``forebay cache``: explain and measure the decision; look after what is stored."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forebay.cli.explaining import explained
from forebay.cli.terminal.saying import print_json, say
from forebay.cli.terminal.tables import print_table
from forebay_agents.cache.cli.loading import labelled_pairs, lines_of, matcher_for, run

if TYPE_CHECKING:
    from forebay.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Explain, measure and look after the cache.")
epochs = typer.Typer(no_args_is_help=True, help="Epochs: a new one ends all answers of a task.")
app.add_typer(epochs, name="epoch")

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
Delta = Annotated[float, typer.Option(min=0.0001, max=0.5, help="Largest share of wrong hits.")]
File = Annotated[str, typer.Argument(help="JSON lines; - is standard input.", metavar="FILE")]


@app.command(help="Decide on pairs: {id?, a, b} a line in, {id?, hit, similarity, threshold, score, reasons} out.")
def explain(
    file: File = "-",
    as_json: Annotated[bool, typer.Option("--json", help="Output is JSON lines in any case.")] = False,
    delta: Annotated[float | None, typer.Option(min=0.0001, max=0.5, help="Largest share of wrong hits.")] = None,
) -> None:
    """Needs no broker and no Redis; exit status 1 when a line could not be read."""
    del as_json
    from forebay_agents.cache.offline.explaining import explain_lines

    good = True
    with lines_of(file) as lines:
        for output, fine in explain_lines(lines, matcher_for(delta)):
            good = good and fine
            print_json(output)
    if not good:
        raise typer.Exit(1)


@app.command(help="Score labelled pairs {a, b, duplicate}: precision, recall, wrong hits, curves; plain cosine beside.")
def evaluate(file: File, delta: Delta = 0.01, as_json: Json = False) -> None:
    """Reads all lines; exit status 1 when one could not be read."""
    from forebay_agents.cache.offline.evaluating import report

    found = report(labelled_pairs(file, delta), delta)
    if as_json:
        print_json(found)
        return
    _print_evaluation(found)


def _print_evaluation(found: Mapping[str, Any]) -> None:
    rows = {"Forebay": found["decision"], "score alone, best": found["score"]["best"]}
    rows["cosine alone, best"] = found["cosine"]["best"]
    cells = []
    for name, row in rows.items():
        if row is not None:
            low, high = row["wrong_hit_interval"]
            share = f"{row['wrong_hit_rate']:.2%} ({low:.2%} to {high:.2%})"
            counts = (f"{row['threshold']:.3f}", str(row["hits"]), str(row["wrong_hits"]))
            cells.append((name, *counts, share, _percent(row["recall"])))
    titles = ("", "threshold", "hits", "wrong", "wrong share (95 %)", "recall")
    print_table(titles, cells, title=f"pairs: {found['pairs']}")
    for name in ("score", "cosine"):
        shares = ", ".join(
            f"≤ {float(share):.0%} wrong: {_percent(recall)}"
            for share, recall in found[name]["recall_at_wrong_share"].items()
        )
        area = found[name]["area"]
        say(f"{name}: area {'unknown' if area is None else format(area, '.3f')}; recall at {shares}")
    if found["duplicates"] in (0, found["pairs"]):
        say("all pairs have the same label: what is not known of them is left open", err=True)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


@app.command(help="Propose thresholds for a bound from labelled pairs {a, b, duplicate}.")
def tune(
    file: File,
    delta: Annotated[
        list[float] | None, typer.Option(min=0.0001, max=0.5, help="Bound; may be given several times.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Set the one you like as ``cache.threshold``."""
    from forebay_agents.cache.offline.evaluating import proposals

    rows = proposals(labelled_pairs(file, 0.01), delta or [0.005, 0.01, 0.02, 0.05, 0.1])
    if as_json:
        for row in rows:
            print_json(row)
        return
    for row in rows:
        if row["threshold"] is None:
            say(f"delta {row['delta']:g}: these pairs are too few to prove it")
        else:
            say(
                f"delta {row['delta']:g}: cache.threshold: {row['threshold']:.4f}  "
                f"({row['hits']} hits, {row['wrong_hits']} wrong, recall {_percent(row['recall'])})"
            )


@app.command(help="What is stored, thresholds that adapted, and the live estimate of the share of wrong hits.")
def stats(as_json: Json = False) -> None:
    """Reads every entry's head: not for a hot path."""

    from dataclasses import asdict

    from forebay_agents.cache import operations
    from forebay_agents.cache.settings import CacheSettings

    async def look(settings: "Settings") -> operations.CacheStats:
        async with operations.open_store(settings) as store:
            return await operations.stats(store, settings[CacheSettings])

    found = asdict(run(look))
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        say(f"{name}: {value}")


@epochs.command("bump", help="Start a new epoch: all answers of the task (of all tasks without one) end now.")
def bump(task: Annotated[str | None, typer.Option(help="Task label.")] = None, as_json: Json = False) -> None:
    """For a new model, prompt or knowledge."""
    from forebay.operations.audit.opening import recorder
    from forebay_agents.cache import operations

    async def start(settings: "Settings") -> str:
        async with operations.open_store(settings) as store:
            return await operations.start_epoch(store, task, recorder(settings))

    with explained():
        epoch = run(start)
    print_json({"task": task, "epoch": epoch}) if as_json else say(f"epoch {epoch}")


@app.command(help="Remove entries; all conditions that are given must hold.")
def purge(
    tenant: Annotated[str | None, typer.Option(help="Of this tenant.")] = None,
    user: Annotated[str | None, typer.Option(help="Of, or brought in by, this user (id or pseudonym).")] = None,
    match: Annotated[str | None, typer.Option(help="With this text in question or answer.")] = None,
    as_json: Json = False,
) -> None:
    """At least one condition; --user needs --tenant. For --user and --match the vault's key is needed."""
    from forebay.operations.audit.opening import recorder
    from forebay.privacy.people.names import open_names
    from forebay.privacy.sealing import load_keyring
    from forebay.settings import VaultSettings
    from forebay_agents.cache import operations

    with explained():
        what = operations.Purge(tenant=tenant, user=user, match=match)

    async def remove(settings: "Settings") -> int:
        async with operations.open_store(settings) as store:
            keyring = partial(load_keyring, settings[VaultSettings])
            return await operations.purge(store, what, recorder(settings), keyring, open_names(settings))

    with explained():
        removed = run(remove)
    print_json({"removed": removed}) if as_json else say(f"{removed} entries removed")


@app.command(help="Keep approved pairs {question | messages, answer, tenant_id?, task?, language?, …}, one a line.")
def warm(file: File = "-", as_json: Json = False) -> None:
    """Texts must be redacted already; exit status 1 when a line could not be read."""

    from forebay.operations.audit.opening import recorder
    from forebay_agents.cache import operations

    async def load(settings: "Settings") -> operations.Warmed:
        async with operations.open_parts(settings) as parts:
            with lines_of(file) as lines:
                return await operations.warm(parts, lines, recorder(settings))

    with explained():
        done = run(load)
    for bad in done.bad:
        print_json({"error": {"code": "invalid_request", "message": bad.message}})
    print_json({"kept": done.kept}) if as_json else say(f"{done.kept} answers kept", err=bool(done.bad))
    if done.bad:
        raise typer.Exit(1)
