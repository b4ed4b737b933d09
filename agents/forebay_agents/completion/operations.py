"""What may an operator ask of the tiers, and do to the router? See how they are; learn, look at versions, go back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forebay.operations.audit.recording import Recorder
from forebay_agents.completion.routing import model as models
from forebay_agents.completion.routing.model import Curve
from forebay_agents.completion.routing.offline.rows import Row
from forebay_agents.completion.routing.status import TiersReport, fetch, report
from forebay_agents.models.settings import Tier


@dataclass(frozen=True, kw_only=True, slots=True)
class TierStatus:
    """How the tiers are, and which addresses did not answer."""

    report: TiersReport
    silent: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class RouterVersion:
    """A version of the router, and whether workers use it."""

    version: str
    current: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Rows that a curve was learnt from, and its expected calibration error after and before; NaN if unknown."""

    rows: int
    ece: float
    ece_before: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Learnt:
    """A new version, in use from now on: by tier, how well its router and its confidence are calibrated."""

    version: str
    file: str
    rows: int
    router: Mapping[str, Measured]
    confidence: Mapping[str, Measured]


def status(tiers: Sequence[Tier], addresses: Iterable[str]) -> TierStatus:
    """What the workers at these addresses of ``/metrics`` say of the tiers, put together."""
    scraped, silent = fetch(addresses)
    return TierStatus(report=report(tiers, scraped), silent=silent)


def learn(folder: Path, rows: Sequence[Row], record: Recorder, *, router: bool) -> Learnt:
    """Learn from judged rows and keep what was learnt as the current version. Needs scikit-learn.

    Args:
        router: learn whom to ask first as well; otherwise how sure to be of an answer, the router staying as it was.

    Raises:
        ValueError: too few rows or odd scores; :class:`ModelError` when the current version cannot be read.
    """
    from forebay_agents.completion.routing.offline import training

    found = training.trained(rows) if router else training.calibrated(models.load(folder), rows)
    action = "tiers.train" if router else "tiers.calibrate"
    with record(action, subject=f"router {found.version}", count=len(rows)) as act:
        path = models.write(folder, found)
        act.count = len(rows)
    return Learnt(
        version=found.version,
        file=str(path),
        rows=len(rows),
        router={tier: _measured(linear.curve) for tier, linear in found.tiers.items()},
        confidence={tier: _measured(curve) for tier, curve in found.confidences.items()},
    )


def versions(folder: Path) -> list[RouterVersion]:
    """All versions, the oldest first; none is current where the heuristic is used."""
    current = models.current(folder)
    return [RouterVersion(version=version, current=version == current) for version in models.versions(folder)]


def roll_back(folder: Path, record: Recorder, version: str = "") -> str:
    """Make an older version the current one, by default the one before; before the first one comes the heuristic.

    Returns:
        The version that is current now.

    Raises:
        ModelError: there is no such version, or nothing before the current one.
    """
    current = models.current(folder)
    older = [models.HEURISTIC, *(name for name in models.versions(folder) if name < current)] if current else []
    chosen = version or (older[-1] if older else "before the heuristic")
    with record("tiers.rollback", subject=f"router {chosen}", details={"before": current or models.HEURISTIC}):
        models.point(folder, chosen)
    return chosen


def _measured(curve: Curve) -> Measured:
    return Measured(rows=curve.rows, ece=curve.ece, ece_before=curve.ece_before)
