"""May this deployment be called now? A circuit breaker: pure, per deployment and worker, the clock given.

Closed, it lets everything through and counts; open, nothing; half open, one probe at a time (Nygard, *Release It!*,
"Circuit Breaker"). It opens when most of the recent calls failed, at once for credentials that were refused, and for as
long as the provider asks when that says so. Each failed probe doubles the wait, up to ``LONGEST_S``.
"""

from collections import deque
from enum import StrEnum

RECENT = 20
"""Calls that are looked back on."""
FEWEST = 4
"""Failures among them before their share counts: one time-out is no outage."""
SHARE = 0.5
LONGEST_S = 30.0

_AT_ONCE = frozenset({"provider_auth"})
_NOT_ITS_FAULT = frozenset(
    {"provider_bad_request", "provider_not_found", "context_length", "content_policy", "answer_not_text"}
)


class BreakerState(StrEnum):
    """See the module."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Breaker:
    """The breaker of one deployment.

    Args:
        open_s: seconds of its first opening.
    """

    def __init__(self, open_s: float) -> None:
        self._open_s = open_s
        self._wait_s = open_s
        self._recent: deque[bool] = deque(maxlen=RECENT)
        self._open_until = 0.0
        self._tripped = False
        self._probing = False

    def state(self, now: float) -> BreakerState:
        """What it does at ``now``, seconds of a monotonic clock."""
        if now < self._open_until:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN if self._tripped else BreakerState.CLOSED

    def opens_at(self) -> float:
        """When it will let a call through again."""
        return self._open_until

    def admits(self, now: float) -> bool:
        """Whether a call may go through at ``now``; a half open one admits a single probe."""
        match self.state(now):
            case BreakerState.CLOSED:
                return True
            case BreakerState.HALF_OPEN:
                return not self._probing
            case BreakerState.OPEN:
                return False

    @property
    def recent_errors(self) -> float:
        """Share of the last calls that failed; while it is not closed, 1."""
        if self._tripped:
            return 1.0
        return self._recent.count(False) / len(self._recent) if self._recent else 0.0

    @property
    def probing(self) -> bool:
        """Whether a call that is out decides whether others may go."""
        return self._probing

    def started(self, now: float) -> bool:
        """A call goes out; whether it is the probe."""
        probe = self.state(now) is BreakerState.HALF_OPEN
        self._probing = self._probing or probe
        return probe

    def gave_up(self) -> None:
        """The probe was cancelled: it says nothing about the deployment."""
        self._probing = False

    def succeeded(self) -> None:
        """The call was answered."""
        self._probing = self._tripped = False
        self._wait_s = self._open_s
        self._open_until = 0.0
        self._recent.append(True)

    def failed(self, code: str, now: float, retry_after_s: float | None) -> bool:
        """The call failed with ``code`` of :data:`forebay.contract.error_codes.CODES`; whether that counts."""
        probed, self._probing = self._probing, False
        if code in _NOT_ITS_FAULT:
            return False
        self._recent.append(False)
        if retry_after_s is not None:
            self._open_until = max(self._open_until, now + min(retry_after_s, LONGEST_S))
        failures = self._recent.count(False)
        if probed or code in _AT_ONCE or (failures >= FEWEST and failures >= SHARE * len(self._recent)):
            if probed:
                self._wait_s = min(2 * self._wait_s, LONGEST_S)
            self._tripped = True
            self._open_until = max(self._open_until, now + self._wait_s)
            self._recent.clear()
        return True
