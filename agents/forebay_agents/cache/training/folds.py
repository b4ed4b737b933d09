"""What does a fit say of pairs that it never had? Fits on parts of the pairs, and what follows from their scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forebay_agents.cache.matching.features import FAR, GLANCE, NEAR, TYPED_AGAIN
from forebay_agents.cache.matching.model import Array, Level
from forebay_agents.cache.training.fit import fit, weight_of
from forebay_agents.cache.training.pairs import Pair

_FOLDS = 8
GREY = 0.1
"""On held-out pairs the second encoder is then asked for 94 % of the true ones and a fifth of the hard negatives."""
_ZONES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""Least scores for which it is learnt how far down cheap looks have to look; for lower ones they drop nothing."""
_EXCEPTIONS = 0.001
_GLANCE_ODDS, _NEAR_ODDS = 0.5, 0.25
"""Share of the odds of the lowest such pair from which on a pair is looked at: others will lie lower than ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unseen:
    """Of each pair, what every level says that was fitted without its group; ``final``: what the stage would say."""

    glance: Array
    near: Array
    final: Array


def glances(rows_near: Array) -> Array:
    """The part of the first level's features that a glance sees."""
    return rows_near[:, [NEAR.index(name) for name in GLANCE]]


def scores(near: Level, far: Level, rows_near: Array, rows_far: Array) -> Array:
    """What the stage would say: the second level wherever the first does not rule the pair out."""
    first = near.probabilities(rows_near)
    final: Array = np.where(first >= GREY, far.probabilities(rows_far), first)
    return final


def zones(unseen: Unseen, spelling: Array, allowed: NDArray[np.bool_]) -> Array:
    """Rows of (least score that matters, glance, near): what pairs with that score reach, and a share of those odds.

    One pair in a thousand may be lost at a glance; those that share their spelling are never dropped there.

    Args:
        allowed: pairs that no guard forbids.
    """
    rows = []
    for least in _ZONES:
        mine = (unseen.final >= least) & allowed
        seen = np.sort(np.where(spelling[mine] >= TYPED_AGAIN, 1.0, unseen.glance[mine]))
        glance = _lowered(float(seen[int(_EXCEPTIONS * len(seen))]), _GLANCE_ODDS)
        near = _lowered(float(unseen.near[mine].min()), _NEAR_ODDS)
        rows.append((least, min(glance, least), min(max(near, GREY), least)))
    made = np.array(rows)
    made[:, 1:] = np.minimum.accumulate(made[::-1, 1:])[::-1]  # what a low score needs, a high one may need as well
    return made


def _lowered(probability: float, odds: float) -> float:
    return odds * probability / (1 - probability + odds * probability)


class Teacher:
    """Fits the levels on any part of the pairs."""

    def __init__(self, pairs: Sequence[Pair], rows_near: Array, rows_far: Array) -> None:
        self.labels = np.array([float(pair.duplicate) for pair in pairs])
        self._weights = np.array([weight_of(pair.kind) for pair in pairs])
        self._near, self._far, self._glances = rows_near, rows_far, glances(rows_near)

    def glance(self, part: NDArray[np.bool_]) -> Level:
        """The glance, fitted on the pairs in ``part``."""
        return fit(self._glances[part], self.labels[part], self._weights[part], GLANCE)

    def levels(self, part: NDArray[np.bool_]) -> tuple[Level, Level]:
        """Both other levels, fitted on the pairs in ``part``."""
        near, far = (
            fit(rows[part], self.labels[part], self._weights[part], names)
            for rows, names in ((self._near, NEAR), (self._far, FAR))
        )
        return near, far

    def unseen(self, pairs: Sequence[Pair]) -> Unseen:
        """Scores of all pairs by fits that did not have their group; what only checks teaches no fit."""
        checks = np.array([pair.checks for pair in pairs])
        groups = {group: number % _FOLDS for number, group in enumerate(sorted({pair.group for pair in pairs}))}
        fold = np.where(checks, _FOLDS, [groups[pair.group] for pair in pairs])
        made = Unseen(glance=np.zeros(len(pairs)), near=np.zeros(len(pairs)), final=np.zeros(len(pairs)))
        for number in range(_FOLDS + 1):
            mine = fold == number
            part = ~checks & ~mine
            near, far = self.levels(part)
            made.glance[mine] = self.glance(part).probabilities(self._glances[mine])
            made.near[mine] = near.probabilities(self._near[mine])
            made.final[mine] = scores(near, far, self._near[mine], self._far[mine])
        return made
