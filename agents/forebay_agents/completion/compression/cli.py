"""``forebay compress``: shorter prompts, line by line, without a broker."""

import gc
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

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
            sys.stdout.buffer.write(_encoded(found) + b"\n")
            sys.stdout.buffer.flush()
    if not as_json and sys.stderr.isatty():
        typer.echo(f"{before} tokens in, {after} out ({after / (before or 1):.1%})", err=True)
    if bad:
        raise typer.Exit(1)


def _encoded(found: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(found, default=list)
    except TypeError:  # a field that passes through has a number of more than 64 bits
        return json.dumps(found, ensure_ascii=False).encode()


@contextmanager
def _lines(file: str) -> Iterator[Iterable[str]]:
    if file == "-":
        yield (raw.decode("utf-8", "surrogateescape") for raw in sys.stdin.buffer)
        return
    if not Path(file).is_file():
        typer.echo(f"forebay: there is no file {file}", err=True)
        raise typer.Exit(2)
    with Path(file).open(encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
        yield stream
