"""How are the stack's own files written? Whole or not at all, and readable by their owner only."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def private_folder(path: Path) -> None:
    """Make ``path``, for nobody but its owner: brokers' data files are readable by all, and hold personal data."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` by a file with ``text``, atomically, with mode 0600 from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp creates with 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def kept(path: Path, make: Callable[[], str]) -> str:
    """Content of ``path``; made, and written with :func:`write_private`, when there is none yet."""
    if not path.exists():
        write_private(path, make())
    return path.read_text("utf-8")
