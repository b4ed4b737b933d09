"""How are peers told? One table, with the versions of what was compared."""

import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from loadtest.peers.rows import Row

_PARTS = ("litellm", "presidio-analyzer", "presidio-anonymizer", "spacy")
_ASKED = f"from importlib.metadata import version\nfor name in {_PARTS!r}:\n    print(name, version(name))"


def as_json(rows: Sequence[Row], executable: Path, *, seconds: float, seed: int) -> dict[str, Any]:
    """Everything that was measured."""
    done = subprocess.run(
        [str(executable.parent / "python"), "-c", _ASKED], check=False, capture_output=True, text=True
    )
    return {
        "seconds": seconds,
        "seed": seed,
        "machine": {"python": platform.python_version(), "cores": psutil.cpu_count()},
        "versions": dict(line.split(" ", 1) for line in done.stdout.splitlines()),
        "rows": [asdict(row) for row in rows],
    }


def markdown(told: Mapping[str, Any]) -> str:
    """The table."""
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    settings = f"{told['seconds']:g} s a rate, seed {told['seed']}, a provider that takes 0 ms"
    lines = [
        f"{settings}, {told['machine']['cores']} cores; {versions}.",
        "",
        "| | requests/s with p95 < 3 s | p50 added, ms, at 5/s | ms of CPU a request (yardstick) | MiB | killed -9 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in told["rows"]:
        rate = "none that was tried" if row["rate"] is None else f"{row['rate']:.0f}"
        lines.append(
            f"| {row['name']} | {rate} | {row['added_ms']:g} | {row['cpu_ms']:.1f} ({row['yardstick_ms']:g}) "
            f"| {row['mib']:.0f} | {row['lost']} of {row['in_flight']} lost |"
        )
    return "\n".join(lines)
