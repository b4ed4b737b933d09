"""Is a late answer worth a second call? After the deployment's 95th percentile, as far as a budget allows.

"The Tail at Scale" (Dean and Barroso, 2013) calls it a hedged request. The budget, a share of all calls, keeps a slow
provider from being asked twice for everything. Who answers first serves; the other is told to stop, and the ledger
counts its worst case, since the provider may charge for what it had begun.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from forebay_agents.models.caller import Outcome

Run = Callable[[asyncio.Event], Awaitable[Outcome | None]]
"""Makes a call, and gives it up when the event is set; ``None``: it could not be made."""

_MOST_SAVED = 5.0


class HedgeBudget:
    """Allows a share of calls; what was not used is saved up, to five calls."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._saved = 0.0

    @property
    def off(self) -> bool:
        """Whether there never is a second call."""
        return self._share <= 0

    def called(self) -> None:
        """A first call is made."""
        self._saved = min(_MOST_SAVED, self._saved + self._share)

    def take(self) -> bool:
        """Whether a second call may be made, which then is."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


async def race(first: Run, second: Run, after_s: float, may_hedge: Callable[[], bool]) -> Sequence[Outcome | None]:
    """Outcomes of the calls that were made, the one that serves last.

    Args:
        after_s: seconds after which ``second`` is started, if ``may_hedge``.
    """
    lost = (asyncio.Event(), asyncio.Event())
    tasks = [asyncio.ensure_future(first(lost[0]))]
    try:
        await asyncio.wait(tasks, timeout=after_s)
        if not tasks[0].done() and may_hedge():
            tasks.append(asyncio.ensure_future(second(lost[1])))
        pending = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if any(_answered(task.result()) for task in done):
                for task, event in zip(tasks, lost, strict=False):
                    if task in pending:
                        event.set()
        return sorted((task.result() for task in tasks), key=_answered)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _answered(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.answer is not None
