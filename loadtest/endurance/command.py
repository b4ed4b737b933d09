"""``python -m loadtest overload|soak|scale``: options in, JSON and Markdown out, progress on the terminal."""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

Output = Annotated[Path | None, typer.Option(help="Folder for the JSON and Markdown files.")]
Seed = Annotated[int, typer.Option(help="Of everything that is drawn.")]
Warm = Annotated[int, typer.Option(help="Requests before anything is measured.")]


def overload(
    highest: Annotated[float, typer.Option(min=1, help="Requests a second that are carried: `users --find` says it.")],
    times: Annotated[float, typer.Option(help="As many of them come.")] = 2.0,
    seconds: Annotated[float, typer.Option(help="Length of the excess.")] = 60.0,
    quiet_s: Annotated[float, typer.Option(help="Seconds of half of the highest rate behind it.")] = 60.0,
    deadline_s: Annotated[float, typer.Option(help="Of each request.")] = 5.0,
    seed: Seed = 1,
    warm: Warm = 1_000,
    output: Output = None,
) -> None:
    """Twice as much as is carried, then half: answers in time, who is told, when it is over; the oracle's verdict."""
    from loadtest.endurance.overload import Wanted, markdown, measure

    wanted = Wanted(
        highest=highest, times=times, seconds=seconds, quiet_s=quiet_s, deadline_s=deadline_s, seed=seed, warm=warm
    )
    _report("overload", lambda folder: measure(wanted, folder, _say), markdown, output)


def soak(
    rate: Annotated[float, typer.Option(min=1, help="Requests a second: 60 % of the highest.")],
    minutes: Annotated[float, typer.Option(help="How long.")] = 30.0,
    seed: Seed = 1,
    warm: Warm = 1_000,
    output: Output = None,
) -> None:
    """Half an hour of users, a kill -9 of each stage in it: nothing lost, and does memory or a file grow?"""
    from loadtest.endurance.soak import Wanted, markdown, measure

    wanted = Wanted(rate=rate, minutes=minutes, seed=seed, warm=warm)
    _report("soak", lambda folder: measure(wanted, folder, _say), markdown, output)


def scale(
    seconds: Annotated[float, typer.Option(help="Length of each step.")] = 60.0,
    places: Annotated[int, typer.Option(min=1, help="Calls at once of a worker.")] = 8,
    call_s: Annotated[float, typer.Option(help="Seconds that a call takes.")] = 4.0,
    seed: Seed = 1,
    output: Output = None,
) -> None:
    """1, 2, 4 workers of a stage with a slow provider: requests served, calls in flight, lag; 12 partitions."""
    from loadtest.endurance.scale import Wanted, markdown, measure

    wanted = Wanted(seconds=seconds, places=places, call_s=call_s, seed=seed)
    _report("scale", lambda folder: measure(wanted, folder, _say), markdown, output)


def _report(
    name: str,
    measure: Callable[[Path], Mapping[str, Any]],
    markdown: Callable[[Mapping[str, Any]], str],
    output: Path | None,
) -> None:
    """Measure in a folder of its own; exit status 1 if something was broken."""
    output = output and output.absolute()
    with tempfile.TemporaryDirectory(prefix=f"forebay-{name}-") as folder:
        found = measure(Path(folder))
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
        (output / f"{name}.md").write_text(markdown(found) + "\n", "utf-8")
    print(json.dumps(found, indent=2))
    print(markdown(found), file=sys.stderr)
    raise typer.Exit(int(bool(found["violations"])))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
