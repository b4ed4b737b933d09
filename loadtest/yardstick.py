"""How fast is a core just now? CPU time of a fixed loop.

On a core that others share, or on another machine, the same work takes up to three times as long. So a figure of CPU
time has the yardstick beside it, and what is compared was measured in one run, in turns.
"""

import time

QUIET_MS = 20.0
"""What it takes on a core that nobody shares (as the figures in ``docs/performance.md``)."""
_YARD = 500_000


def yardstick_ms() -> float:
    """CPU time of a fixed loop, the least of five."""
    found = []
    for _ in range(5):
        begun = time.process_time()
        sum(number * number for number in range(_YARD))
        found.append(1000 * (time.process_time() - begun))
    return round(min(found), 1)
