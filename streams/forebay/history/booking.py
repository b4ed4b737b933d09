"""For when is an attempt booked? For when it began, by the brokers' clock.

A worker's clock follows the brokers' (:mod:`forebay.contract.clock`), and the entry that opens an attempt says by it
when that was; the later ones repeat it. Entries of before that have only ``started_at``, by the worker's own clock.
None is booked for a later time than that at which the brokers took the attempt's first entry: a clock that is a day
ahead books nothing for tomorrow.
"""

from forebay.contract.records import UsageEvent

_TOLERANCE_MS = 30_000
"""By which a worker's time may differ from the brokers' without being told of (forebay.runtime.timekeeping)."""


def booked_for(entry: UsageEvent, taken_ms: int | None) -> int:
    """When the attempt of ``entry`` counts, ms since the epoch.

    Args:
        taken_ms: when the brokers took the first entry of the attempt; ``None``: nobody knows.
    """
    at_ms = entry.booked_at or entry.started_at
    return taken_ms if taken_ms is not None and at_ms > taken_ms + _TOLERANCE_MS else at_ms
