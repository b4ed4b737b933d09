"""Who asks the models when many ask the same at once? One leads, the others wait for its answer.

A lease in Redis, named after the exact key, elects the leader across workers. It ends when the answer was kept, when it
turned out that it may not be kept (then waiting is vain for all), or by itself: when the leader was lost, the next one
takes it. Within a worker only one of those who wait, the scout, asks Redis; the others wait for the scout. The leader's
record is in Kafka all the while, so a leader that dies is delivered again, and finds the lease its own.

A store that does not answer in time makes nobody pay who knows that another asks, or has asked: a thousand requests at
once are what makes it late, and they would make a thousand calls. A worker remembers who asks, in this worker or
another, and forgets it only when the store itself says that the lease is over and that there is no answer. So without
the store's word one request of a worker leads, and no second one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from forebay.contract.failures import Transient
from forebay.state.keys import digest_of
from forebay_agents.cache.lookup import Found, Search
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.store.store import Place, Store, StoreUnavailableError, unshareable

_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _GROWTH = 0.02, 0.25, 1.5
_UNSHAREABLE_S = 10.0
"""Seconds in which nobody waits for an answer of a kind that could not be kept a moment ago."""
_REMEMBERED = 4_096
"""Leaders from which on those are forgotten whose lease must be over."""
_SCOUT_TERM_S = 2.0
"""A scout that gave up its wait hands over to another after at most this."""


@dataclass(kw_only=True, slots=True)
class _Flight:
    """What this worker knows of who asks.

    Attributes:
        leader: request id.
        until: end of the lease at the latest, in the clock's seconds.
        leased: whether the store knows of it; if not, that there is no lease says nothing.
        over: whether the leader is done: its answer is in the store, or there is none.
    """

    leader: str
    until: float
    leased: bool = False
    over: bool = False


def flyer(tenant_id: str, request_id: str) -> str:
    """Who asks, as leader or follower: behind the wall that all share, two tenants may have one request id."""
    return digest_of(tenant_id, request_id)


class SingleFlight:
    """Elects leaders and lets the others wait.

    Raises :class:`forebay_agents.cache.store.store.StoreUnavailableError` to the one request of this worker that then
    has to lead.

    Args:
        lease_s: a leader that has not answered by then may have been lost, in seconds.
        clock: monotonic, in seconds; with ``sleep`` injected so that tests need not wait.
    """

    def __init__(
        self,
        store: Store,
        metrics: CacheMetrics,
        *,
        lease_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._lease_s = lease_s
        self._clock = clock
        self._sleep = sleep
        self._scouts: dict[Place, asyncio.Event] = {}
        self._flights: dict[Place, _Flight] = {}

    async def lead_or_wait(
        self,
        place: Place,
        request_id: str,
        look: Callable[[], Awaitable[Search]],
        *,
        wait_s: float,
        patient: bool = False,
    ) -> Found | None:
        """An answer that another request brought, or ``None``: then the caller asks the models itself.

        Args:
            look: looks for the equal prompt's answer.
            wait_s: longest wait, in seconds.
            patient: whether to come back later rather than to pay when the wait is over and another still asks.

        Raises:
            Transient: come back later.
        """
        until = self._clock() + wait_s
        pause = _FIRST_PAUSE_S
        while True:
            if await self._leads(place, request_id):
                # Another may have answered between our look-up and our claim.
                found = (await look()).found
                if found is not None:
                    self._landed(place, request_id)
                    await self._store.release(place, request_id)
                self._metrics.flights.labels("answered" if found else "led").inc()
                return found
            if self._clock() >= until:
                self._metrics.flights.labels("timed_out").inc()
                if patient:
                    raise Transient("equal_in_flight", "an equal request is still waiting for its answer")
                return None
            await self._wait(place, pause, until)
            pause = min(pause * _GROWTH, _LONGEST_PAUSE_S)
            flight = self._flights.get(place)
            over = flight is not None and flight.over
            try:
                search = await look()
                if search.found is not None:
                    self._metrics.flights.labels("answered").inc()
                    return search.found
                if search.present or await self._store.noted(unshareable(place)):
                    self._metrics.flights.labels("unshareable").inc()
                    return None
            except StoreUnavailableError:
                continue  # another asks the models, and the store may answer again before our wait is over
            if over:
                self._forget(place, flight)  # its leader was lost, or its answer is gone already

    async def _leads(self, place: Place, request_id: str) -> bool:
        """Whether this request asks the models; without the store, the first of this worker does."""
        now = self._clock()
        flight = self._flights.get(place)
        if flight is not None and flight.leader != request_id and flight.until > now:
            return False
        # Known before the store answers: of those who would ask it at the same time, each might win in its own way.
        mine = self._remember(place, _Flight(leader=request_id, until=now + self._lease_s))
        try:
            mine.leader = await self._store.claim(place, request_id, lease_s=self._lease_s)
        except asyncio.CancelledError:
            self._forget(place, mine)
            raise
        mine.leased = True
        return mine.leader == request_id

    def _remember(self, place: Place, flight: _Flight) -> _Flight:
        self._flights[place] = flight
        if len(self._flights) > _REMEMBERED:
            now = self._clock()
            self._flights = {one: other for one, other in self._flights.items() if other.until > now}
        return flight

    def _forget(self, place: Place, flight: _Flight | None) -> None:
        if flight is not None and self._flights.get(place) is flight:
            del self._flights[place]

    async def _wait(self, place: Place, pause: float, until: float) -> None:
        """As the scout: a pause. As anyone else: until the scout has something to say."""
        scout = self._scouts.get(place)
        if scout is None:
            mine = self._scouts[place] = asyncio.Event()
            try:
                await self._scout(place, pause, until)
            finally:
                del self._scouts[place]
                mine.set()
            return
        try:
            async with asyncio.timeout(max(0.0, min(until - self._clock(), self._lease_s))):
                await scout.wait()
        except TimeoutError:
            return

    async def _scout(self, place: Place, pause: float, until: float) -> None:
        """Wait until the leader has given its lease back, or a while."""
        end = min(until, self._clock() + _SCOUT_TERM_S)
        while self._clock() < end:
            await self._sleep(pause)
            flight = self._flights.get(place)
            leased = flight is not None and flight.leased
            try:
                if not await self._store.leased(place):
                    if flight is not None and leased:
                        flight.over = True
                    return
            except StoreUnavailableError:
                pass
            pause = min(pause * _GROWTH, _LONGEST_PAUSE_S)

    async def landed(self, place: Place, request_id: str, *, shareable: bool) -> None:
        """The leader's outcome is known: those who wait may look, or go on by themselves."""
        self._landed(place, request_id)
        if not shareable:
            await self._store.note(unshareable(place), request_id, ttl_s=_UNSHAREABLE_S)
        await self._store.release(place, request_id)

    def _landed(self, place: Place, request_id: str) -> None:
        flight = self._flights.get(place)
        if flight is not None and flight.leader == request_id:
            flight.over = True
