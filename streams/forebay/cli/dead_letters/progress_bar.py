"""How does a person see how far a replay is? By a bar on standard error."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.operations.dead_letters.plan import Progress


class ReplayBar:
    """A bar for as long as a replay takes; nothing is drawn unless ``show``."""

    def __init__(self, total: int, *, show: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("replayed"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[outcomes]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not show,
        )
        self._task = self._progress.add_task("replayed", total=total, outcomes="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, progress: "Progress") -> None:
        """Show how far it is."""
        self._progress.update(
            self._task,
            completed=progress.replayed + progress.parked + progress.unmended,
            outcomes=f"{progress.succeeded} served, {progress.failed} failed again, {progress.retrying} waiting",
        )
