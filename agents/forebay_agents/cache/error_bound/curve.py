"""How good is a score at labelled pairs? Recall, wrong hits with their interval, and the threshold for a bound."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """What a threshold gives: hits, wrong ones among them, share of true pairs that hit."""

    threshold: float
    hits: int
    wrong: int
    recall: float

    @property
    def wrong_share(self) -> float:
        """Wrong hits as a share of hits; 0 without hits."""
        return self.wrong / self.hits if self.hits else 0.0


def points(scores: Array, labels: NDArray[Any]) -> list[Point]:
    """One point for each distinct score, strictest first."""
    order = np.argsort(-scores, kind="stable")
    ranked, truth = scores[order], np.asarray(labels, bool)[order]
    right, wrong = np.cumsum(truth), np.cumsum(~truth)
    last = np.append(np.nonzero(np.diff(ranked))[0], len(ranked) - 1)
    total = int(truth.sum()) or 1
    return [
        Point(
            threshold=float(ranked[i]),
            hits=int(right[i] + wrong[i]),
            wrong=int(wrong[i]),
            recall=float(right[i]) / total,
        )
        for i in last
    ]


def recall_at(scores: Array, labels: NDArray[Any], share: float) -> float:
    """Largest recall at which at most ``share`` of the hits is wrong."""
    return max((p.recall for p in points(scores, labels) if p.wrong_share <= share), default=0.0)


def area(scores: Array, labels: NDArray[Any]) -> float:
    """Area under the ROC curve: the chance that a true pair scores above a false one."""
    truth = np.asarray(labels, bool)
    positive, negative = np.sort(scores[truth]), scores[~truth]
    if not len(positive) or not len(negative):
        return math.nan
    below = np.searchsorted(positive, negative, side="left") + np.searchsorted(positive, negative, side="right")
    return float(1 - below.sum() / (2 * len(positive) * len(negative)))


def threshold_for(scores: Array, labels: NDArray[Any], delta: float) -> float | None:
    """Least threshold at which the wrong share is believed to be at most ``delta``; ``None`` when none is.

    Believed: (wrong + 1) / (hits + 1) ≤ δ, Laplace's caution, so that few pairs without an error prove nothing.
    """
    fitting = [p.threshold for p in points(scores, labels) if (p.wrong + 1) / (p.hits + 1) <= delta]
    return min(fitting) if fitting else None


def thresholds(scores: Array, labels: NDArray[Any], deltas: Sequence[float]) -> list[tuple[float, float]]:
    """Rows of (δ, threshold) for those bounds that the pairs can prove."""
    rows = ((delta, threshold_for(scores, labels, delta)) for delta in deltas)
    return [(delta, found) for delta, found in rows if found is not None]


def wilson(wrong: int, hits: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval (95 % by default) for a share; (0, 1) without observations."""
    if not hits:
        return 0.0, 1.0
    share, square = wrong / hits, z * z
    centre = share + square / (2 * hits)
    spread = z * math.sqrt(share * (1 - share) / hits + square / (4 * hits * hits))
    scale = 1 + square / hits
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
