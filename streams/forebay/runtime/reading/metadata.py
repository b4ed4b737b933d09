"""How often may a client ask where partitions are? Ten times a second, after a few times at once.

aiokafka's fetcher asks again as soon as it was answered for as long as a partition has no leader: a rolling restart of
brokers, or their orderly end, had each worker ask 2,000 times a second, on all of its core. Java's client waits 100 ms.
"""

import asyncio
from typing import Any

from aiokafka.client import AIOKafkaClient

_AT_ONCE = 5
"""At a start a client asks two or three times in a row, and somebody waits for it."""
_EVERY_S = 0.1

_ask = AIOKafkaClient._metadata_update  # noqa: SLF001 - the library has no seam here


class Asking:
    """Says how long to wait before asking again: a token bucket of five, filled with ten a second."""

    def __init__(self) -> None:
        self._free_at = 0.0

    def wait_s(self, now_s: float) -> float:
        """Seconds to wait before asking at ``now_s``, by a clock that never goes back."""
        self._free_at = max(self._free_at, now_s - _AT_ONCE * _EVERY_S) + _EVERY_S
        return max(0.0, self._free_at - now_s)


def pace_metadata() -> None:
    """Have every aiokafka client of this process ask with pauses."""
    AIOKafkaClient._metadata_update = _paced  # noqa: SLF001 - as above


async def _paced(self: Any, *given: Any) -> bool:
    asking = self.__dict__.setdefault("_asking", Asking())
    wait_s = asking.wait_s(asyncio.get_running_loop().time())
    if wait_s > 0:
        await asyncio.sleep(wait_s)
    answered: bool = await _ask(self, *given)
    return answered
