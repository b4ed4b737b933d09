"""What time is it, in the unit that records use?

Records carry milliseconds since 1970 (Avro ``timestamp-millis``). Rules that compare with them are given a ``Clock``,
so that a test says what time it is; ``now_ms`` is the process's. Machines' clocks lie, by a day where a battery is
empty, so a worker has it follow the brokers' (:mod:`forebay.runtime.timekeeping`): then money, deadlines and windows of
all workers go by one clock, whatever their machines say. In commands and clients nobody does, and it is the machine's.

Durations are measured with ``time.monotonic``, which is no clock of this kind: it cannot be set back. What must also
count while a laptop or a virtual machine sleeps is measured with ``elapsed_s``.
"""

import time
from collections.abc import Callable
from functools import partial

Clock = Callable[[], int]
"""Milliseconds since 1970, UTC."""

_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # Linux has it


elapsed_s: Callable[[], float] = time.monotonic if _BOOTTIME is None else partial(time.clock_gettime, _BOOTTIME)
"""Seconds since some moment, those included in which the process or the machine stood still."""


def machine_ms() -> int:
    """The machine's time, ms since 1970."""
    return time.time_ns() // 1_000_000


class FollowingClock:
    """Another clock's time, by what that was heard to say; the machine's until then.

    Between two hearings it runs by ``elapsed``, so that setting the machine's clock does not move it.
    """

    def __init__(self, machine: Clock = machine_ms, elapsed: Callable[[], float] = elapsed_s) -> None:
        self._machine = machine
        self._elapsed = elapsed
        self._origin_ms: float | None = None
        """What the other clock said when ``elapsed`` was 0."""

    def __call__(self) -> int:
        """Milliseconds since 1970."""
        if self._origin_ms is None:
            return self._machine()
        return int(self._origin_ms + 1000 * self._elapsed())

    def heard(self, said_ms: int, asked_s: float, answered_s: float) -> None:
        """The other clock said ``said_ms`` at some moment between two of ``elapsed``, both in seconds.

        What is known already stays as long as it may be true: a slow answer says little (Cristian, "Probabilistic clock
        synchronization", 1989).
        """
        earliest, latest = said_ms - 1000 * answered_s, said_ms + 1 - 1000 * asked_s
        if self._origin_ms is None or not earliest <= self._origin_ms <= latest:
            self._origin_ms = (earliest + latest) / 2

    @property
    def skew_s(self) -> float:
        """Seconds by which the machine's clock is ahead of this one; below 0: behind."""
        return (self._machine() - self()) / 1000


CLOCK = FollowingClock()
"""The process's."""


now_ms: Clock = CLOCK.__call__
"""The time, ms since 1970: the brokers' in a worker, the machine's elsewhere."""


def now_s() -> float:
    """The same in seconds, for those who count in these."""
    return CLOCK() / 1000
