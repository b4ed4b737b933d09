"""How well does the decision do on labelled pairs, and which threshold keeps a bound on them?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forebay_agents.cache.error_bound import curve
from forebay_agents.cache.matching.matching import Verdict
from forebay_agents.cache.offline.explaining import QuestionPair

_CURVE = (*(round(step / 20, 2) for step in range(1, 20)), 0.97, 0.99)
_SHARES = (0.01, 0.05, 0.10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """Verdicts on labelled pairs, as arrays."""

    scores: curve.Array
    cosines: curve.Array
    hits: Any
    forbidden: Any
    truth: Any
    threshold: float


def labelled(pairs: Sequence[QuestionPair], verdicts: Sequence[Verdict]) -> Labelled:
    """Gather what is needed of pairs with labels."""
    return Labelled(
        scores=np.array([verdict.score for verdict in verdicts]),
        cosines=np.array([verdict.similarity for verdict in verdicts]),
        hits=np.array([verdict.hit for verdict in verdicts]),
        forbidden=np.array([verdict.forbidden for verdict in verdicts]),
        truth=np.array([bool(pair.duplicate) for pair in pairs]),
        threshold=verdicts[0].threshold if verdicts else 1.0,
    )


def report(data: Labelled, delta: float) -> dict[str, Any]:
    """Precision, recall and wrong hits of the decision, of its score, and of plain cosine beside them."""
    return {
        "pairs": len(data.truth),
        "duplicates": int(data.truth.sum()),
        "delta": delta,
        "decision": {"threshold": data.threshold, **_outcome(data.hits, data.truth)},
        "score": _ranking(data.scores, data, delta),
        "cosine": _ranking(data.cosines, data, delta),
    }


def _ranking(values: curve.Array, data: Labelled, delta: float) -> dict[str, Any]:
    """What sweeping a threshold over ``values`` gives; its best threshold is chosen on these very pairs."""
    fitting = [point for point in curve.points(values, data.truth) if point.wrong_share <= delta]
    best = max(fitting, key=lambda point: (point.recall, point.threshold), default=None)
    chosen = None
    if best is not None:
        chosen = {"threshold": best.threshold, **_outcome(values >= best.threshold, data.truth)}
    area = curve.area(values, data.truth)
    recalls = {f"{share:g}": curve.recall_at(values, data.truth, share) for share in _SHARES}
    return {
        "area": None if math.isnan(area) else area,  # of one label only; JSON has no NaN
        "recall_at_wrong_share": recalls if data.truth.any() else dict.fromkeys(recalls),
        "best": chosen,
        "curve": [{"threshold": least, **_outcome(values >= least, data.truth)} for least in _CURVE],
    }


def _outcome(hits: Any, truth: Any) -> dict[str, Any]:
    count, wrong = int(hits.sum()), int((hits & ~truth).sum())
    low, high = curve.wilson(wrong, count)
    return {
        "hits": count,
        "wrong_hits": wrong,
        "precision": (count - wrong) / count if count else None,
        "recall": (count - wrong) / int(truth.sum()) if truth.any() else None,
        "wrong_hit_rate": wrong / count if count else 0.0,
        "wrong_hit_interval": [low, high],
    }


def proposals(data: Labelled, deltas: Sequence[float]) -> list[dict[str, Any]]:
    """For each δ the least threshold that these pairs prove, guards applied; ``None`` where they prove none."""
    allowed = ~data.forbidden
    rows = []
    for delta in deltas:
        found = curve.threshold_for(data.scores[allowed], data.truth[allowed], delta) if allowed.any() else None
        hits = allowed & (data.scores >= (2.0 if found is None else found))
        rows.append({"delta": delta, "threshold": found, **_outcome(hits, data.truth)})
    return rows
