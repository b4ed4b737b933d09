"""``python -m loadtest users``: options in, JSON and Markdown out, progress on the terminal."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from loadtest.users.hits import Hits
from loadtest.users.profiling import NoProfilerError, profiler


def users(
    count: Annotated[int, typer.Option("--users", min=1, help="How many think and ask.")] = 1_200,
    think_s: Annotated[float, typer.Option(help="Seconds between two questions of a user, on average.")] = 60.0,
    rate: Annotated[
        float | None, typer.Option(help="Requests a second, in place of --users: as many users as make it.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Length of each rate.")] = 60.0,
    find: Annotated[bool, typer.Option("--find", help="The highest rate with p95 < 3 s, by bisection.")] = False,
    hits: Annotated[Hits, typer.Option(help="Which questions: the mix, only known ones, only new ones.")] = Hits.MIX,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 1,
    warm: Annotated[int, typer.Option(help="Requests before anything is measured.")] = 1_000,
    idle_s: Annotated[float, typer.Option(help="Seconds of looking while nothing is asked.")] = 20.0,
    instant: Annotated[bool, typer.Option("--instant", help="A provider that takes 0 ms and never fails.")] = False,
    layout: Annotated[str, typer.Option(help="Which stages share a process, as of `forebay up`.")] = "",
    profile: Annotated[Path | None, typer.Option(help="Folder for py-spy's raw profiles of all workers.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for users.json and users.md.")] = None,
) -> None:
    """Users who think and ask, on a stack of its own: latency from when a request was due, CPU by process, verdict."""
    from loadtest.users.report import as_json, markdown
    from loadtest.users.run import Wanted, measure

    if profile is not None:
        try:
            profiler()
        except NoProfilerError as error:
            raise typer.BadParameter(str(error)) from None
    wanted = Wanted(
        users=count if rate is None else max(1, round(rate * think_s)),
        think_s=think_s,
        seconds=seconds,
        hits=hits,
        seed=seed,
        warm=warm,
        idle_s=idle_s,
        find=find,
        real=not instant,
        layout=layout,
        profile=profile and profile.absolute(),
    )
    output = output and output.absolute()
    with tempfile.TemporaryDirectory(prefix="forebay-users-") as folder:
        found = measure(wanted, Path(folder), lambda text: print(text, file=sys.stderr, flush=True))
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / "users.json").write_text(json.dumps(as_json(found), indent=2) + "\n", "utf-8")
        (output / "users.md").write_text(markdown(found) + "\n", "utf-8")
    print(json.dumps(as_json(found), indent=2))
    print(markdown(found), file=sys.stderr)
    raise typer.Exit(int(not (found.highest if find else found.trials[-1].holds)))
