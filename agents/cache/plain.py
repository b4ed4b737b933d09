"""How far does plain cosine go? The matcher that looks at one number; kept as the yardstick of ``evaluate``."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from agents.cache.matching import Reading, Verdict
from agents.cache.store import Vector

_STATIC = 0.95
_SLOPE, _MIDDLE = 40.0, 0.87


class Embeds(Protocol):
    """The part of ``streams.encoder.Encoder`` that is needed."""

    identity: str

    def embed(self, texts: Sequence[str]) -> Vector:
        """Unit vectors, one row a text."""
        ...


class CosineMatcher:
    """See :class:`agents.cache.matching.Matcher`."""

    def __init__(self, encoder: Embeds) -> None:
        self._encoder = encoder

    @property
    def identity(self) -> str:
        """See :class:`agents.cache.matching.Matcher`."""
        return f"cosine:{self._encoder.identity}"

    def read(self, text: str) -> Reading:
        """See :class:`agents.cache.matching.Matcher`."""
        return Reading(text=text, vector=self._encoder.embed([text])[0])

    def pack(self, reading: Reading) -> bytes:
        """See :class:`agents.cache.matching.Matcher`."""
        return reading.vector.astype(np.float16).tobytes()

    def unpack(self, text: str, packed: bytes) -> Reading:
        """See :class:`agents.cache.matching.Matcher`."""
        return Reading(text=text, vector=np.frombuffer(packed, np.float16).astype(np.float32))

    def compare(self, new: Reading, stored: Reading, *, threshold: float | None = None) -> Verdict:
        """See :class:`agents.cache.matching.Matcher`."""
        cosine = float(new.vector @ stored.vector)
        score = 1.0 / (1.0 + math.exp(-_SLOPE * (cosine - _MIDDLE)))
        least = _STATIC if threshold is None else threshold
        return Verdict(
            hit=score >= least,
            similarity=cosine,
            threshold=least,
            score=score,
            reasons=("similar" if score >= least else "not_similar",),
        )
