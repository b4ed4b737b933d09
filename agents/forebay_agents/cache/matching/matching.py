"""May the answer to one question serve another? What the stage, ``explain`` and ``evaluate`` all ask.

A :class:`Matcher` reads a question once and compares readings. The stored question's reading is kept with its entry, so
that only the new one costs inference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forebay_agents.cache.store.store import Vector


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The decision on a pair.

    Attributes:
        hit: whether the stored answer is given.
        similarity: cosine of the two sentence vectors.
        threshold: least ``score`` of a hit.
        score: calibrated probability that one answer serves both.
        forbidden: whether a guard objects, so that no score makes it a hit.
        reasons: codes of the guards that forbid the hit or, without any, of what decided.
    """

    hit: bool
    similarity: float
    threshold: float
    score: float
    reasons: tuple[str, ...]
    forbidden: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A question as one encoder sees it: unit vector of the sentence, quantised vectors of its words."""

    sentence: Vector
    words: NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A question as the decision sees it; the second encoder's view only where it was needed."""

    text: str
    near: View
    far: View | None = None

    @property
    def vector(self) -> Vector:
        """What is searched by."""
        return self.near.sentence

    def pack(self) -> bytes:
        """Bytes to be kept with the entry: per view one row count, a float16 sentence and the int8 words."""
        views = [self.near] if self.far is None else [self.near, self.far]
        return b"".join(
            len(view.words).to_bytes(2, "big") + view.words.shape[1].to_bytes(2, "big")
            + len(view.sentence).to_bytes(2, "big") + view.sentence.astype(np.float16).tobytes() + view.words.tobytes()
            for view in views
        )  # fmt: skip


def unpack(text: str, packed: bytes) -> Reading:
    """Inverse of :meth:`Reading.pack`. Raises ``ValueError`` for bytes of something else."""
    views, at = [], 0
    while at < len(packed):
        rows, columns, width = (int.from_bytes(packed[at + 2 * i : at + 2 * i + 2], "big") for i in range(3))
        at += 6
        sentence = np.frombuffer(packed, np.float16, width, at).astype(np.float32)
        words = np.frombuffer(packed, np.int8, rows * columns, at + 2 * width).reshape(rows, columns)
        at += 2 * width + rows * columns
        views.append(View(sentence=sentence, words=words))
    if not 1 <= len(views) <= 2:
        raise ValueError("no reading")
    return Reading(text=text, near=views[0], far=views[1] if len(views) > 1 else None)


class Matcher(Protocol):
    """Reads questions and compares them; thread-safe."""

    threshold: float
    """Least score of a hit while nothing was verified."""

    @property
    def identity(self) -> str:
        """Name of everything that readings depend on; readings of different identities are never compared."""
        ...

    def read(self, text: str) -> Reading:
        """Read a question; costs one inference."""
        ...

    def deepen(self, reading: Reading) -> Reading:
        """The reading with all that :meth:`compare` may want of a stored question; may cost another inference."""
        ...

    def recalled(self, reading: Reading) -> Reading:
        """The reading with all that was read of it since; costs no inference."""
        ...

    def compare(
        self, new: Reading, stored: Sequence[Reading], thresholds: Sequence[float | None] = (), floor: float = 0.0
    ) -> list[Verdict]:
        """Verdicts on the stored questions, at their own thresholds where given; may cost an inference.

        Args:
            floor: least score below its threshold that the caller cares for. Scores below it are rough, and of what
                scores below it no guard may be named: that is what makes a question cheap that nothing answers.
        """
        ...
