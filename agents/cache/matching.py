"""May the answer to one question serve another? What the stage, ``explain`` and ``evaluate`` all ask.

A :class:`Matcher` reads a question once (:class:`Reading`: its vector and whatever else the decision needs), and
compares two readings. The stored question's reading is kept with its entry, so that only the new one costs inference.
"""

from dataclasses import dataclass
from typing import Protocol

from agents.cache.store import Vector


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The decision on a pair.

    Attributes:
        hit: whether the stored answer is given.
        similarity: cosine of the two sentence vectors.
        threshold: least ``score`` of a hit.
        score: calibrated probability that one answer serves both.
        reasons: codes of the guards that forbid the hit or, without any, of what decided.
    """

    hit: bool
    similarity: float
    threshold: float
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One question as the decision sees it: text, unit vector of the sentence, and packed extras."""

    text: str
    vector: Vector
    extras: bytes = b""


class Matcher(Protocol):
    """Reads questions and compares them; thread-safe."""

    @property
    def identity(self) -> str:
        """Name of everything that readings depend on; readings of different identities are never compared."""
        ...

    def read(self, text: str) -> Reading:
        """Read a question; costs an inference."""
        ...

    def pack(self, reading: Reading) -> bytes:
        """Bytes to be kept with the entry."""
        ...

    def unpack(self, text: str, packed: bytes) -> Reading:
        """Inverse of :meth:`pack`. Raises ``ValueError`` for bytes of something else."""
        ...

    def compare(self, new: Reading, stored: Reading, *, threshold: float | None = None) -> Verdict:
        """The verdict, at ``threshold`` instead of the static one where the entry has its own."""
        ...
