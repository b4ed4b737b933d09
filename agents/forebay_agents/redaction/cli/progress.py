"""How far is a command that reads lines? A bar on standard error, for people who watch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from forebay.cli.terminal.bars import Bar


@contextmanager
def counted(lines: Iterator[str], title: str, size: int | None) -> Iterator[Iterator[str]]:
    """``lines``, counted on a bar while they are read.

    Args:
        size: bytes of all lines, if known.
    """
    with bar(title, size) as advance:

        def counting() -> Iterator[str]:
            for line in lines:
                yield line
                advance(len(line.encode("utf-8", "surrogatepass")))

        yield counting()


@contextmanager
def bar(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A function that advances a bar by the number it is given; nothing is drawn where nobody watches."""
    with Bar(title, total, stays=False, counts=False) as drawn:
        yield drawn.advance
