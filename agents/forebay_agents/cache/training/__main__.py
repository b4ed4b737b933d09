"""``python -m forebay_agents.cache.training``: learn the weights again and write them; four minutes of CPU.

Prints what the model card states: ranking of pairs that were never trained on, beside plain cosine. ``--check`` writes
nothing and fails when the shipped weights say something else of any pair than what the texts give, by more than
``TOLERANCE``. Nothing here is random or threaded, so one machine gives the same bits each time; the int8 kernels of the
encoders round differently on other processors, which is what the tolerance is for.
"""

import random
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forebay_agents.cache.error_bound import curve
from forebay_agents.cache.language.facts import facts_of
from forebay_agents.cache.language.pleasantries import bare
from forebay_agents.cache.matching.alignment import word_vectors
from forebay_agents.cache.matching.features import NEAR, WORD_DIMENSIONS
from forebay_agents.cache.matching.matcher import CalibratedMatcher, Encodes
from forebay_agents.cache.matching.model import Array, Level, Model, load
from forebay_agents.cache.training.fit import principal
from forebay_agents.cache.training.folds import GREY, Teacher, glances, scores, zones
from forebay_agents.cache.training.neighbours import neighbours
from forebay_agents.cache.training.pairs import Pair, digest, everything
from forebay_agents.embeddings import Encoded, bge, minilm

_GRID_PAIRS = 1_900
_DELTAS = (0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
_REPORTED = (
    "medical", "patients", "doctors", "clinic", "practice", "community", "everyday", "forum", "threads", "workshop",
    "broad", "desk", "narrower", "unseen", "probe", "edit", "swap", "grid",
)  # fmt: skip
VERSION = "6"
TOLERANCE = 0.02
"""Largest difference of a score, and of a threshold, between the shipped weights and those that the texts give."""


class Remembering:
    """An encoder that encodes a text only once."""

    def __init__(self, encoder: Encodes) -> None:
        self.identity = encoder.identity
        self.rank = encoder.rank
        self._encode = lru_cache(maxsize=None)(encoder.encode)

    def encode(self, text: str) -> Encoded:
        """See :class:`forebay_agents.embeddings.Encoder`."""
        return self._encode(text)


def chosen() -> list[Pair]:
    """All written pairs and a sample of the grids."""
    pairs = everything()
    grid = [pair for pair in pairs if pair.kind.startswith("grid")]
    rest = [pair for pair in pairs if not pair.kind.startswith("grid")]
    return rest + random.Random(3).sample(grid, _GRID_PAIRS)  # noqa: S311 - repeatable, not secret


def basis(pairs: list[Pair], encoder: Encodes) -> Array:
    """Principal directions of the word vectors of the texts that are trained on."""
    texts = sorted({text for pair in pairs if not pair.checks for text in (pair.a, pair.b)})
    found = []
    for text in texts:
        vectors = word_vectors(facts_of(bare(text)).words.all, encoder.encode(bare(text))).astype(np.float64)
        found.append(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6))
    return principal(np.concatenate(found), WORD_DIMENSIONS)


def rows_of(pairs: list[Pair], near: Encodes, far: Encodes, near_basis: Array, far_basis: Array) -> tuple[Array, Array]:
    """Features of both levels, one row a pair."""
    nothing = Level(mean=np.zeros(1), scale=np.ones(1), weights=np.zeros(1), bias=0.0)
    blank = Model(
        glance=nothing,
        near=nothing,
        far=nothing,
        grey=0.0,
        thresholds=np.zeros((0, 2)),
        zones=np.zeros((0, 3)),
        near_basis=near_basis.astype(np.float16).astype(np.float32),
        far_basis=far_basis.astype(np.float16).astype(np.float32),
        version="",
    )
    matcher = CalibratedMatcher(near, far, blank, 0.01)
    made = [matcher.rows(pair.a, pair.b) for pair in pairs]
    return np.array([row for row, _ in made]), np.array([row for _, row in made])


@dataclass(frozen=True, kw_only=True)
class Taught:
    """A model, and what it was learned from: the pairs with their features, and what fits without them say of them."""

    model: Model
    pairs: list[Pair]
    rows_near: Array
    rows_far: Array
    unseen: Array


