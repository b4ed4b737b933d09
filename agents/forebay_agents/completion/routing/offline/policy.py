"""Whom to ask, and when to stop? A policy learnt from rows, for any price of money in quality.

Before a call each tier's quality and cost are predicted from the prompt (the router). After a call its answer and how
far the answers agree correct the predictions, also of tiers not asked yet (the confidence). For a price λ of cost, the
policy then does what is worth most: serve, or ask a dearer tier, where the worth of asking counts what may be decided
afterwards (backward induction with fitted values, after Longstaff and Schwartz; the setting is that of cascade routing,
arXiv 2410.10347). Asking the right tier at once is one of the choices, so nobody pays for a cheap call that is bound to
be wasted (arXiv 2605.06350).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forebay_agents.completion.routing import prompts
from forebay_agents.completion.routing.offline import answers
from forebay_agents.completion.routing.offline.folds import folds_of
from forebay_agents.completion.routing.offline.learners import Mean, Ridge, best_alpha, out_of_fold
from forebay_agents.completion.routing.offline.rows import Table

Array = NDArray[np.float64]
State = tuple[int, ...]

PRICES = np.concatenate([[-np.inf, 0.0], np.logspace(-2.5, 0.7, 90), np.logspace(0.75, 3.5, 30), [np.inf]])
"""λ: quality that a call at the dearest tier's mean price must bring; from quality alone to price alone.

