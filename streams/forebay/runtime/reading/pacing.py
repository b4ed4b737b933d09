"""How long may a fetch wait for more? The longer, the more records come at once, and nobody may notice.

A hop at 167 records a second takes 1.35 ms of CPU when each record is fetched alone, 0.5 when a fetch waits 50 ms. What
waits at the broker does not queue for the CPU: at 40 requests a second and more the answers come no later. So the wait
grows with the stage's own rate, and a request in a quiet minute waits for nothing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from forebay.contract.handlers import Route

QUIET = 10.0
"""Records a second up to which a fetch comes back with the first record."""
BUSY = 40.0
"""Records a second from which it waits as long as it may."""
_PATIENT_FROM = 2.0
"""Records a second from which a stage that nobody waits for lets them gather."""
_MANY_BYTES = 1_000_000
"""Bytes that end a wait."""
_QUIET_MS = 1_500
"""Longest wait for a first record, as Faust has it: the brokers answer at once when there is one."""
_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """What a fetch asks of a broker: to answer once it has ``least_bytes``, or after ``ms``."""

    least_bytes: int = 1
    ms: int = _QUIET_MS


def wait(rate: float, most_ms: int, *, patient: bool = False) -> Wait:
    """The wait of a stage that takes ``rate`` records a second.

    Args:
        most_ms: longest wait of a stage that somebody waits for; five times that where nobody does.
        patient: whether nobody waits for what the stage does.
    """
    if patient:
        ms = 5 * most_ms if rate > _PATIENT_FROM else 0
    else:
        ms = round(most_ms * min(1.0, max(0.0, (rate - QUIET) / (BUSY - QUIET))))
    return Wait(least_bytes=_MANY_BYTES, ms=ms) if ms else Wait()


@dataclass(kw_only=True, slots=True)
class Pace:
    """Counts what a stage takes, and says how its next fetches wait.

    Attributes:
        topics: names on the broker of those that count.
        most_ms: see :func:`wait`; 0: none ever waits.
        patient: see :func:`wait`.
    """

    topics: frozenset[str] = frozenset()
    most_ms: int = 0
    patient: bool = False
    monotonic: Callable[[], float] = time.monotonic
    _records: int = 0
    _since: float = field(default=0.0)

    def took(self, records: int) -> Wait | None:
        """``records`` came; the wait from now on, when it is time to choose it again."""
        self._records += records
        now = self.monotonic()
        elapsed = now - self._since
        if elapsed < _EVERY_S:
            return None
        found = wait(self._records / elapsed, self.most_ms, patient=self.patient)
        self._records, self._since = 0, now
        return found


def pace_of(routes: Sequence[Route], topics: Mapping[str, str], most_ms: int) -> Pace:
    """The pace of a stage: what nobody waits for counts only where all of it is such.

    Args:
        topics: name on the broker to logical name.
    """
    urgent = {route.topic for route in routes if not route.patient}
    counted = frozenset(name for name, topic in topics.items() if topic in urgent or not urgent)
    return Pace(topics=counted, most_ms=most_ms, patient=not urgent)
