"""Will a tier suffice for this request? Learned weights where there are any, else a heuristic that says what it knows.

The completion stage calls two functions; both are pure and take about 0.2 ms::

    model = load(path) or None                     # once, at start; see :func:`load`
    chances = suffices(question, tiers, model)     # before a call: {tier: probability that its answer is good enough}
    model.confidence(tier, score)                  # after a call: calibrated probability of an assessment's raw score

``tiers`` are names from the cheapest. A tier that the model was not trained on gets the heuristic's probability. With
the probabilities and prices of a route, :func:`first_tier` picks whom to ask first: the tier with the least expected
loss and price, counting that a bad answer is escalated.

A model is one JSON file: a version, when and from what it was made, weights. ``forebay tiers train`` writes it beside
the older versions and points ``current`` to it; ``forebay tiers rollback`` points back.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forebay_agents.completion.routing import prompts

Array = NDArray[np.float64]

FORMAT = 1
HEURISTIC = "heuristic"
"""Name of the version that needs no training and no file."""

_HARD = (  # mark, its column, and what it takes off a small model's chances, in logits
    ("code", 12, 0.8),
    ("talk of code", 13, 0.6),
    ("arithmetic", 14, 0.6),
    ("mathematics", 15, 0.8),
    ("word problem", 16, 0.5),
    ("explanation", 22, 0.6),
    ("structure", 18, 0.5),
)


class ModelError(ValueError):
    """A file is no router model; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """An isotonic curve from scores to probabilities, linear in between; ``ece`` was measured on left-out rows."""

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    rows: int = 0
    ece: float = math.nan
    ece_before: float = math.nan

    def __call__(self, score: float) -> float:
        """The calibrated probability."""
        if not self.scores:
            return score
        place = bisect_right(self.scores, score)
        if place == 0:
            return self.probabilities[0]
        if place == len(self.scores):
            return self.probabilities[-1]
        low, high = self.scores[place - 1], self.scores[place]
        part = (score - low) / (high - low)
        return self.probabilities[place - 1] + part * (self.probabilities[place] - self.probabilities[place - 1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """A logistic model of one tier over :func:`prompts.plain_features`, and a curve that calibrates it."""

    weights: tuple[float, ...]
    bias: float
    curve: Curve


@dataclass(frozen=True, kw_only=True, slots=True)
class RouterModel:
    """What was learnt: chances before a call by tier, and confidence curves after it."""

    version: str
    made_at: str = ""
    rows: int = 0
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    tiers: Mapping[str, Linear] = field(default_factory=dict)
    confidences: Mapping[str, Curve] = field(default_factory=dict)

    def confidence(self, tier: str, score: float) -> float:
        """Calibrated probability that an answer of ``tier`` with this raw score is good; without a curve, the score."""
        curve = self.confidences.get(tier) or self.confidences.get("*")
        return curve(score) if curve else score


def suffices(question: str, tiers: Sequence[str], model: RouterModel | None = None) -> dict[str, float]:
    """Probability, by tier, that its answer to ``question`` (the last user turn) is good enough."""
    plain = np.concatenate([prompts.marks(question), prompts.meaning(question)])
    found = _heuristic(plain, tiers)
    if model is None or not model.tiers or len(model.mean) != len(plain):
        return found
    scaled = (plain - np.array(model.mean)) / np.array(model.scale)
    for tier in tiers:
        learned = model.tiers.get(tier)
        if learned is not None:
            found[tier] = learned.curve(_sigmoid(float(scaled @ np.array(learned.weights)) + learned.bias))
    return found


def first_tier(
    chances: Mapping[str, float], prices: Mapping[str, float], value_of_quality: float, tiers: Sequence[str]
) -> str:
    """Whom to ask first.

    Args:
        prices: expected price of a call by tier, in any unit.
        value_of_quality: what a good answer is worth instead of a bad one, in the same unit.
        tiers: from the cheapest; from the first asked on, a bad answer is taken to be noticed and escalated.
    """

    def expected(first: int) -> float:
        total, reached = 0.0, 1.0
        for tier in tiers[first:]:
            total += reached * prices[tier]
            reached *= 1 - chances[tier]
        return total + reached * value_of_quality

    return tiers[min(range(len(tiers)), key=expected)]


def _heuristic(plain: Array, tiers: Sequence[str]) -> dict[str, float]:
    """Short and plain questions are for the cheapest tier; the dearest is trusted with nearly all."""
    hardness = 0.25 * max(0.0, float(plain[0]) - math.log1p(120))
    hardness += sum(weight * min(1.0, float(plain[column])) for _, column, weight in _HARD)
    last = max(1, len(tiers) - 1)
    return {
        tier: _sigmoid(1.0 + 1.5 * place / last - hardness * (1 - 0.7 * place / last))
        for place, tier in enumerate(tiers)
    }


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


def load(folder: Path) -> RouterModel | None:
    """The model that ``current`` points to; ``None`` if none was trained yet. Raises :class:`ModelError`."""
    version = current(folder)
    return None if version is None else read(folder / f"{version}.json")


def current(folder: Path) -> str | None:
    """The version that workers use; ``None`` for the heuristic."""
    pointer = folder / "current"
    return pointer.read_text("utf-8").strip() if pointer.is_file() else None


def read(path: Path) -> RouterModel:
    """The model in a file. Raises :class:`ModelError`."""
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise ModelError(f"{path.name} has format {content['format']}; this version reads {FORMAT}")
        return RouterModel(
            version=content["version"],
            made_at=content["made_at"],
            rows=content["rows"],
            mean=tuple(content["mean"]),
            scale=tuple(content["scale"]),
            tiers={name: _linear(given) for name, given in content["tiers"].items()},
            confidences={name: _curve(given) for name, given in content["confidences"].items()},
        )
    except (OSError, KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path.name} is no router model: {type(error).__name__}") from None


def write(folder: Path, model: RouterModel) -> Path:
    """Store ``model`` as a new version and make it the current one, the one before staying where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{model.version}.json"
    if path.exists():
        raise ModelError(f"version {model.version} is there already")
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": model.version,
        "made_at": model.made_at,
        "rows": model.rows,
        "mean": model.mean,
        "scale": model.scale,
        "tiers": {
            name: {"weights": linear.weights, "bias": linear.bias, "curve": _as_json(linear.curve)}
            for name, linear in model.tiers.items()
        },
        "confidences": {name: _as_json(curve) for name, curve in model.confidences.items()},
    }
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    point(folder, model.version)
    return path


def point(folder: Path, version: str) -> None:
    """Make ``version`` the current one. Raises :class:`ModelError` if it is not there."""
    if version == HEURISTIC:
        (folder / "current").unlink(missing_ok=True)
        return
    if not (folder / f"{version}.json").is_file():
        raise ModelError(f"there is no version {version}")
    scratch = folder / ".current"
    scratch.write_text(version + "\n", "utf-8")
    scratch.replace(folder / "current")


def versions(folder: Path) -> list[str]:
    """All versions, from the oldest."""
    return sorted(path.stem for path in folder.glob("*.json"))


def _as_json(curve: Curve) -> dict[str, Any]:
    known = {"ece": curve.ece, "ece_before": curve.ece_before}
    return {"scores": curve.scores, "probabilities": curve.probabilities, "rows": curve.rows} | {
        name: value for name, value in known.items() if not math.isnan(value)
    }


def _curve(content: Mapping[str, Any]) -> Curve:
    return Curve(
        scores=tuple(content["scores"]),
        probabilities=tuple(content["probabilities"]),
        rows=content["rows"],
        ece=content.get("ece", math.nan),
        ece_before=content.get("ece_before", math.nan),
    )


def _linear(content: Mapping[str, Any]) -> Linear:
    return Linear(weights=tuple(content["weights"]), bias=content["bias"], curve=_curve(content["curve"]))
