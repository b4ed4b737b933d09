"""How long may a text be read? Seconds for its length; beyond them the request fails, so that others are served.

Every pattern is tried against hostile texts (``python -m loadtest hostile``), but a recogniser of your own, or one that
was not tried enough, may meet a text that it reads for minutes. So whoever reads long texts calls :func:`breathe`
between two pieces. Time of the processor counts: no text is to blame for a busy machine.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from forebay.contract.failures import Permanent

TOO_SLOW = "redaction_too_slow"
"""Code of the failure."""
LEAST = 5.0
"""Seconds that any text may take: what is loaded on first use is part of them."""
LONG = 4_000
"""Characters up to which no time is measured, nor taken for a breath: together that is a tenth of what they take."""


class Budget:
    """Seconds of processor time, spent in parts.

    Args:
        seconds: all of them.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.left = seconds

    @contextmanager
    def spending(self) -> Iterator[None]:
        """What runs inside takes its time from this budget; :func:`breathe` fails once there is none left."""
        before, started = _current.budget, time.thread_time()
        _current.budget, _current.until = self, started + self.left
        try:
            yield
        finally:
            self.left -= time.thread_time() - started
            _current.budget, _current.until = before, float("inf") if before is None else started + before.left


class _Current(threading.local):
    """The budget of this thread, and the processor time at which it is used up."""

    budget: Budget | None = None
    until: float = float("inf")


_current = _Current()


def budget_of(characters: int, seconds_per_char: float, most: float) -> Budget:
    """For a text of so many characters; never more than ``most``, after which nobody waits any more."""
    return Budget(min(LEAST + characters * seconds_per_char, most))


def breathe() -> None:
    """Raise ``Permanent`` (:data:`TOO_SLOW`) when the budget is used up.

    Other threads have their turn wherever Python itself goes on: nobody has to sleep for them, which takes 0.1 ms.
    """
    budget = _current.budget
    if budget is not None and time.thread_time() > _current.until:
        raise Permanent(
            TOO_SLOW, f"looking for personal data took more than {budget.seconds:.1f} s (redaction.seconds_per_char)"
        )
