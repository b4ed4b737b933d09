"""How does a person see how far a command is? By a bar, and lines above it."""

from types import TracebackType
from typing import Self

from forebay.cli.terminal.tables import Part, text_of
from forebay.observability.plain import shown


class Bar:
    """A bar for the length of a ``with``.

    Args:
        title: what is counted.
        total: how much there is, if it is known.
        err: on standard error, where it does not disturb data.
        show: draw it at all; by default only where somebody watches.
        stays: the bar is still there afterwards.
        counts: say "3/12", else a share and the time that is left.
    """

    def __init__(
        self,
        title: str,
        total: float | None,
        *,
        err: bool = True,
        show: bool | None = None,
        stays: bool = True,
        counts: bool = True,
    ) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=err, markup=False, emoji=False, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            *((MofNCompleteColumn(),) if counts else (TaskProgressColumn(),)),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            *(() if counts else (TimeRemainingColumn(),)),
            console=console,
            transient=not stays,
            disable=not (console.is_terminal if show is None else show),
        )
        self._task = self._progress.add_task(shown(title), total=total, note="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def advance(self, by: float = 1) -> None:
        """So much more is done."""
        self._progress.advance(self._task, by)

    def update(self, *, done: float | None = None, total: float | None = None, note: str | None = None) -> None:
        """So much is done, of so much; ``note`` stands behind it."""
        self._progress.update(self._task, completed=done, total=total)
        if note is not None:
            self._progress.update(self._task, note=shown(note))

    def say(self, *parts: Part) -> None:
        """A line above the bar."""
        self._progress.console.print(text_of(*parts), soft_wrap=True)

    def stop(self) -> None:
        """Draw it no more."""
        self._progress.stop()
