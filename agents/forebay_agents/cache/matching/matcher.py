"""May one answer serve both questions? Guards, features and the calibrated model put together.

A new question costs one inference of the first encoder. What is hopeless at a glance is not read word by word, and
only when some stored question scores in the grey zone is the new one read by the second encoder too, once for all.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from forebay_agents.cache.language.facts import Facts, facts_of
from forebay_agents.cache.language.pleasantries import bare
from forebay_agents.cache.language.words import words_of
from forebay_agents.cache.matching import features
from forebay_agents.cache.matching.alignment import Aligned, Matrix, aligned, word_vectors
from forebay_agents.cache.matching.guards import differences
from forebay_agents.cache.matching.matching import Reading, Verdict, View
from forebay_agents.cache.matching.model import Model, Zone
from forebay_agents.embeddings import Encoded

K = TypeVar("K")
V = TypeVar("V")

_LEVELS = 127
_SEEN = 2048
"""Questions whose second reading is remembered: about 4 kB each."""
_LITERAL = frozenset(
    {"numbers", "units", "verbatim", "pseudonyms", "negation", "polarity", "direction", "comparison", "question_type"}
)
_PENALTY = 3.0
"""Log odds by which a literal difference lowers the score: of the written pairs with one, 2 % are true. Names and
superlatives mislead too often for that, and time changes the answer but not the meaning."""


class Encodes(Protocol):
    """The part of ``forebay_agents.embeddings.Encoder`` that is needed."""

    identity: str

    def encode(self, text: str) -> Encoded:
        """Sentence vector and pieces in one inference."""
        ...

    def rank(self, word: str) -> int | None:
        """Rank of a word by frequency."""
        ...


class CalibratedMatcher:
    """See :class:`forebay_agents.cache.matching.matching.Matcher`.

    Args:
        near: the first encoder.
        far: the second one; ``None`` to do without, at the price of recall.
        delta: largest share of wrong hits; sets the static threshold, unless ``threshold`` does.
    """

    def __init__(
        self, near: Encodes, far: Encodes | None, model: Model, delta: float, threshold: float | None = None
    ) -> None:
        self._near = near
        self._far = far
        self._model = model
        # Most stored questions are never in doubt: the second encoder, 10 ms, reads them when they first are.
        self._seen: OrderedDict[str, View] = OrderedDict()
        # A text has one view for each encoder, so what was made of it once holds for every copy out of the store.
        self._prepared: OrderedDict[tuple[str, bool], Aligned] = OrderedDict()
        self.threshold = model.threshold(delta) if threshold is None else threshold

    @property
    def parts(self) -> tuple[Encodes, Encodes | None, Model]:
        """Both encoders and the model, for another matcher on them."""
        return self._near, self._far, self._model

    @property
    def identity(self) -> str:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        far = self._far.identity if self._far else ""
        return f"{self._near.identity}+{far}+{self._model.version}"

    def read(self, text: str) -> Reading:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        return Reading(text=text, near=self._view(text, self._near, self._model.near_basis), far=None)

    def deepen(self, reading: Reading) -> Reading:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        if self._far is None or reading.far is not None:
            return reading
        far = self._seen.get(reading.text)
        if far is None:
            far = self._view(reading.text, self._far, self._model.far_basis)
            _remember(self._seen, reading.text, far)
        return Reading(text=reading.text, near=reading.near, far=far)

    def recalled(self, reading: Reading) -> Reading:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        far = self._seen.get(reading.text)
        return reading if far is None else Reading(text=reading.text, near=reading.near, far=far)

    def compare(
        self, new: Reading, stored: Sequence[Reading], thresholds: Sequence[float | None] = (), floor: float = 0.0
    ) -> list[Verdict]:
        """See :class:`forebay_agents.cache.matching.matching.Matcher`."""
        if not stored:
            return []
        wholes = new.near.sentence * np.array([other.near.sentence for other in stored])
        cosines = wholes.sum(axis=1).tolist()
        # What a glance costs, for all at once: 40 µs. What reading one pair of questions costs: 1 ms.
        glances = self._model.glance.probabilities(features.glance(wholes)).tolist()
        verdicts = []
        for index, other in enumerate(stored):
            given = thresholds[index] if index < len(thresholds) else None
            threshold = self.threshold if given is None else given
            zone = self._model.zone(min(threshold, floor))
            score, decisive = glances[index], tuple[str, ...]()
            if score >= zone.glance or features.spelling(bare(new.text), bare(other.text)) >= features.TYPED_AGAIN:
                new, score, decisive = self._read_closely(new, other, wholes[index], zone)
            verdicts.append(_verdict(score, cosines[index], threshold, decisive))
        return verdicts

    def _read_closely(
        self, new: Reading, other: Reading, whole: Matrix, zone: Zone
    ) -> tuple[Reading, float, tuple[str, ...]]:
        """The new reading, deepened where that was worth while; the score; and the guards that forbid the hit."""
        row = features.near(
            whole, self._aligned(new.text, new.near), self._aligned(other.text, other.near),
            words_of(bare(new.text)), words_of(bare(other.text)),
        )  # fmt: skip
        unguarded = self._model.near.probability(row)
        rough = zone.glance > 0
        if rough and unguarded < zone.near:
            return new, unguarded, ()  # guards only lower a score
        found = differences(_facts(new.text), _facts(other.text))
        score = _lowered(self._model.near.probability(features.guarded(row, found)), found.decisive)
        # Whom a guard forbids, no score allows: where scores are only wanted for hits, that is the end of it.
        if score < zone.near or self._far is None or (rough and found.decisive):
            return new, score, found.decisive
        new = self.deepen(new)
        return new, _lowered(self._second(row, new, self.deepen(other)), found.decisive), found.decisive

    def rows(self, a: str, b: str) -> tuple[features.Row, features.Row]:
        """Features of both levels for a pair: what the training reads."""
        first, second = self.deepen(self.read(a)), self.deepen(self.read(b))
        row = features.near(
            first.near.sentence * second.near.sentence,
            self._aligned(a, first.near),
            self._aligned(b, second.near),
            words_of(bare(a)),
            words_of(bare(b)),
        )
        features.guarded(row, differences(_facts(a), _facts(b)))
        return row, self._far_row(row, first, second)

    def _second(self, row: features.Row, new: Reading, other: Reading) -> float:
        return self._model.far.probability(self._far_row(row, new, other))

    def _far_row(self, row: features.Row, new: Reading, other: Reading) -> features.Row:
        assert new.far is not None
        assert other.far is not None
        whole = new.far.sentence * other.far.sentence
        return features.far(
            row, whole, self._aligned(new.text, new.far, deep=True), self._aligned(other.text, other.far, deep=True)
        )

    def _view(self, text: str, encoder: Encodes, basis: NDArray[np.float32]) -> View:
        encoded = encoder.encode(bare(text))
        words = word_vectors(words_of(bare(text)).all, encoded) @ basis
        peak = np.maximum(np.abs(words).max(axis=1, keepdims=True), 1e-6) if len(words) else np.ones((0, 1), np.float32)
        return View(sentence=encoded.sentence, words=np.rint(words / peak * _LEVELS).astype(np.int8))

    def _aligned(self, text: str, view: View, *, deep: bool = False) -> Aligned:
        known = self._prepared.get((text, deep))
        if known is None:
            known = aligned(words_of(bare(text)).all, view.words.astype(np.float32), self._near.rank)
            _remember(self._prepared, (text, deep), known)
        return known


def _remember(known: "OrderedDict[K, V]", key: K, value: V) -> None:
    known[key] = value
    if len(known) > _SEEN:
        known.popitem(last=False)


def _facts(text: str) -> Facts:
    return facts_of(bare(text))


def _lowered(score: float, decisive: tuple[str, ...]) -> float:
    """The score in the light of differences that forbid the hit: still graded, so that pairs stay ranked."""
    if not _LITERAL.intersection(decisive):
        return score
    certain = min(max(score, 1e-12), 1 - 1e-12)
    return 1.0 / (1.0 + math.exp(_PENALTY - math.log(certain / (1 - certain))))


def _verdict(score: float, cosine: float, threshold: float, objected: tuple[str, ...]) -> Verdict:
    hit = score >= threshold and not objected
    reasons = objected or (("same_meaning",) if hit else ("below_threshold",))
    return Verdict(
        hit=hit, similarity=cosine, threshold=threshold, score=score, reasons=reasons, forbidden=bool(objected)
    )
