"""Does it grow? The slope of what was seen at times, with its interval of 95 %."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

_LEAST = 5
"""Points below which nothing is said."""
_SURE = 2.0
"""Standard errors of an interval of 95 %: 1.96 with many points, 2.2 with a dozen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """Units an hour, from ``low`` to ``high`` with 95 %; ``mean`` and ``last`` in units.

    What was seen at neighbouring times is alike, so the interval is narrower than it ought to be: by it alone too much
    is taken for growth, never too little.
    """

    an_hour: float
    low: float
    high: float
    mean: float
    last: float

    def is_over(self, share: float, hours: float) -> bool:
        """Whether it certainly grew, within so many hours, by more than a ``share`` of what there was."""
        return self.low * hours > share * self.mean


def growth(points: Sequence[tuple[float, float]]) -> Growth | None:
    """Least squares over (seconds, value); ``None``: too few points, or all at one time."""
    if len(points) < _LEAST:
        return None
    count = len(points)
    at = sum(second for second, _ in points) / count
    mean = sum(value for _, value in points) / count
    spread = sum((second - at) ** 2 for second, _ in points)
    if not spread:
        return None
    slope = sum((second - at) * (value - mean) for second, value in points) / spread
    rest = sum((value - mean - slope * (second - at)) ** 2 for second, value in points)
    error = _SURE * sqrt(rest / (count - 2) / spread)
    return Growth(
        an_hour=3_600 * slope,
        low=3_600 * (slope - error),
        high=3_600 * (slope + error),
        mean=mean,
        last=points[-1][1],
    )
