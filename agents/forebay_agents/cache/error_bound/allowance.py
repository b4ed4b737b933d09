"""How much evidence may be paid for? So much a second: a share of a flood is a flood.

A near miss that is compared costs 5 to 15 ms of CPU, and a fifth of all near misses, as a cache at rest looks at, are
more than a busy one has. A busy one learns as much in an hour all the same.
"""

from forebay.contract.clock import Clock, now_ms

_SAVED_S = 10.0
"""What was not used is kept for so long: a cache that is asked little looks at the share that its settings say."""


class Allowance:
    """``a_second``: how many on average; ``clock_ms``: ms since the epoch."""

    def __init__(self, a_second: float, clock_ms: Clock = now_ms) -> None:
        self._a_second = a_second
        self._most = max(1.0, _SAVED_S * a_second)
        self._left = self._most
        self._clock_ms = clock_ms
        self._at_ms = clock_ms()

    def take(self) -> bool:
        """Whether there is one left, which is gone then."""
        now = self._clock_ms()
        earned = max(0, now - self._at_ms) / 1000 * self._a_second
        self._left, self._at_ms = min(self._most, self._left + earned), now
        if self._left < 1:
            return False
        self._left -= 1
        return True
