"""Where do the parts come from that are no Python packages? Maven artifacts, locked by checksum, cached per user.

A *group* is a checked-in file ``<group>.lock.toml`` of coordinates and SHA-256 sums. Files land in the platform's cache
folder (``FOREBAY_CACHE_DIR`` moves it) under their checksum, so all checkouts share them; a broken or half download
does not match its checksum and is fetched again. jgo resolves the coordinates in pure Python: no Maven, no host names.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_ATTEMPTS = 3
_PARALLEL = 8  # 44 jars: 24 s one after another, 4 s with eight


class ArtifactError(Exception):
    """An artifact cannot be had, or what was served is not what is locked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """One locked file: Maven coordinates and the SHA-256 of its bytes, in hex."""

    group: str
    name: str
    version: str
    packaging: str
    classifier: str
    sha256: str

    @property
    def filename(self) -> str:
        """Name in a Maven repository."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{classifier}.{self.packaging}"


def cache_dir() -> Path:
    """The download cache of this user: ``$FOREBAY_CACHE_DIR``, else ``forebay`` in the platform's cache folder."""
    if chosen := os.environ.get("FOREBAY_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "forebay"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "forebay"


def locked(group: str) -> list[Artifact]:
    """The artifacts of ``group``."""
    path = Path(__file__).parent / f"{group}.lock.toml"
    return [
        Artifact(
            group=entry["groupId"],
            name=entry["artifactId"],
            version=entry["version"],
            packaging=entry["packaging"],
            classifier=entry.get("classifier", ""),
            sha256=entry["sha256"],
        )
        for entry in tomllib.loads(path.read_text("utf-8"))["artifacts"]
    ]


def fetch(group: str, on_file: Callable[[Path], None] = lambda _: None) -> list[Path]:
    """Verified local files of ``group``, downloading what is missing or damaged.

    Args:
        on_file: called as each file is there, for progress bars.

    Raises:
        ArtifactError: a file cannot be fetched, or does not have the locked checksum.
    """

    def one(artifact: Artifact) -> Path:
        path = _fetch_one(artifact)
        on_file(path)
        return path

    with ThreadPoolExecutor(_PARALLEL) as pool:
        return list(pool.map(one, locked(group)))


def is_cached(group: str) -> bool:
    """Whether all files of ``group`` are there (their checksums are not looked at)."""
    return all(_place(artifact).exists() for artifact in locked(group))


def _place(artifact: Artifact) -> Path:
    return cache_dir() / "artifacts" / artifact.sha256[:16] / artifact.filename


def _fetch_one(artifact: Artifact) -> Path:
    path = _place(artifact)
    if path.exists():
        if _sha256(path) == artifact.sha256:
            return path
        path.unlink()
    problem = ""
    for _ in range(_ATTEMPTS):
        problem = _download(artifact, path)
        if not problem:
            return path
    raise ArtifactError(f"{artifact.filename}: {problem}; is there a network to the Maven registry?")


def _download(artifact: Artifact, path: Path) -> str:
    """Fetch into ``path``, atomically; an empty string, or what went wrong."""
    # Imported here: 0.5 s that a start with a full cache need not pay.
    from jgo.maven import MavenContext, PythonResolver

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        try:
            context = MavenContext(resolver=PythonResolver(), repo_cache=Path(scratch))
            component = context.project(artifact.group, artifact.name).at_version(artifact.version)
            fetched = Path(component.artifact(artifact.classifier, artifact.packaging).resolve())
        except Exception as error:  # noqa: BLE001 - jgo lets the errors of several HTTP layers through
            return f"{type(error).__name__}: {error}"
        if _sha256(fetched) != artifact.sha256:
            return "what was served does not have the locked checksum"
        shutil.move(fetched, path)
    return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
