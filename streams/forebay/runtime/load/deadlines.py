"""Can a request be answered before its deadline, or is it better to say so at once?

When more comes than is carried, everybody's turn comes too late: each request is worked on, and nobody has anything of
it. Who said until when the answer is wanted is told at once, and may ask elsewhere or come again; what is worked on is
in time then. A request without a deadline waits on its topic for as long as it takes.

Where nothing queues nobody is turned away, however short the time: the requester knows why, and a cache may know the
answer.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Rejected
from forebay.contract.handlers import Urgency
from forebay.state.waits import Wait, Waits

CALM_MS = 500
"""Less than that in queues is no overload."""
_SOONEST_MS, _LATEST_MS = 1_000, 30_000
"""When to come again, at the soonest and at the latest: a queue may be gone long before it is worked off."""
_ASK_S = 0.5


def comes_again_ms(urgency: Urgency, ahead: Iterable[Wait]) -> int | None:
    """In how many ms a request should be sent again that cannot be answered in time; ``None``: it can.

    Args:
        ahead: what it will meet at the stages behind this one.
    """
    waits = list(ahead)
    queued = urgency.waited_ms + sum(wait.queued_ms for wait in waits)
    if queued < CALM_MS or urgency.left_ms >= sum(wait.total_ms for wait in waits):
        return None
    return min(max(queued, _SOONEST_MS), _LATEST_MS)


class Gate:
    """Turns away what cannot be answered in time any more.

    Args:
        stages: those that a request will meet behind this one; what others tell is not asked for.
        expect: called with the ms that a request takes from here on, whenever stages were heard.
    """

    def __init__(
        self,
        waits: Waits,
        stages: Iterable[str],
        clock_ms: Clock = now_ms,
        expect: Callable[[int], None] = lambda _ms: None,
    ) -> None:
        self._waits = waits
        self._stages = frozenset(stages)
        self._clock_ms = clock_ms
        self._expect = expect
        self._ahead: Mapping[str, Wait] = {}
        self._asked = False

    def check(self, urgency: Urgency) -> None:
        """Raise ``Rejected("overloaded")`` for what is better told at once."""
        self._asked = True
        again_ms = comes_again_ms(urgency, self._ahead.values())
        if again_ms is not None:
            seconds = again_ms / 1000
            message = f"more is asked than can be answered before this request's deadline; retry_after_s: {seconds:.0f}"
            raise Rejected("overloaded", message, retry_at=self._clock_ms() + again_ms)

    async def run(self) -> None:
        """Hear what stages tell, twice a second while somebody asks, for ever."""
        while True:
            await asyncio.sleep(_ASK_S)
            if self._asked or self._ahead:
                self._asked = False
                await self.listen()

    async def listen(self) -> None:
        """Hear what stages tell, once."""
        told = await self._waits.told()
        self._ahead = {stage: wait for stage, wait in told.items() if stage in self._stages}
        self._expect(sum(wait.total_ms for wait in self._ahead.values()))
