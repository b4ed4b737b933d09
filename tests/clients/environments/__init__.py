"""How do clients that others wrote get here? Each in an environment of its own, from a lock with hashes; never skipped.

They stay in ``.venv-clients`` until their lock changes.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parents[3]
LOCKS = Path(__file__).parent
PROGRAMS = LOCKS.parent / "programs"
INSTALLED = ROOT / ".venv-clients"
_TIMEOUT_S = 540


@dataclass(frozen=True, kw_only=True)
class Client:
    """A client that somebody else wrote.

    Attributes:
        program: in ``programs``; see ``line_by_line.py`` there.
        environment: a lock of Python packages; ``node``; ``None``: needs nothing.
        acts: what it can do.
    """

    program: str
    environment: str | None
    acts: tuple[str, ...]


_ALL = ("chat", "stream", "tools", "streamed_tools", "tool_turn", "structured")
CLIENTS: Mapping[str, Client] = MappingProxyType(
    {
        "openai-python": Client(program="openai_python.py", environment="openai", acts=(*_ALL, "models")),
        "openai-node": Client(program="openai_node.mjs", environment="node", acts=(*_ALL, "models")),
        "litellm": Client(program="litellm_python.py", environment="frameworks", acts=_ALL),
        "langchain": Client(program="langchain_python.py", environment="frameworks", acts=_ALL),
        "pydantic-ai": Client(program="pydantic_ai_python.py", environment="frameworks", acts=_ALL),
        "llama-index": Client(program="llama_index_python.py", environment="llama_index", acts=_ALL),
        "instructor": Client(
            program="instructor_python.py", environment="frameworks", acts=("structured", "streamed_tools")
        ),
        "vercel-ai": Client(program="vercel_ai.mjs", environment="node", acts=_ALL),
        "eventsource-node": Client(program="eventsource_node.mjs", environment="node", acts=()),
        "curl": Client(program="curl_shell.py", environment=None, acts=(*_ALL, "models")),
    }
)


def command(client: Client) -> list[str]:
    """How its program is started; what it needs is installed if it is not there."""
    if client.environment is None:
        return [sys.executable, str(PROGRAMS / client.program)]
    if client.environment == "node":
        return ["node", str(_node() / client.program)]
    return [str(_python(client.environment) / "bin/python"), str(PROGRAMS / client.program)]


def _python(name: str) -> Path:
    lock, folder, uv = LOCKS / f"{name}.lock", INSTALLED / name, str(Path(sys.executable).parent / "uv")
    if _is_there(folder, lock):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--compile-bytecode"]
    _run([*install, "--python", str(folder / "bin/python"), "-r", str(lock)])
    _mark(folder, lock)
    return folder


def _node() -> Path:
    lock, folder = LOCKS / "package-lock.json", INSTALLED / "node"
    if not _is_there(folder, lock):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCKS / name, folder)
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)
        _mark(folder, lock)
    for program in PROGRAMS.glob("*.mjs"):  # modules are looked for beside the file that imports them
        shutil.copy(program, folder)
    return folder


def _is_there(folder: Path, lock: Path) -> bool:
    stamp = folder / ".installed"
    return stamp.is_file() and stamp.read_text("utf-8") == _digest(lock)


def _mark(folder: Path, lock: Path) -> None:
    (folder / ".installed").write_text(_digest(lock), "utf-8")


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _run(words: Sequence[str], cwd: Path = ROOT) -> None:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    assert done.returncode == 0, f"{' '.join(words[:3])}: {done.stdout}{done.stderr}"
