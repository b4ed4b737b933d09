"""Which packages does a lock name, and by which bytes? Read from a ``requirements*.lock`` of the checkout."""

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[1]
_ENTRY = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[\w.!+]+)(?: ; (?P<marker>[^\\]+?))?(?P<hashes>(?: --hash=\S+)*)"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})(?!\S)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """One package of a lock.

    Attributes:
        marker: where it is installed, as in PEP 508; ``None`` for everywhere.
        sha256: of each file that may be installed, in hex; empty where the lock has none.
    """

    name: str
    version: str
    marker: Marker | None
    sha256: tuple[str, ...]

    @property
    def here(self) -> bool:
        """Whether it is installed on this Python and platform."""
        return self.marker is None or self.marker.evaluate()


def packages(text: str) -> list[Locked]:
    """The packages of a lock.

    Raises:
        ValueError: a line is no exact version, or has a hash that is no SHA-256.
    """
    found = []
    for line in re.sub(r" \\\n +", " ", text).splitlines():
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            raise ValueError(f"no exact version in {line[:80]!r}")
        hashes = tuple(_HASH.findall(entry["hashes"]))
        if len(hashes) != entry["hashes"].count("--hash="):
            raise ValueError(f"{entry['name']}: a hash that is no SHA-256")
        marker = Marker(entry["marker"]) if entry["marker"] else None
        found.append(Locked(name=entry["name"], version=entry["version"], marker=marker, sha256=hashes))
    return found