At minus infinity the best model is asked and nothing is looked at, at infinity the cheapest.
"""

_CASCADED = 3  # tiers that are asked one after another; all can be asked first
_INNER = 3


@dataclass(frozen=True, kw_only=True)
class Features:
    """Of a table, row by row, without a look at any label.

    Attributes:
        own: features of each tier's answer, by tier; ``None`` where a tier has neither answers nor confidences.
        agreement: of the answers of two tiers, by pair.
    """

    plain: Array
    counts: Any
    own: Sequence[Array | None]
    agreement: Mapping[tuple[int, int], Array]


def features_of(table: Table) -> Features:
    """About 1 ms a row and tier."""
    own: list[Array | None] = []
    for tier in range(len(table.tiers)):
        column = [row[tier] for row in table.answers]
        confidence = table.confidence[:, tier]
        silent = all(answer is None for answer in column) and bool(np.isnan(confidence).all())
        own.append(None if silent else answers.own_features(table.prompts, column, confidence))
    agreement = {
        (a, b): np.array([answers.agreement(row[a], row[b]) for row in table.answers])
        for a, b in combinations(range(len(table.tiers)), 2)
        if own[a] is not None and own[b] is not None
    }
    return Features(
        plain=prompts.plain_features(table.prompts),
        counts=prompts.counts(table.prompts),
        own=own,
        agreement=agreement,
    )


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """For each price (first axis) and row: who served, whether a tier was asked, and what came of it."""

    served: NDArray[np.int64]
    asked: NDArray[np.bool_]
    quality: Array
    cost: Array


class Policy:
    """Learnt from ``rows`` of ``table`` and nothing else.

    Args:
        rows: places of the rows to learn from.
        seed: of the inner folds.
    """

    def __init__(self, table: Table, features: Features, rows: NDArray[np.int64], seed: int = 0) -> None:
        self._table, self._features, self._rows = table, features, rows
        self._tiers = len(table.tiers)
        quality, cost = table.quality[rows], table.cost[rows]
        self._unit = float(cost.mean(axis=0).max()) or 1.0
        self.best = int(np.argmax(quality.mean(axis=0)))
        self.cheapest = int(np.lexsort((-quality.mean(axis=0), cost.mean(axis=0)))[0])
        folds = folds_of([table.prompts[row] for row in rows], _INNER, seed)
        self._space = prompts.PromptSpace(features.plain[rows], features.counts[rows], seed)
        known = self._space(features.plain[rows], features.counts[rows])
        targets = np.hstack([quality, cost / self._unit])
        alpha = best_alpha(known, targets, folds)
        self._router = Ridge(known, targets, alpha)
        self._low, self._high = quality.min(axis=0), quality.max(axis=0)
        self._least = 0.2 * cost.mean(axis=0) / self._unit
        self._cascade = _cascaded(quality.mean(axis=0), cost.mean(axis=0))
        # Predictions on the own rows come from models that did not see them: what follows must learn from honest ones.
        self._seen = self._bounded(out_of_fold(known, targets, folds, alpha))
        self._after: dict[tuple[State, int], Mean] = {}
        self._honest: dict[State, Array] = {}
        for state in self._states():
            self._honest[state] = self._learn(state, folds, seed)

    def train_curve(self) -> Decisions:
        """What the policy would have done with the rows it was learnt from, by predictions that did not see them."""
        values = self._values(self._seen, self._honest, None)
        return self._run(self._rows, self._seen, self._honest, values)

    def decide(self, rows: NDArray[np.int64]) -> Decisions:
        """What it does with other rows."""
        found = self._router(self._space(self._features.plain[rows], self._features.counts[rows]))
        seen = self._bounded(found)
        after = {state: self._predict(state, rows, seen) for state in self._states()}
        values = self._values(self._seen, self._honest, (seen, after))
        return self._run(rows, seen, after, values)

    def _bounded(self, found: Array) -> Array:
        quality = np.clip(found[:, : self._tiers], self._low, self._high)
        return np.hstack([quality, np.maximum(found[:, self._tiers :], self._least)])

    def _states(self) -> list[State]:
        """What may have been asked when something is still to be decided; from the longest."""
        informed = [t for t in self._cascade[:-1] if self._features.own[t] is not None]
        return [state for size in range(len(informed), 0, -1) for state in combinations(informed, size)]

    def _targets(self, state: State) -> list[int]:
        return [t for t in self._cascade if t in state or t > state[-1]]

    def _after_features(self, state: State, rows: NDArray[np.int64], seen: Array) -> Array:
        own = [self._features.own[tier] for tier in state]
        parts = [seen[:, : self._tiers], self._features.plain[rows][:, : prompts.NAMES]]
        parts += [column[rows] for column in own if column is not None]
        parts += [self._features.agreement[pair][rows][:, None] for pair in combinations(state, 2)]
        return np.hstack(parts)

    def _learn(self, state: State, folds: NDArray[np.int64], seed: int) -> Array:
        inputs = self._after_features(state, self._rows, self._seen)
        honest = self._seen[:, : self._tiers].copy()
        for tier in self._targets(state):
            target = self._table.quality[self._rows, tier]
            self._after[state, tier] = Mean(inputs, target, seed)
            for fold in range(_INNER):
                held = folds == fold
                honest[held, tier] = Mean(inputs[~held], target[~held], seed)(inputs[held])
        return honest

    def _predict(self, state: State, rows: NDArray[np.int64], seen: Array) -> Array:
        inputs = self._after_features(state, rows, seen)
        found = seen[:, : self._tiers].copy()
        for tier in self._targets(state):
            found[:, tier] = self._after[state, tier](inputs)
        return found

    def _values(
        self, seen: Array, honest: Mapping[State, Array], other: tuple[Array, Mapping[State, Array]] | None
    ) -> list[dict[tuple[State, int], Array]]:
        """For each price: the worth of asking a tier in a state, its own cost not counted.

        Learnt on ``seen`` and ``honest``; given for ``other`` rows, or for the same when there are none.
        """
        return [self._worth(price, seen, honest, other) for price in PRICES]

    def _worth(
        self,
        price: float,
        seen: Array,
        honest: Mapping[State, Array],
        other: tuple[Array, Mapping[State, Array]] | None,
    ) -> dict[tuple[State, int], Array]:
        found: dict[tuple[State, int], Array] = {}
        mine: dict[tuple[State, int], Array] = {}
        best: dict[State, Array] = {}
        if not np.isfinite(price):
            return found
        for state in [*self._states(), ()]:
            here = honest.get(state, seen)
            there = here if other is None else other[1].get(state, other[0])
            for tier in self._options(state):
                following = (*state, tier)
                plain, plain_there = here[:, tier], there[:, tier]
                if following in best:
                    model = Ridge(self._basis(here), best[following][:, None], 1.0)
                    mine[state, tier] = np.maximum(model(self._basis(here))[:, 0], plain)
                    found[state, tier] = np.maximum(model(self._basis(there))[:, 0], plain_there)
                else:
                    mine[state, tier], found[state, tier] = plain, plain_there
            if state:
                stop = here[:, list(state)].max(axis=1)
                asks = [mine[state, t] - price * seen[:, self._tiers + t] for t in self._options(state)]
                best[state] = np.max([stop, *asks], axis=0)
        return found

    def _options(self, state: State) -> list[int]:
        return [t for t in self._cascade if t > state[-1]] if state else list(range(self._tiers))

    def _basis(self, quality: Array) -> Array:
        columns = quality[:, self._cascade]
        gaps = [np.abs(columns[:, a] - columns[:, b]) for a, b in combinations(range(columns.shape[1]), 2)]
        return np.column_stack([columns, columns**2, *gaps])

    def _run(
        self,
        rows: NDArray[np.int64],
        seen: Array,
        after: Mapping[State, Array],
        values: Sequence[Mapping[tuple[State, int], Array]],
    ) -> Decisions:
        shape = (len(PRICES), len(rows))
        served = np.zeros(shape, np.int64)
        asked = np.zeros((*shape, self._tiers), bool)
        for index, (price, worth) in enumerate(zip(PRICES, values, strict=True)):
            if not np.isfinite(price):
                only = self.cheapest if price > 0 else self.best
                served[index], asked[index, :, only] = only, True
                continue
            self._walk((), np.arange(len(rows)), price, worth, seen, after, served[index], asked[index])
        quality, cost = self._table.quality[rows], self._table.cost[rows]
        return Decisions(
            served=served,
            asked=asked,
            quality=np.take_along_axis(np.broadcast_to(quality, asked.shape), served[:, :, None], axis=2)[:, :, 0],
            cost=(asked * cost).sum(axis=2),
        )

    def _walk(
        self,
        state: State,
        here: NDArray[np.int64],
        price: float,
        worth: Mapping[tuple[State, int], Array],
        seen: Array,
        after: Mapping[State, Array],
        served: NDArray[np.int64],
        asked: NDArray[np.bool_],
    ) -> None:
        """Decide for the rows ``here``, all of which have asked ``state``; writes into ``served`` and ``asked``."""
        if not len(here):
            return
        options = self._options(state)
        gains = [worth[state, t][here] - price * seen[here, self._tiers + t] for t in options]
        if state:
            known = after[state][here][:, list(state)]
            served[here] = np.array(state)[known.argmax(axis=1)]
            gains = [known.max(axis=1), *gains]
            chosen = np.argmax(gains, axis=0) - 1
        else:
            chosen = np.argmax(gains, axis=0)
        for place, tier in enumerate(options):
            going = here[chosen == place]
            asked[going, tier] = True
            served[going] = tier
            following = (*state, tier)
            if following in after:
                self._walk(following, going, price, worth, seen, after, served, asked)


def _cascaded(quality: Array, cost: Array) -> list[int]:
    """Tiers to be asked one after another: on the upper hull of quality over cost, the cheapest and the best too."""
    order = np.lexsort((-quality, cost))
    hull: list[int] = []
    for tier in order:
        if hull and quality[tier] <= quality[hull[-1]]:
            continue
        while len(hull) > 1 and _slope(quality, cost, hull[-2], hull[-1]) <= _slope(quality, cost, hull[-2], tier):
            hull.pop()
        hull.append(int(tier))
    while len(hull) > _CASCADED:  # the least bend goes
        bends = [
            _slope(quality, cost, hull[i - 1], hull[i]) - _slope(quality, cost, hull[i], hull[i + 1])
            for i in range(1, len(hull) - 1)
        ]
        hull.pop(1 + int(np.argmin(bends)))
    return sorted(hull)


def _slope(quality: Array, cost: Array, one: int, other: int) -> float:
    return float((quality[other] - quality[one]) / (cost[other] - cost[one] + 1e-12))
