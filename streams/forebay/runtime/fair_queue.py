"""Whose request is next? Tenants take turns, so that one tenant's flood delays nobody else.

Within a tenant higher priority goes first, then who came first. Deficit or weighted schemes (DRR) would be fairer by
cost; turns by request need no estimate and bound the wait of a quiet tenant by one request of every other.
"""

import asyncio
import heapq
import itertools
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from forebay.contract.failures import Transient

_Waiting = tuple[int, int, asyncio.Future[None]]


class FairQueue:
    """Slots that tenants take in turns.

    Args:
        slots: requests in progress at once.
        longest: requests of one tenant that may wait; more are sent away, since they hold up what is behind them.
            ``None``: any number.
    """

    def __init__(self, slots: int, longest: int | None = None) -> None:
        self._free = slots
        self._longest = longest
        self._order = itertools.count()
        self._tenants: OrderedDict[str, list[_Waiting]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, tenant_id: str, priority: int) -> AsyncIterator[None]:
        """A slot for the length of an ``async with``; higher ``priority`` first.

        Raises:
            Transient: ``rate_limited``, too many requests of this tenant wait already.
        """
        await self._acquire(tenant_id, priority)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, tenant_id: str, priority: int) -> None:
        if self._free > 0 and not self._tenants:
            self._free -= 1
            return
        queue = self._tenants.setdefault(tenant_id, [])
        if self._longest is not None and len(queue) >= self._longest:
            raise Transient("rate_limited", "too many requests of this tenant wait already")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(queue, (-priority, next(self._order), turn))
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()  # the slot came at the moment of giving up
            raise

    def _release(self) -> None:
        self._free += 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self._free > 0 and self._tenants:
            tenant_id, queue = self._tenants.popitem(last=False)
            _, _, turn = heapq.heappop(queue)
            if queue:
                self._tenants[tenant_id] = queue  # behind all others
            if not turn.done():
                self._free -= 1
                turn.set_result(None)
