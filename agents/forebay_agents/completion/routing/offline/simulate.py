"""What would a tuned policy have cost, and how good would it have been? Replay of recorded answers, cross-validated.

Each fold is decided by a policy that was learnt from the other folds alone: router, confidence, the worth of asking on,
and the price λ at which it works. Beside it stand every model alone, the oracle (the cheapest of the best answers) and
the best random mixture of models at the tuned policy's cost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forebay_agents.completion.routing.offline.folds import folds_of
from forebay_agents.completion.routing.offline.policy import PRICES, Policy, features_of
from forebay_agents.completion.routing.offline.rows import Table

Array = NDArray[np.float64]

EQUAL = 0.999
"""Share of the best model's quality that counts as equal to it."""

_RESAMPLES = 400
_LEARNT_FROM = 12_000  # rows: more change little and take their time
Progress = Callable[[float], None]
"""Hears the share that is done."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Every row decided by a policy that did not see it.

    Attributes:
        quality, cost: by price and row.
        chosen: by row, the place of the price that was set on the other folds.
        served, asked: by row, at that price.
    """

    quality: Array
    cost: Array
    chosen: NDArray[np.int64]
    served: NDArray[np.int64]
    asked: NDArray[np.bool_]


def simulate(
    table: Table, *, folds: int = 5, floor: float | None = None, seed: int = 0, progress: Progress = lambda _: None
) -> dict[str, Any]:
    """The report that ``forebay tiers simulate --json`` prints.

    Args:
        folds: at least 2.
        floor: mean quality that the tuned policy is set to reach, as scored in the rows; by default that of the best
            model alone.
        seed: of the folds and the bootstrap.
    """
    found = replay(table, folds=folds, floor=floor, seed=seed, progress=progress)
    rows = np.arange(len(table))
    tuned_quality = found.quality[found.chosen, rows]
    tuned_cost = found.cost[found.chosen, rows]
    policies = [
        _policy(table, f"always:{name}", table.quality[:, tier], table.cost[:, tier], {name: 1.0})
        for tier, name in enumerate(table.tiers)
    ]
    policies.append(_oracle(table))
    policies.append(_random(table, float(tuned_cost.mean())))
    calls = {name: float(found.asked[:, tier].mean()) for tier, name in enumerate(table.tiers)}
    policies.append(_policy(table, "tuned", tuned_quality, tuned_cost, calls))
    value, low, high = _saving(table, found, seed)
    return {
        "rows": len(table),
        "rows_left_out": table.left_out,
        "tiers": list(table.tiers),
        "folds": min(folds, len(table)),
        "quality_floor": floor,
        "policies": policies,
        "frontier": _frontier(found),
        "saving_at_equal_quality": {"value": value, "ci95": [low, high], "equal": EQUAL},
        "wasted_cheap_calls": _wasted(found),
    }


def replay(table: Table, *, folds: int, floor: float | None, seed: int, progress: Progress) -> Replay:
    """Decide every row, fold by fold. Raises :class:`ValueError` when there are too few rows."""
    count = len(table)
    folds = min(folds, count)
    if folds < 2 or count < 10:
        raise ValueError("at least ten rows and two folds are needed")
    features = features_of(table)
    progress(0.1)
    fold_of = folds_of(table.prompts, folds, seed)
    quality, cost = np.zeros((len(PRICES), count)), np.zeros((len(PRICES), count))
    chosen = np.zeros(count, np.int64)
    served = np.zeros(count, np.int64)
    asked = np.zeros((count, len(table.tiers)), bool)
    for fold in range(folds):
        learnt, decided = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        if len(learnt) > _LEARNT_FROM:
            learnt = np.sort(np.random.default_rng(seed + fold).choice(learnt, _LEARNT_FROM, replace=False))
        policy = Policy(table, features, learnt, seed)
        price = _price(table, policy, learnt, floor)
        done = policy.decide(decided)
        quality[:, decided], cost[:, decided] = done.quality, done.cost
        chosen[decided] = price
        served[decided], asked[decided] = done.served[price], done.asked[price]
        progress(0.1 + 0.85 * (fold + 1) / folds)
    return Replay(quality=quality, cost=cost, chosen=chosen, served=served, asked=asked)


def _price(table: Table, policy: Policy, rows: NDArray[np.int64], floor: float | None) -> int:
    """Of the prices that reach the floor on the rows that the policy was learnt from, the one that cost least there."""
    wanted = float(table.quality[rows, policy.best].mean()) if floor is None else floor
    done = policy.train_curve()
    quality, cost = done.quality.mean(axis=1), done.cost.mean(axis=1)
    reaching = np.flatnonzero(quality >= wanted - 1e-9)
    return int(reaching[np.argmin(cost[reaching])]) if len(reaching) else int(np.argmax(quality))


