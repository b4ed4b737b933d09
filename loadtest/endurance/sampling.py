"""How large is everything, now and again? Memory by process and files by folder, in the background of a run."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from loadtest.chaos.stack import Stack
from loadtest.endurance.growth import Growth, growth


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """At one moment: MB and process id by process, MB of files by folder of the stack."""

    at_s: float
    pss_mb: Mapping[str, float]
    pids: Mapping[str, int]
    files_mb: Mapping[str, float]


class Sampler(threading.Thread):
    """Looks every ``every_s`` seconds, for the length of a ``with``."""

    def __init__(self, stack: Stack, every_s: float = 10.0) -> None:
        super().__init__(name="sampler", daemon=True)
        self.samples: list[Sample] = []
        self._stack = stack
        self._every_s = every_s
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self.join(30)

    def run(self) -> None:
        """See the class."""
        begun = time.monotonic()
        while not self._over.wait(self._every_s):
            pids = {name: row.pid for name, row in self._stack.rows().items() if row.pid is not None}
            self.samples.append(
                Sample(
                    at_s=time.monotonic() - begun,
                    pss_mb={name: mb for name, pid in pids.items() if (mb := _pss_mb(pid)) is not None},
                    pids=pids,
                    files_mb=sizes_mb(self._stack.folder / "stack"),
                )
            )


def memory_growth(samples: Sequence[Sample], settle_s: float) -> dict[str, Growth]:
    """Growth by process, each since it was started last and has settled; ``all``: the sum, where none was started."""
    names = {name for sample in samples for name in sample.pids}
    found = {}
    for name in sorted(names):
        last = samples[-1].pids.get(name)
        since = next((sample.at_s for sample in samples if sample.pids.get(name) == last), 0.0)
        points = [
            (sample.at_s, sample.pss_mb[name])
            for sample in samples
            if sample.pids.get(name) == last and sample.at_s >= since + settle_s and name in sample.pss_mb
        ]
        if (grown := growth(points)) is not None:
            found[name] = grown
    return found


def file_growth(samples: Sequence[Sample], settle_s: float) -> dict[str, Growth]:
    """Growth by folder."""
    names = {name for sample in samples for name in sample.files_mb}
    points: Callable[[str], list[tuple[float, float]]] = lambda name: [  # noqa: E731 - one expression
        (sample.at_s, sample.files_mb.get(name, 0.0)) for sample in samples if sample.at_s >= settle_s
    ]
    return {name: grown for name in sorted(names) if (grown := growth(points(name))) is not None}


def sizes_mb(folder: Path) -> dict[str, float]:
    """Megabytes of the files in each folder of ``folder``; what vanishes meanwhile is left out."""
    found: dict[str, float] = {}
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink():
                name = path.relative_to(folder).parts[0]
                found[name] = found.get(name, 0.0) + path.stat().st_size / 1e6
        except OSError:
            continue
    return {name: round(mb, 2) for name, mb in found.items()}


def _pss_mb(pid: int) -> float | None:
    try:
        return round(psutil.Process(pid).memory_full_info().pss / 1e6, 1)
    except psutil.Error:
        return None
