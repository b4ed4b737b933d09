"""What is the highest rate that holds? Doubled until one does not, then halved between, until the step is small."""

from collections.abc import Callable

_STEPS = 8
"""At most: each is a minute of load and a minute of judging."""


def highest(holds: Callable[[float], bool], start: float, *, within: float = 0.1) -> float | None:
    """The highest rate tried that ``holds``; ``None``: not one did.

    Args:
        holds: whether the rate, in requests a second, was held.
        start: the first rate that is tried.
        within: how far the rate that fails may be above it, as a share.
    """
    good, bad, rate = None, None, start
    for _ in range(_STEPS):
        if holds(rate):
            good = rate
        else:
            bad = rate
        if good is None and bad is not None:
            rate = bad / 2
        elif bad is None and good is not None:
            rate = 2 * good
        elif good is not None and bad is not None:
            if bad <= good * (1 + within):
                break
            rate = (good + bad) / 2
    return good
