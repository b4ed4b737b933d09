"""``forebay cache``: explain and measure the decision; look after what is stored."""

import io
import json
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from agents.cache.evaluating import Labelled
    from agents.cache.matcher import CalibratedMatcher
    from agents.cache.redis_store import RedisStore
    from agents.cache.settings import CacheSettings
    from agents.cache.wiring import Parts

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
    from agents.cache.explaining import explain_lines

    good = True
    with _lines(file) as lines:
        for output, fine in explain_lines(lines, _matcher(delta)):
            good = good and fine
            _write(output)
    if not good:
        raise typer.Exit(1)


@app.command(help="Score labelled pairs {a, b, duplicate}: precision, recall, wrong hits, curves; plain cosine beside.")
def evaluate(file: File, delta: Delta = 0.01, as_json: Json = False) -> None:
    """Reads all lines; exit status 1 when one could not be read."""
    from agents.cache.evaluating import report

    found = report(_labelled(file, delta), delta)
    if as_json:
        _write(found)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("", "threshold", "hits", "wrong", "wrong share (95 %)", "recall", title=f"{found['pairs']} pairs")
    rows = {"Forebay": found["decision"], "score alone, best": found["score"]["best"]}
    rows["cosine alone, best"] = found["cosine"]["best"]
    for name, row in rows.items():
        if row is not None:
            low, high = row["wrong_hit_interval"]
            share = f"{row['wrong_hit_rate']:.2%} ({low:.2%} to {high:.2%})"
            cells = (f"{row['threshold']:.3f}", str(row["hits"]), str(row["wrong_hits"]), share)
            table.add_row(name, *cells, f"{row['recall'] or 0:.1%}")
    Console().print(table)
    for name in ("score", "cosine"):
        shares = ", ".join(
            f"≤ {float(share):.0%} wrong: {recall:.1%}"
            for share, recall in found[name]["recall_at_wrong_share"].items()
        )
        typer.echo(f"{name}: area {found[name]['area']:.3f}; recall at {shares}")


@app.command(help="Propose thresholds for a bound from labelled pairs {a, b, duplicate}.")
def tune(
    file: File,
    delta: Annotated[list[float] | None, typer.Option(help="Bound; may be given several times.")] = None,
    as_json: Json = False,
) -> None:
    """Set the one you like as ``cache.threshold``."""
    from agents.cache.evaluating import proposals

    rows = proposals(_labelled(file, 0.01), delta or [0.005, 0.01, 0.02, 0.05, 0.1])
    if as_json:
        for row in rows:
            _write(row)
        return
    for row in rows:
        if row["threshold"] is None:
            typer.echo(f"delta {row['delta']:g}: these pairs are too few to prove it")
        else:
            typer.echo(
                f"delta {row['delta']:g}: cache.threshold: {row['threshold']:.4f}  "
                f"({row['hits']} hits, {row['wrong_hits']} wrong, recall {row['recall']:.1%})"
            )


@app.command(help="What is stored, thresholds that adapted, and the live estimate of the share of wrong hits.")
def stats(as_json: Json = False) -> None:
    """Reads every entry's head: not for a hot path."""

    async def look() -> dict[str, Any]:
        from agents.cache.model import shipped
        from agents.cache.operating import stats as gather

        async with _store() as (store, own):
            return await gather(store, own, own.threshold or shipped().threshold(own.delta))

    found = _run(look())
    if as_json:
        _write(found)
        return
    for name, value in found.items():
        typer.echo(f"{name}: {value}")


@epochs.command("bump", help="Start a new epoch: all answers of the task (of all tasks without one) end now.")
def bump(task: Annotated[str | None, typer.Option(help="Task label.")] = None, as_json: Json = False) -> None:
    """For a new model, prompt or knowledge."""

    async def start() -> str:
        async with _store() as (store, _):
            return await store.bump_epoch(task)

    epoch = _run(start())
    _write({"task": task, "epoch": epoch}) if as_json else typer.echo(f"epoch {epoch}")


@app.command(help="Remove entries; all conditions that are given must hold.")
def purge(
    tenant: Annotated[str | None, typer.Option(help="Of this tenant.")] = None,
    user: Annotated[str | None, typer.Option(help="Of, or brought in by, this user of the tenant.")] = None,
    match: Annotated[str | None, typer.Option(help="With this text in question or answer.")] = None,
    as_json: Json = False,
) -> None:
    """At least one condition; --user needs --tenant."""
    if tenant is None and match is None:
        typer.echo("forebay: give --tenant (and --user), or --match", err=True)
        raise typer.Exit(2)

    async def remove() -> int:
        from agents.cache.operating import purge as remove_entries

        async with _store() as (store, _):
            return await remove_entries(store, tenant=tenant, user=user, match=match)

    removed = _run(remove())
    _write({"removed": removed}) if as_json else typer.echo(f"{removed} entries removed")


