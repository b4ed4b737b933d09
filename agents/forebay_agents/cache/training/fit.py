"""How are the weights found? Weighted logistic regressions with a ridge, by Newton's method.

A guard may only speak against a hit; all other features may have any sign. (A fit in which similarity may only speak
for a hit, and the average of both, ranked domains that were left out worse.) Then each direction of the encoders'
spaces gets a small weight of its own: in some of them questions differ by what they ask, in others only by how.
Deterministic: no random start, no threads, float64.
The many generated pairs are weighted down, so that the hand-written ones count.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from forebay_agents.cache.matching.model import Array, Level

_STEPS = 60
_DIRECTED = 0.2
"""How freely directions are learnt, beside named features: 1 costs more on strangers' pairs than it gains."""
WEIGHT = {"written": 1.0, "edit": 0.5, "swap": 0.6, "grid": 0.25, "neighbour": 0.5}
"""Weight of a pair by the first part of its kind."""


def weight_of(kind: str) -> float:
    """Weight of a pair of ``kind`` in training."""
    return WEIGHT[kind.partition("-")[0]]


def fit(rows: Array, labels: Array, weights: Array, names: Sequence[str], ridge: float = 30.0) -> Level:
    """Fit one level: what has a name first, then the directions beside it.

    Args:
        rows: features, one row a pair.
        names: of the features.
        labels: 1.0 for duplicates.
        ridge: penalty on the squared weights of the standardised features.
    """
    towards = np.array([name.removeprefix("far ").partition(" ")[0] in ("whole", "left") for name in names])
    base = _named(rows[:, ~towards], labels, weights, [n for n in names if n.partition(" ")[0] == n], ridge)
    believed = ((rows[:, ~towards] - base.mean) / base.scale) @ base.weights + base.bias
    products = rows[:, towards]
    centre = np.average(products, axis=0, weights=weights)
    # One scale for all directions, so that those in which questions hardly differ stay small.
    spread = float(products.std()) / _DIRECTED
    solved = _directions((products - centre) / spread, believed, labels, weights, ridge)
    mean, scale, all_weights = np.zeros(len(names)), np.ones(len(names)), np.zeros(len(names))
    mean[~towards], scale[~towards], all_weights[~towards] = base.mean, base.scale, base.weights * solved[-1]
    mean[towards], scale[towards], all_weights[towards] = centre, spread, solved[:-1]
    return Level(mean=mean, scale=scale, weights=all_weights, bias=base.bias * float(solved[-1]))


def _named(rows: Array, labels: Array, weights: Array, names: Sequence[str], ridge: float) -> Level:
    """Features with names; a guard may only speak against a hit."""
    against = [name.startswith("guard_") for name in names]
    mean = np.average(rows, axis=0, weights=weights)
    scale = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weights))
    scale = np.where(scale < 1e-9, 1.0, scale)
    inputs = (rows - mean) / scale
    guards_only = np.asarray(against)
    solved = _signed(inputs, labels, weights, ridge, lambda found: guards_only & (found > 0))
    return Level(mean=mean, scale=scale, weights=solved[:-1], bias=float(solved[-1]))


def _directions(inputs: Array, believed: Array, labels: Array, weights: Array, ridge: float) -> Array:
    """Weights of the directions, and the factor of what the named features believe."""
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships no types

    def loss(solution: Array) -> tuple[float, Array]:
        logit = np.clip(believed * solution[-1] + inputs @ solution[:-1], -30, 30)
        off = weights * (1.0 / (1.0 + np.exp(-logit)) - labels)
        value = float((weights * (np.logaddexp(0.0, logit) - labels * logit)).sum())
        penalty = 0.5 * ridge * float(solution[:-1] @ solution[:-1])
        return value + penalty, np.append(inputs.T @ off + ridge * solution[:-1], off @ believed)

    start = np.append(np.zeros(inputs.shape[1]), 1.0)
    solved: Array = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300, "ftol": 1e-10, "gtol": 1e-4}
    ).x
    return solved


def _signed(inputs: Array, labels: Array, weights: Array, ridge: float, wrong: Callable[[Array], Any]) -> Array:
    """Weights and bias; features whose weight comes out ``wrong`` are left out until none does."""
    kept = np.arange(inputs.shape[1])
    while True:
        solved = _newton(inputs[:, kept], labels, weights, ridge)
        full = np.zeros(inputs.shape[1])
        full[kept] = solved[:-1]
        bad = wrong(full)[kept]
        if not bad.any():
            return np.append(full, solved[-1])
        kept = kept[~bad]


def _newton(inputs: Array, labels: Array, weights: Array, ridge: float) -> Array:
    inputs = np.hstack([inputs, np.ones((len(inputs), 1))])
    penalty = np.full(inputs.shape[1], ridge)
    penalty[-1] = 0.0
    solution = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(inputs @ solution, -30, 30)))
        gradient = inputs.T @ (weights * (chance - labels)) + penalty * solution
        curvature = (inputs * (weights * np.maximum(chance * (1 - chance), 1e-6))[:, None]).T @ inputs
        step = np.linalg.solve(curvature + np.diag(penalty), gradient)
        solution = solution - np.clip(step, -1.0, 1.0)
        if float(np.abs(step).max()) < 1e-9:
            break
    return solution


def principal(vectors: Array, dimensions: int) -> Array:
    """Principal directions of word vectors (not centred: cosines are what must survive), shape (384, dimensions)."""
    values, directions = np.linalg.eigh(vectors.T @ vectors)
    order = np.argsort(values)[::-1][:dimensions]
    chosen = directions[:, order]
    # The sign of an eigenvector is arbitrary: fix it, so that two machines agree.
    signs = np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(chosen.shape[1])])
    fixed: Array = chosen * signs
    return fixed
