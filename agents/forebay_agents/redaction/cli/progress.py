"""How far is a command that reads lines? A bar on standard error, for people who watch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda by: progress.advance(task, by)
