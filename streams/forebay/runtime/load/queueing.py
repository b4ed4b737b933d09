"""How long does a record wait at this stage? By Little's law: what waits, by what is done in a second.

That says what one that comes now will meet, while the age of the record that is taken now tells how long the queue was
when that one came. But how much waits is heard from the brokers every few seconds only, and the age is known at once:
the longer of the two counts.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from forebay.runtime.reading.watch import Watch
from forebay.runtime.stage import Lane
from forebay.state.waits import Wait, Waits

TELL_S = 0.5
_KEPT = 0.7
"""Share of the rate known before that counts on: one second without an answer is no standstill."""
_LONGEST_MS = 600_000


@dataclass(kw_only=True, slots=True)
class Queueing:
    """Counts at one stage.

    Attributes:
        waiting: records that are not finished, of all partitions that this worker reads.
        in_hand: of these, in tasks.
        done: records finished so far.
        waited_ms: of the record that was taken in hand last.
    """

    waiting: Callable[[], int]
    in_hand: Callable[[], int]
    done: Callable[[], int]
    waited_ms: Callable[[], int]
    monotonic: Callable[[], float] = time.monotonic
    _rate: float = 0.0
    _before: tuple[float, int] | None = field(default=None)

    def look(self) -> Wait | None:
        """What a record that comes now will meet; ``None``: nothing waits, or nobody knows yet."""
        now, done = self.monotonic(), self.done()
        before, self._before = self._before, (now, done)
        if before is not None and now > before[0]:
            current = max(0, done - before[1]) / (now - before[0])
            self._rate = _KEPT * self._rate + (1 - _KEPT) * current if self._rate else current
        waiting, in_hand = self.waiting(), self.in_hand()
        if not (waiting or in_hand) or not self._rate:
            return None
        each_ms = 1000 / self._rate
        queued = max(self.waited_ms(), round(max(0, waiting - in_hand) * each_ms))
        total = queued + round(in_hand * each_ms)
        return Wait(queued_ms=min(_LONGEST_MS, queued), total_ms=min(_LONGEST_MS, total))


def queueing_of(topic: str, lane: Lane, watch: Watch) -> Queueing:
    """Counts what waits for ``lane``, which reads ``topic`` (logical name)."""

    def waiting() -> int:
        found = watch.found.get(topic)
        return 0 if found is None else found.records

    return Queueing(
        waiting=waiting, in_hand=lambda: lane.in_flight, done=lambda: lane.done, waited_ms=lambda: lane.waited_ms
    )


async def keep_telling(stage: str, queueing: Queueing, waits: Waits) -> None:
    """Tell twice a second while something waits, for ever; once more when nothing does."""
    telling = False
    while True:
        await asyncio.sleep(TELL_S)
        wait = queueing.look()
        if wait is not None or telling:
            await waits.tell(stage, wait or Wait(queued_ms=0, total_ms=0))
        telling = wait is not None