@app.command(help="Keep approved pairs {question | messages, answer, tenant_id?, task?, language?, …}, one a line.")
def warm(file: File = "-", as_json: Json = False) -> None:
    """Texts must be redacted already; exit status 1 when a line could not be read."""

    async def load() -> tuple[int, list[dict[str, Any]]]:
        from agents.cache.explaining import bad_line
        from agents.cache.operating import approved
        from agents.cache.operating import warm as keep
        from streams.json_lines import InvalidLineError

        kept, bad = 0, []
        async with _parts() as parts:
            with _lines(file) as lines:
                for line in lines:
                    if line.strip():
                        try:
                            request, answer = approved(_object(line))
                        except InvalidLineError as error:
                            bad.append(bad_line(error))
                            continue
                        await keep(parts.locator, parts.keeper, request, answer)
                        kept += 1
        return kept, bad

    kept, bad = _run(load())
    for problem in bad:
        _write(problem)
    _write({"kept": kept}) if as_json else typer.echo(f"{kept} answers kept", err=bool(bad))
    if bad:
        raise typer.Exit(1)


def _object(line: str) -> dict[str, Any]:
    from streams.json_lines import InvalidLineError

    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidLineError("not JSON") from None
    if not isinstance(content, dict):
        raise InvalidLineError("a line must be an object")
    return content


def _matcher(delta: float | None) -> "CalibratedMatcher":
    from agents.cache.settings import CacheSettings
    from agents.cache.wiring import calibrated
    from streams.settings import load

    own = load()[CacheSettings]
    return calibrated(own if delta is None else own.model_copy(update={"delta": delta, "threshold": None}))


def _labelled(file: str, delta: float) -> "Labelled":
    from agents.cache.evaluating import labelled
    from agents.cache.explaining import bad_line, decide, labelled_pair_of
    from streams.json_lines import InvalidLineError

    matcher, pairs, verdicts, good = _matcher(delta), [], [], True
    with _lines(file) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                pair = labelled_pair_of(line)
            except InvalidLineError as error:
                good = False
                sys.stderr.write(f"line {number}: {json.dumps(bad_line(error))}\n")
                continue
            pairs.append(pair)
            verdicts.append(decide(pair, matcher))
    if not good or not pairs:
        typer.echo("forebay: every line must be {a, b, duplicate}", err=True)
        raise typer.Exit(1)
    return labelled(pairs, verdicts)


@contextmanager
def _lines(file: str) -> Iterator[Iterable[str]]:
    if file == "-":
        # Bytes that are no UTF-8 spoil their line only, and only a line feed ends a line.
        yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace", newline="\n")
        return
    if not Path(file).is_file():
        typer.echo(f"forebay: there is no file {file}", err=True)
        raise typer.Exit(2)
    with Path(file).open(encoding="utf-8", errors="replace", newline="\n") as stream:
        yield stream


def _write(content: Any) -> None:
    sys.stdout.write(json.dumps(content, separators=(",", ":")) + "\n")  # orjson refuses ids beyond 64 bits
    sys.stdout.flush()


def _run(work: Any) -> Any:
    import asyncio

    from agents.cache.store import StoreUnavailableError

    try:
        return asyncio.run(work)
    except StoreUnavailableError as error:
        typer.echo(f"forebay: Redis does not answer ({error})", err=True)
        raise typer.Exit(2) from None


@asynccontextmanager
async def _store() -> AsyncIterator[tuple["RedisStore", "CacheSettings"]]:
    from agents.cache.redis_store import RedisStore
    from agents.cache.settings import CacheSettings
    from streams.cli.settings import installation
    from streams.redis_client import open_redis
    from streams.settings import RedisSettings

    settings = installation()
    async with open_redis(settings) as client:
        yield RedisStore(client, settings[RedisSettings].key_prefix), settings[CacheSettings]


def _parts() -> AbstractAsyncContextManager["Parts"]:
    @asynccontextmanager
    async def opened() -> AsyncIterator["Parts"]:
        from concurrent.futures import ThreadPoolExecutor

        from agents.cache.metrics import METRICS
        from agents.cache.wiring import assemble, calibrated

        async with _store() as (store, own):
            with ThreadPoolExecutor(1) as executor:
                yield assemble(store, calibrated(own), executor, own, METRICS)

    return opened()
