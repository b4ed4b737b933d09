"""How does a person see how far a replay is? By a bar on standard error."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from forebay.cli.terminal.bars import Bar

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.operations.dead_letters.plan import Progress


class ReplayBar:
    """A bar for as long as a replay takes; nothing is drawn unless ``show``."""

    def __init__(self, total: int, *, show: bool) -> None:
        self._bar = Bar("replayed", total, show=show)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, progress: "Progress") -> None:
        """Show how far it is."""
        self._bar.update(
            done=progress.replayed + progress.parked + progress.unmended,
            note=f"{progress.succeeded} served, {progress.failed} failed again, {progress.retrying} waiting",
        )
