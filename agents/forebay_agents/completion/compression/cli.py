"""``forebay compress``: shorter prompts, line by line, without a broker."""

import gc
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from forebay.cli.terminal.saying import complain, print_json, say

app = typer.Typer(add_completion=False)


@app.command(help="Shorten {context, question} or {messages}, a JSON line each, to a share of their tokens.")
def compress(
    file: Annotated[str, typer.Argument(help="JSON lines; - is standard input.")] = "-",
    keep: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="At most this share of the tokens, but for what is protected.")
    ] = 0.6,
    as_json: Annotated[bool, typer.Option("--json", help="No summary; output is JSON anyway.")] = False,
) -> None:
    """Exit status 1 when a line could not be read."""
    from forebay_agents.completion.compression.offline_lines import compressed_line

    gc.freeze()  # the collector looking at imported modules again and again costs a quarter of the time
    before = after = bad = 0
    with _lines(file) as lines:
        for line in lines:
            if not line.strip():
                continue
            found, good = compressed_line(line, keep)
            bad += not good
            before += found.get("tokens_before", 0) if good else 0
            after += found.get("tokens_after", 0) if good else 0
            print_json(found)
    if not as_json and sys.stderr.isatty():
        say(f"{before} tokens in, {after} out ({after / (before or 1):.1%})", err=True)
    if bad:
        raise typer.Exit(1)


@contextmanager
def _lines(file: str) -> Iterator[Iterable[str]]:
    if file == "-":
        yield (raw.decode("utf-8", "surrogateescape") for raw in sys.stdin.buffer)
        return
    if not Path(file).is_file():
        complain(f"there is no file {file}")
        raise typer.Exit(2)
    with Path(file).open(encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
        yield stream
