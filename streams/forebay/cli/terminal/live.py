"""How does a table change in place? On standard error, where somebody watches; elsewhere there are only lines."""

from collections.abc import Iterable, Sequence

from forebay.cli.terminal.tables import Column, Frame, Part, table, text_of


class LiveTable:
    """A table without a frame that is drawn anew with :meth:`show`, and lines."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(stderr=True, markup=False, emoji=False, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    @property
    def drawn(self) -> bool:
        """Whether the table is there."""
        return self._live.is_started

    def start(self) -> None:
        """From now on there is a table, if somebody watches."""
        if self._console.is_terminal:
            self._live.start()

    def stop(self) -> None:
        """Take the table away."""
        self._live.stop()

    def show(self, columns: Sequence[str | Column], rows: Iterable[Sequence[Part]]) -> None:
        """The table as it is now, if there is one."""
        if self.drawn:
            self._live.update(table(columns, rows, frame=Frame.NONE), refresh=True)

    def say(self, *parts: Part) -> None:
        """A line."""
        self._console.print(text_of(*parts), soft_wrap=True)
