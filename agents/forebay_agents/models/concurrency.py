"""How many calls does a deployment bear at once? Found out by AIMD, as TCP does (Chiu and Jain, 1989).

Each answer adds a little, each sign of too much (429, time-out) takes a third away; never above what was configured.
"""

BACK_OFF = 0.67
_AGAIN_S = 1.0  # calls that were already out when it began must not count again and again


class AdaptiveLimit:
    """The limit of one deployment; seconds are of a monotonic clock."""

    def __init__(self, highest: int) -> None:
        self._highest = highest
        self._limit = float(highest)
        self._backed_off_at = float("-inf")
        self.in_flight = 0

    @property
    def limit(self) -> int:
        """Calls that may be out at once, at least one."""
        return max(1, int(self._limit))

    @property
    def room(self) -> int:
        """How many more calls may go out."""
        return self.limit - self.in_flight

    def succeeded(self) -> None:
        """An answer came: one more call per round of answers."""
        self._limit = min(float(self._highest), self._limit + 1.0 / max(1.0, self._limit))

    def overloaded(self, now: float) -> None:
        """A 429 or a time-out came."""
        if now - self._backed_off_at >= _AGAIN_S:
            self._backed_off_at = now
            self._limit = max(1.0, BACK_OFF * min(self._limit, self.in_flight + 1.0))
