"""What does this stage do with the ledger's sums? Tells the budgets, and people what is unusual in them.

Of the three rows that a call changes at most two are of use here, and none where nothing is limited or watched: the
rest is passed over by its key.
"""

import json
import time
from collections.abc import Callable, Sequence

from forebay.contract.handlers import Context, Output
from forebay.contract.records import Spend, WindowKind
from forebay.state.conditions import alert_output
from forebay_agents.completion.quotas.budgets import RedisBudgets
from forebay_agents.completion.quotas.overrides import REFRESH_S
from forebay_agents.completion.quotas.velocity import Velocity


class LedgerView:
    """Handlers of ``spend``.

    Args:
        monotonic: seconds.
    """

    def __init__(
        self, budgets: RedisBudgets, velocity: Velocity, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._budgets = budgets
        self._velocity = velocity
        self._monotonic = monotonic
        self._looked = float("-inf")

    async def observe(self, row: Spend, _context: Context) -> Sequence[Output]:
        """``spend``: a row of the ledger's projection changed."""
        if row.window is not WindowKind.HOUR:
            await self._budgets.observe(row)
            return ()
        await self._budgets.look()
        return [alert_output(alert) for alert in await self._velocity.observe(row)]

    def skips(self, key: bytes) -> bool:
        """Whether neither a budget nor who watches hours wants the row of ``key``, as ``topics.md`` describes it.

        Every two seconds one row goes the long way, which finds out what budgets were set meanwhile.
        """
        now = self._monotonic()
        if now - self._looked >= REFRESH_S:
            self._looked = now
            return False
        try:
            tenant_id, user_id, _, window, start, *_ = json.loads(key)
            kind = WindowKind(window)
        except (ValueError, TypeError):
            return False  # of a form that is not known here: the row itself tells
        if kind is WindowKind.HOUR:
            return not self._velocity.follows(start)
        return not self._budgets.follows(tenant_id, user_id, kind, start)
