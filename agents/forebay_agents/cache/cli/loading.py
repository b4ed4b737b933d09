"""What do the commands of the cache read, write and open?"""

import io
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import typer

from forebay.cli.terminal.saying import complain, json_text, say

if TYPE_CHECKING:
    from forebay.settings import Settings
    from forebay_agents.cache.matching.matcher import CalibratedMatcher
    from forebay_agents.cache.offline.evaluating import Labelled

T = TypeVar("T")


def matcher_for(delta: float | None) -> "CalibratedMatcher":
    """The matcher of the settings, at another bound if one is given."""
    from forebay.settings import load
    from forebay_agents.cache.settings import CacheSettings
    from forebay_agents.cache.wiring import calibrated

    own = load()[CacheSettings]
    return calibrated(own if delta is None else own.model_copy(update={"delta": delta, "threshold": None}))


def labelled_pairs(file: str, delta: float) -> "Labelled":
    """Verdicts on the labelled pairs of a file; ends the command when a line is none."""
    from forebay.contract.json_lines import InvalidLineError
    from forebay_agents.cache.offline.evaluating import labelled
    from forebay_agents.cache.offline.explaining import bad_line, decide, labelled_pair_of

    matcher, pairs, verdicts, good = matcher_for(delta), [], [], True
    with lines_of(file) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                pair = labelled_pair_of(line)
            except InvalidLineError as error:
                good = False
                say(f"line {number}: {json_text(bad_line(error))}", err=True)
                continue
            pairs.append(pair)
            verdicts.append(decide(pair, matcher))
    if not good or not pairs:
        what = "every line must be {a, b, duplicate}" if not good else f"there is no pair in {file}"
        complain(what)
        raise typer.Exit(1)
    return labelled(pairs, verdicts)


@contextmanager
def lines_of(file: str) -> Iterator[Iterable[str]]:
    """Lines of a file, or of standard input for ``-``; ends the command when the file cannot be read.

    Bytes that are no UTF-8 spoil their line only, and only a line feed ends a line.
    """
    with ExitStack() as opened:
        stream: BinaryIO = sys.stdin.buffer
        if file != "-":
            try:
                stream = opened.enter_context(Path(file).open("rb"))
            except OSError as error:
                complain(f"cannot read {file}: {error.strerror}")
                raise typer.Exit(2) from None
        yield io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="\n")


def run(work: Callable[["Settings"], Coroutine[Any, Any, T]]) -> T:
    """Run what talks to the Redis of the installation; ends the command when it does not answer."""
    import asyncio

    from forebay.embedded.installation import installation
    from forebay_agents.cache.store.store import StoreUnavailableError

    try:
        return asyncio.run(work(installation()))
    except StoreUnavailableError as error:
        complain(f"Redis does not answer ({error})")
        raise typer.Exit(2) from None
