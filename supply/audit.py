"""Are there known weaknesses in what is installed? ``make audit-dependencies``; not having looked is a failure.

pip-audit lists a package of which its source of advisories knows nothing as skipped, says "No known vulnerabilities
found", and ends with status 0: behind a mirror without advisories it skips all of them. So its report is judged here:
every package of the lock that is installed on this platform must have been looked up, at the locked version. Jars and
images have no advisories there; their scanners are those of the registries they come from.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from supply.locks import ROOT, Locked, packages

LOCKS = ("requirements-runtime.lock", "requirements.lock", "requirements-build.lock")
FOUND, NOT_LOOKED = 1, 3
_TIMEOUT_S = 900.0


class AuditError(Exception):
    """There is no report to judge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What a report says of a lock: known weaknesses, a line each, and packages of which it says nothing."""

    looked: int
    weak: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def status(self) -> int:
        """Exit status: 0 if every package was looked up and none is weak."""
        return FOUND if self.weak else NOT_LOOKED if self.unknown else 0


def judged(report: Any, wanted: Iterable[Locked]) -> Judged:
    """Judge a report of pip-audit (``--format json``) on the packages of a lock.

    Raises:
        AuditError: it is no such report.
    """
    known: dict[tuple[str, str], list[str]] = {}
    try:
        for entry in report["dependencies"]:
            if "skip_reason" not in entry:
                place = canonicalize_name(entry["name"]), str(Version(entry["version"]))
                known[place] = [str(weakness["id"]) for weakness in entry["vulns"]]
    except (KeyError, TypeError, ValueError) as error:
        raise AuditError(f"what pip-audit wrote is no report of it: {error!r}") from None
    weak, unknown, looked = list[str](), list[str](), 0
    for package in wanted:
        if not package.here:
            continue
        place = canonicalize_name(package.name), str(Version(package.version))
        if place in known:
            looked += 1
            weak += [f"{package.name} {package.version}: {one}" for one in known[place]]
        else:
            unknown.append(package.name)
    return Judged(looked=looked, weak=tuple(weak), unknown=tuple(unknown))


def run_pip_audit(lock: Path) -> Any:
    """Its report on a lock. Nothing is installed: with hashes there is nothing to resolve.

    Raises:
        AuditError: it wrote none.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip"]
        command += ["--format", "json", "--progress-spinner", "off", "--output", str(report)]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIMEOUT_S)
            return json.loads(report.read_text("utf-8"))
        except subprocess.TimeoutExpired:
            raise AuditError(f"pip-audit did not end within {_TIMEOUT_S:.0f} s") from None
        except (OSError, ValueError):
            said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
            raise AuditError(f"pip-audit wrote no report: {said}") from None


def main(arguments: list[str] | None = None, audit: Callable[[Path], Any] = run_pip_audit) -> int:
    """Run the command; exit status 1: a known weakness; 3: not every package could be looked up."""
    parser = argparse.ArgumentParser(prog="python -m supply.audit", description="Known weaknesses of locked packages.")
    parser.add_argument("locks", nargs="*", default=[str(ROOT / name) for name in LOCKS], help="lock files")
    worst = 0
    for path in map(Path, parser.parse_args(arguments).locks):
        try:
            result = judged(audit(path), packages(path.read_text("utf-8")))
        except (AuditError, OSError, ValueError) as error:
            print(f"{path.name}: NOT AUDITED: {error}", file=sys.stderr)
            worst = worst or NOT_LOOKED
            continue
        for line in result.weak:
            print(f"{path.name}: {line}", file=sys.stderr)
        if result.unknown:
            print(_not_looked(path.name, result), file=sys.stderr)
        print(f"{path.name}: {result.looked} packages looked up, {len(result.weak)} known weaknesses")
        worst = FOUND if FOUND in (worst, result.status) else worst or result.status
    return worst


def _not_looked(lock: str, result: Judged) -> str:
    of = result.looked + len(result.unknown)
    named = ", ".join(result.unknown[:5]) + (", …" if len(result.unknown) > 5 else "")
    return (
        f"{lock}: NOT AUDITED: nothing is known of {len(result.unknown)} of {of} packages ({named}). "
        "No advisories were reached for them; this says nothing about their weaknesses"
    )


if __name__ == "__main__":
    sys.exit(main())