def _frontier(found: Replay) -> list[dict[str, float]]:
    """The policy at all prices, from cheapest to dearest, without those that cost more and are no better."""
    points = zip(found.cost.mean(axis=1).tolist(), found.quality.mean(axis=1).tolist(), strict=True)
    kept: list[dict[str, float]] = []
    for cost, quality in sorted(points, key=lambda point: (point[0], -point[1])):
        if not kept or quality > kept[-1]["quality"]:
            kept.append({"cost": cost, "quality": quality})
    return kept


def _policy(table: Table, name: str, quality: Array, cost: Array, calls: Mapping[str, float]) -> dict[str, Any]:
    return {
        "name": name,
        "quality": float(quality.mean()),
        "cost": float(cost.mean()),
        "calls": {tier: calls.get(tier, 0.0) for tier in table.tiers},
    }


def _oracle(table: Table) -> dict[str, Any]:
    """For each row the cheapest of the best answers, asked at once."""
    best = table.quality.max(axis=1, keepdims=True)
    cost = np.where(table.quality >= best, table.cost, np.inf)
    chosen = cost.argmin(axis=1)
    rows = np.arange(len(table))
    calls = {name: float((chosen == tier).mean()) for tier, name in enumerate(table.tiers)}
    return _policy(table, "oracle", table.quality[rows, chosen], table.cost[rows, chosen], calls)


def _random(table: Table, cost: float) -> dict[str, Any]:
    """The best mixture of two models by lot whose mean cost is ``cost`` (or the nearest that there is)."""
    costs, qualities = table.cost.mean(axis=0), table.quality.mean(axis=0)
    cost = float(np.clip(cost, costs.min(), costs.max()))
    best = (-np.inf, 0, 0, 1.0)
    for one in range(len(costs)):
        for other in range(len(costs)):
            if costs[one] <= cost <= costs[other]:
                gap = costs[other] - costs[one]
                share = 1.0 if gap <= 0 else (costs[other] - cost) / gap
                quality = share * qualities[one] + (1 - share) * qualities[other]
                best = max(best, (float(quality), one, other, float(share)))
    quality, one, other, share = best
    calls = {table.tiers[other]: 1 - share}
    calls[table.tiers[one]] = calls.get(table.tiers[one], 0.0) + share if one == other else share
    full = {tier: calls.get(tier, 0.0) for tier in table.tiers}
    return {"name": "random", "quality": quality, "cost": cost, "calls": full}


def _wasted(found: Replay) -> float:
    """Of the calls that were not the last of their row, and so the cheaper ones, the share whose answer was not served.

    Taken over all calls to a tier below the dearest that the row asked or served.
    """
    tiers = np.arange(found.asked.shape[1])
    cheap = found.asked & (tiers < tiers[-1])
    unused = cheap & (tiers != found.served[:, None])
    return float(unused.sum() / cheap.sum()) if cheap.any() else 0.0


def _saving(table: Table, found: Replay, seed: int) -> tuple[float, float, float]:
    """Share of the best model's cost that is saved at its quality, with a 95 % bootstrap interval over rows."""
    best = int(np.argmax(table.quality.mean(axis=0)))
    count = len(table)
    reference_quality, reference_cost = table.quality[:, best], table.cost[:, best]
    even = np.ones(count) / count
    value = _saved(found, reference_quality, reference_cost, even)
    draw = np.random.default_rng(seed)
    again = [
        _saved(found, reference_quality, reference_cost, draw.multinomial(count, even) / count)
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(again, [0.025, 0.975])
    return value, float(low), float(high)


def _saved(found: Replay, reference_quality: Array, reference_cost: Array, weights: Array) -> float:
    from sklearn.isotonic import isotonic_regression

    wanted, paid = EQUAL * float(reference_quality @ weights), float(reference_cost @ weights)
    cost, quality = found.cost @ weights, found.quality @ weights
    rows = np.arange(len(weights))
    if paid <= 0:
        return 0.0
    # Whoever saves nothing keeps to the best model.
    needed = paid
    if float(found.quality[found.chosen, rows] @ weights) >= wanted:
        needed = min(needed, float(found.cost[found.chosen, rows] @ weights))
    order = np.argsort(cost, kind="stable")
    cost, quality = cost[order], isotonic_regression(quality[order])
    reaching = np.flatnonzero(quality >= wanted - 1e-12)
    if len(reaching):
        first = int(reaching[0])
        at = float(cost[first])
        if first > 0 and quality[first] > quality[first - 1]:
            part = (wanted - quality[first - 1]) / (quality[first] - quality[first - 1])
            at = float(cost[first - 1] + part * (cost[first] - cost[first - 1]))
        needed = min(needed, at)
    return 1 - needed / paid
