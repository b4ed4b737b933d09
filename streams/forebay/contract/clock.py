"""What time is it, in the unit that records use?

Records carry milliseconds since 1970 (Avro ``timestamp-millis``). Rules that compare with them are given a ``Clock``,
so that a test says what time it is; ``now_ms`` is the one that looks at the machine. Durations are measured with
``time.monotonic``, which is no clock of this kind: it cannot be set back.
"""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Milliseconds since 1970, UTC."""


def now_ms() -> int:
    """The machine's time, ms since 1970."""
    return time.time_ns() // 1_000_000