def taught(written: list[Pair]) -> Taught:
    """Learn from pairs and from their neighbours; some must be for checks only."""
    near_encoder, far_encoder = Remembering(minilm()), Remembering(bge())
    vector_of = {text: near_encoder.encode(text).sentence for pair in written for text in (pair.a, pair.b)}
    pairs = written + neighbours(written, vector_of)
    bases = basis(pairs, near_encoder), basis(pairs, far_encoder)
    rows_near, rows_far = rows_of(pairs, near_encoder, far_encoder, *bases)
    teacher = Teacher(pairs, rows_near, rows_far)
    checks = np.array([pair.checks for pair in pairs])
    unseen = teacher.unseen(pairs)
    allowed = ~_forbidden(rows_near)
    near, far = teacher.levels(~checks)
    model = Model(
        glance=teacher.glance(~checks), near=near, far=far, grey=GREY,
        thresholds=np.array(curve.thresholds(unseen.final[allowed], teacher.labels[allowed], _DELTAS)),
        zones=zones(unseen, rows_near[:, NEAR.index("grams")], allowed), near_basis=bases[0].astype(np.float32),
        far_basis=bases[1].astype(np.float32), version=VERSION, texts=digest(written),
    )  # fmt: skip
    return Taught(model=model, pairs=pairs, rows_near=rows_near, rows_far=rows_far, unseen=unseen.final)


def main(check: bool) -> int:
    """Learn, report, and write or compare."""
    made = taught(chosen())
    _report(made)
    path = Path(str(files("forebay_agents.cache.matching") / "weights.npz"))
    if check:
        return _same(made.model, load(path), made.rows_near, made.rows_far)
    made.model.save(path)
    thresholds, reach = made.model.thresholds.tolist(), made.model.zones.round(4).tolist()
    sys.stdout.write(f"wrote {path.name}, {path.stat().st_size} bytes; thresholds {thresholds}\n")
    sys.stdout.write(f"zones (score, glance, near): {reach}\n")
    return 0


def _forbidden(rows_near: Array) -> NDArray[np.bool_]:
    guards = [place for place, name in enumerate(NEAR) if name.startswith("guard_")]
    found: NDArray[np.bool_] = np.asarray((rows_near[:, guards] == 1.0).any(axis=1))
    return found


def _same(made: Model, shipped: Model, rows_near: Array, rows_far: Array) -> int:
    told = [scores(model.near, model.far, rows_near, rows_far) for model in (made, shipped)]
    # A score at the edge of the grey zone may fall on either side of it: each level is compared for itself.
    apart = max(
        abs(one.probability(row) - other.probability(row))
        for one, other, rows in (
            (made.glance, shipped.glance, glances(rows_near)),
            (made.near, shipped.near, rows_near),
            (made.far, shipped.far, rows_far),
        )
        for row in rows
    )
    moved = max(abs(made.threshold(delta) - shipped.threshold(delta)) for delta in _DELTAS)
    sys.stdout.write(
        f"largest difference of a score {apart:.6f}, of a threshold {moved:.6f}; {int((told[0] != told[1]).sum())} of "
        f"{len(told[0])} scores are not the same bits\n"
    )
    return 0 if max(apart, moved) <= TOLERANCE else 1


def _belongs(pair: Pair, name: str) -> bool:
    """Whether a pair is reported under ``name``: written ones by domain, edits beside all written ones."""
    if pair.kind == "written":
        return name in (pair.domain, "edit")
    return pair.kind.startswith(name)


def _report(made: Taught) -> None:
    pairs, unseen, cosine, forbidden = made.pairs, made.unseen, made.rows_near[:, 0], _forbidden(made.rows_near)
    labels = np.array([pair.duplicate for pair in pairs])
    checks = np.array([pair.checks for pair in pairs])
    for name in _REPORTED:
        part = np.array([_belongs(pair, name) for pair in pairs]) & checks
        for label, values in (("score", unseen), ("cosine", cosine)):
            five, ten = (curve.recall_at(values[part], labels[part], share) for share in (0.05, 0.10))
            area = curve.area(values[part], labels[part])
            sys.stdout.write(
                f"{name:10s} {label:7s} pairs {int(part.sum()):4d}  area {area:.3f}  recall at wrong hits <= 5 %: "
                f"{five:.2f}, <= 10 %: {ten:.2f}  forbidden by guards: {int((forbidden & part & labels).sum())} true, "
                f"{int((forbidden & part & ~labels).sum())} false\n"
            )


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
