"""How probable is it that one answer serves both questions? Logistic regressions, each dearer one for fewer pairs.

A glance at the sentences' vectors drops what is hopeless, the first level reads the words, and the second asks another
encoder in the grey zone only. How far down each looks depends on the least score that matters (:meth:`Model.zone`).

The weights are in ``weights.npz`` (plain arrays, loaded without pickle); ``python -m
forebay_agents.cache.training`` makes them again (``--check`` compares). What they were trained on and how well they do:
docs/explanation/cache.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forebay_agents.cache.matching.features import FAR, GLANCE, NEAR, Row

Array = NDArray[np.float64]

_NAMES = {"glance": GLANCE, "near": NEAR, "far": FAR}
"""Features of each level."""


class WeightsError(Exception):
    """The weights do not belong to this version of the features."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One logistic regression over standardised features."""

    mean: Array
    scale: Array
    weights: Array
    bias: float
    _slope: Array = field(init=False, repr=False)
    _offset: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Fold the standardisation into the weights: it is asked of every candidate."""
        object.__setattr__(self, "_slope", self.weights / self.scale)
        object.__setattr__(self, "_offset", self.bias - float((self.weights / self.scale) @ self.mean))

    def probability(self, row: Row) -> float:
        """The calibrated probability for one row of features."""
        logit = float(row @ self._slope) + self._offset
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))

    def probabilities(self, rows: Array) -> Array:
        """The same for many rows at once."""
        told: Array = 1.0 / (1.0 + np.exp(-np.clip(rows @ self._slope + self._offset, -30.0, 30.0)))
        return told


class Zone(NamedTuple):
    """Least probabilities, at a glance and at the first level, of a pair worth looking at more closely."""

    glance: float
    near: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """The levels, the zones in which the dearer ones are asked, and what readings are compressed with.

    Attributes:
        glance: of the vectors of the sentences alone.
        zones: rows of (least score that matters, glance, near), ascending; see :meth:`zone`.
        grey: least first-level probability at which the second encoder is worth its time; below, the first stands.
        thresholds: rows of (δ, least score of a hit), ascending in δ.
        near_basis: principal directions of word vectors, shape (384, d), of the first encoder.
        far_basis: the same of the second.
        texts: digest of the pairs that taught it, :func:`forebay_agents.cache.training.pairs.digest`.
    """

    glance: Level
    near: Level
    far: Level
    grey: float
    thresholds: Array
    zones: Array
    near_basis: NDArray[np.float32]
    far_basis: NDArray[np.float32]
    version: str
    texts: str = ""

    def threshold(self, delta: float) -> float:
        """Least score at which at most a share ``delta`` of hits is wrong, as far as the pairs could prove it.

        For a stricter bound than they prove, every single hit has to be as sure as that: 1 - δ.
        """
        fitting = [float(score) for limit, score in self.thresholds if limit <= delta + 1e-12]
        return min([1.0 - delta, *fitting])

    def zone(self, least: float) -> Zone:
        """What a pair must reach before its score may be ``least``, as far as the pairs that we have tell.

        Whoever wants to know every score (``least`` 0) drops nothing, and asks the second encoder from ``grey`` on.
        """
        fitting = [(float(glance), float(near)) for score, glance, near in self.zones if score <= least + 1e-12]
        return Zone(*(fitting[-1] if fitting else (0.0, self.grey)))

    def save(self, path: Path) -> None:
        """Write the arrays."""
        np.savez_compressed(path, **_arrays(self))


def load(path: Path) -> Model:
    """Read weights. Raises :class:`WeightsError` when they are for other features."""
    with np.load(path, allow_pickle=False) as stored:
        arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
    if any(arrays[f"{level}_names"].tobytes() != _joined(names) for level, names in _NAMES.items()):
        raise WeightsError(f"{path} was trained for other features: run python -m forebay_agents.cache.training")
    levels = {
        level: Level(
            mean=arrays[f"{level}_mean"],
            scale=arrays[f"{level}_scale"],
            weights=arrays[f"{level}_weights"],
            bias=float(arrays[f"{level}_bias"]),
        )
        for level in _NAMES
    }
    return Model(
        glance=levels["glance"],
        near=levels["near"],
        far=levels["far"],
        grey=float(arrays["grey"]),
        thresholds=arrays["thresholds"],
        zones=arrays["zones"],
        near_basis=arrays["near_basis"].astype(np.float32),
        far_basis=arrays["far_basis"].astype(np.float32),
        version=str(arrays["version"]),
        texts=str(arrays.get("texts", "")),
    )


@cache
def shipped() -> Model:
    """The weights that come with the package."""
    with as_file(files("forebay_agents.cache.matching") / "weights.npz") as path:
        return load(path)


def _joined(names: Sequence[str]) -> bytes:
    return "\n".join(names).encode()


def _arrays(model: Model) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        **{f"{level}_names": np.frombuffer(_joined(names), np.uint8) for level, names in _NAMES.items()},
        "grey": np.array(model.grey),
        "thresholds": model.thresholds,
        "zones": model.zones,
        "near_basis": model.near_basis.astype(np.float16),
        "far_basis": model.far_basis.astype(np.float16),
        "version": np.array(model.version),
        "texts": np.array(model.texts),
    }
    for name, level in (("glance", model.glance), ("near", model.near), ("far", model.far)):
        arrays |= {
            f"{name}_mean": level.mean,
            f"{name}_scale": level.scale,
            f"{name}_weights": level.weights,
            f"{name}_bias": np.array(level.bias),
        }
    return arrays
