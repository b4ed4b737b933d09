"""Where do the processes spend their time? py-spy beside them, while the load runs: one raw file a process."""

import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_RATE_HZ = 100


class NoProfilerError(Exception):
    """There is no ``py-spy`` on the path."""


def profiler() -> str:
    """Its path. Raises :class:`NoProfilerError`."""
    found = shutil.which("py-spy")
    if found is None:
        raise NoProfilerError("--profile needs py-spy on the path: pip install py-spy")
    return found


@contextmanager
def profiled(pids: Mapping[str, int], folder: Path) -> Iterator[None]:
    """Write ``folder/NAME.raw`` for each process (stacks and their samples), of the time in the ``with``."""
    command, started = profiler(), []
    folder.mkdir(parents=True, exist_ok=True)
    for name, pid in pids.items():
        options = ["--rate", str(_RATE_HZ), "--format", "raw", "--output", str(folder / f"{name}.raw")]
        with (folder / f"{name}.log").open("wb") as log:
            started.append(
                subprocess.Popen([command, "record", "--pid", str(pid), *options], stdout=log, stderr=subprocess.STDOUT)
            )
    try:
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGINT)
        for process in started:
            process.wait(60)
