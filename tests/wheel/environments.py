"""How does a test get an environment with nothing in it, and what is installed there? By uv, away from the checkout."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_UV = Path(sys.executable).parent / "uv"
_NO_NETWORK = re.compile(r"dns error|error sending request|failed to fetch|connection refused|timed out|network")
_TIMEOUT_S = 540


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment, and an empty folder in which its commands run."""

    folder: Path
    away: Path

    @property
    def packages(self) -> Path:
        """Its ``site-packages``."""
        [found] = self.folder.glob("lib/python*/site-packages")
        return found

    def install(self, *requirements: str) -> None:
        """Install at the versions of the lock; skips the test when the package registry cannot be reached."""
        command = [str(_UV), "pip", "install", "--quiet", "--python", str(self.folder / "bin/python")]
        done = _run([*command, "--constraints", str(ROOT / "requirements.lock"), *requirements], self.away)
        if done.returncode:
            for line in done.stderr.splitlines():
                if _NO_NETWORK.search(line.lower()):
                    pytest.skip(f"the package registry cannot be reached: {line.strip()}")
        assert done.returncode == 0, done.stderr

    def run(
        self, program: str, *arguments: str, cwd: Path | None = None, text: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run one of its programs, with ``text`` on standard input."""
        return _run([str(self.folder / "bin" / program), *arguments], cwd or self.away, text)

    def python(self, program: str, cwd: Path | None = None) -> str:
        """What a program prints. Fails with what it says on standard error."""
        done = self.run("python", "-c", program, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def megabytes(self) -> float:
        """Everything that is installed, without bytecode."""
        files = (path for path in self.packages.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return sum(path.stat().st_size for path in files) / 1e6


def empty(folder: Path) -> Environment:
    """An environment with nothing in it."""
    made, away = folder / "environment", folder / "away"
    away.mkdir(parents=True)
    done = _run([str(_UV), "venv", "--quiet", "--python", sys.executable, str(made)], away)
    assert done.returncode == 0, done.stderr
    return Environment(folder=made, away=away)


def build(folder: Path) -> Path:
    """The wheel of this checkout."""
    done = _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    assert done.returncode == 0, done.stderr
    [wheel] = folder.glob("*.whl")
    return wheel


def _run(command: Sequence[str], cwd: Path, text: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FOREBAY_", "PYTHON", "VIRTUAL_ENV")) or name == "FOREBAY_CACHE_DIR"
    }
    return subprocess.run(
        command, cwd=cwd, env=environment, input=text, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
    )
