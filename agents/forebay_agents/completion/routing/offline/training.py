"""How are router and confidence learnt from judged rows? Logistic regression and isotonic curves, honestly measured.

Rows are those of :mod:`rows` (``correct`` from a judge or a person, as a share from 0 to 1). The router sees the prompt
alone; the curve of each tier is fitted on predictions for left-out folds. Confidence curves map what
:func:`confidence.assess_text` says of the answer, or the recorded ``confidence``, to the share that was right. The
expected calibration error (ECE, ten bins of equal count) is measured on folds that the curve did not see.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from forebay_agents.completion.routing import prompts
from forebay_agents.completion.routing.confidence import assess_text
from forebay_agents.completion.routing.model import Curve, Linear, RouterModel
from forebay_agents.completion.routing.offline.rows import Outcome, Row

Array = NDArray[np.float64]

LEAST_ROWS = 30
"""Per tier; with fewer a tier is left to the heuristic."""

_FOLDS = 5
_BINS = 10


def trained(rows: Sequence[Row], *, now: datetime | None = None) -> RouterModel:
    """Router and confidence from ``rows``. Raises :class:`ValueError` for too few rows or odd scores."""
    _check(rows)
    plain = prompts.plain_features([row.prompt for row in rows])
    mean, scale = plain.mean(axis=0), plain.std(axis=0) + 1e-6
    known = (plain - mean) / scale
    tiers: dict[str, Linear] = {}
    for name in sorted({name for row in rows for name in row.models}):
        have = [place for place, row in enumerate(rows) if name in row.models]
        target = np.array([rows[place].models[name].correct for place in have])
        if len(have) >= LEAST_ROWS:
            tiers[name] = _linear(known[have], np.clip(target, 0, 1))
    if not tiers:
        raise ValueError(f"no model has {LEAST_ROWS} rows")
    return RouterModel(
        version=_version(now),
        made_at=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        rows=len(rows),
        mean=tuple(map(float, mean)),
        scale=tuple(map(float, scale)),
        tiers=tiers,
        confidences=confidences(rows),
    )


def calibrated(model: RouterModel | None, rows: Sequence[Row], *, now: datetime | None = None) -> RouterModel:
    """``model`` with new confidence curves, its router as it was. Raises :class:`ValueError` as :func:`trained`."""
    _check(rows)
    curves = confidences(rows)
    if not curves:
        raise ValueError(f"there are no {LEAST_ROWS} rows with an answer or a confidence")
    base = model or RouterModel(version="")
    return RouterModel(
        version=_version(now),
        made_at=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        rows=len(rows),
        mean=base.mean,
        scale=base.scale,
        tiers=base.tiers,
        confidences=curves,
    )


def _check(rows: Sequence[Row]) -> None:
    if not rows:
        raise ValueError("there are no rows")
    if any(not 0 <= outcome.correct <= 1 for row in rows for outcome in row.models.values()):
        raise ValueError("to learn from, correct must be between 0 and 1 in every row")


def confidences(rows: Sequence[Row]) -> dict[str, Curve]:
    """A curve for each model with enough rows, and ``*`` for all together."""
    scores: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        for name, outcome in row.models.items():
            score = raw_score(row.prompt, outcome)
            if score is not None:
                pair = (score, min(1.0, max(0.0, outcome.correct)))
                scores.setdefault(name, []).append(pair)
                scores.setdefault("*", []).append(pair)
    return {
        name: isotonic(np.array([s for s, _ in pairs]), np.array([c for _, c in pairs]))
        for name, pairs in sorted(scores.items())
        if len(pairs) >= LEAST_ROWS
    }


def raw_score(prompt: str, outcome: Outcome) -> float | None:
    """What the stage would have thought of an answer, before any curve."""
    if not np.isnan(outcome.confidence):
        return float(outcome.confidence)
    return None if outcome.answer is None else assess_text(prompt, outcome.answer).probability


def isotonic(scores: Array, correct: Array) -> Curve:
    """An isotonic curve with the ECE that such a curve has on rows it did not see."""
    folds = np.random.default_rng(0).permutation(len(scores)) % _FOLDS
    held = np.empty(len(scores))
    for fold in range(_FOLDS):
        curve = _fitted(scores[folds != fold], correct[folds != fold])
        held[folds == fold] = [curve(score) for score in scores[folds == fold]]
    full = _fitted(scores, correct)
    return Curve(
        scores=full.scores,
        probabilities=full.probabilities,
        rows=len(scores),
        ece=ece(held, correct),
        ece_before=ece(scores, correct),
    )


def ece(probabilities: Array, correct: Array) -> float:
    """Expected calibration error over bins of equal count."""
    order = np.argsort(probabilities, kind="stable")
    parts = np.array_split(order, min(_BINS, len(order)))
    return float(sum(abs(probabilities[p].mean() - correct[p].mean()) * len(p) for p in parts) / len(order))


def _fitted(scores: Array, correct: Array) -> Curve:
    from sklearn.isotonic import IsotonicRegression

    # Two made-up rows, one right and one wrong, keep the ends off 0 and 1.
    ends = np.array([scores.min(), scores.max()])
    fitted = IsotonicRegression(out_of_bounds="clip").fit(
        np.concatenate([scores, ends, ends]), np.concatenate([correct, [0, 0], [1, 1]])
    )
    xs, first = np.unique(fitted.X_thresholds_, return_index=True)
    return Curve(scores=tuple(map(float, xs)), probabilities=tuple(map(float, np.asarray(fitted.y_thresholds_)[first])))


def _linear(known: Array, target: Array) -> Linear:
    folds = np.random.default_rng(0).permutation(len(target)) % _FOLDS
    held = np.empty(len(target))
    for fold in range(_FOLDS):
        weights, bias = _logistic(known[folds != fold], target[folds != fold])
        held[folds == fold] = 1 / (1 + np.exp(-(known[folds == fold] @ weights + bias)))
    weights, bias = _logistic(known, target)
    return Linear(weights=tuple(map(float, weights)), bias=bias, curve=isotonic(held, target))


def _logistic(known: Array, target: Array) -> tuple[Array, float]:
    """Scores between 0 and 1 count as part right, part wrong."""
    from sklearn.linear_model import LogisticRegression

    if target.min() == target.max() and target.min() in (0.0, 1.0):
        rate = (target.sum() + 1) / (len(target) + 2)
        return np.zeros(known.shape[1]), float(np.log(rate / (1 - rate)))
    labels = np.concatenate([np.ones(len(target)), np.zeros(len(target))])
    weights = np.concatenate([target, 1 - target])
    fitted = LogisticRegression(C=0.03, max_iter=500).fit(np.vstack([known, known]), labels, sample_weight=weights)
    return fitted.coef_[0], float(fitted.intercept_[0])


def _version(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%S%fZ")
