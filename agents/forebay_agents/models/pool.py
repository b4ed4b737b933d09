"""Which deployment of a tier is next? By weight among those that work and have room; those that failed rest.

litellm's Router balances too, but it makes the calls itself; here each call needs its ledger entry before it goes out,
so the choice stands alone. State is per worker: each learns within a few calls what the others know.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from forebay_agents.models.breaker import Breaker
from forebay_agents.models.concurrency import AdaptiveLimit
from forebay_agents.models.latency import Latencies
from forebay_agents.models.metrics import PlaceView, PoolMetrics
from forebay_agents.models.providers.provider import OUTAGES, ProviderError
from forebay_agents.models.settings import Deployment, Tier

TRY_ANOTHER = OUTAGES | {"provider_auth", "provider_not_found", "content_policy", "hedge_lost"}
"""Errors that another deployment of the same tier may not have."""
LOST = "hedge_lost"
"""Not an error of the deployment: another one was faster."""
_OVERLOAD = frozenset({"provider_rate_limited", "provider_timeout"})


class NoRoomError(Exception):
    """As many calls of a deployment are out as it takes at once."""


class _Place:
    """What is known about one deployment."""

    def __init__(self, deployment: Deployment, open_s: float) -> None:
        self.breaker = Breaker(open_s)
        self.limit = AdaptiveLimit(deployment.max_in_flight)
        self.latencies = Latencies()
        self.freed = asyncio.Event()
        self.last_error = ""


class DeploymentPool:
    """The deployments of all tiers.

    Args:
        open_s: seconds that a deployment rests after it failed, unless the provider says how long.
        clock: monotonic, seconds.
    """

    def __init__(
        self,
        tiers: Sequence[Tier],
        open_s: float,
        metrics: PoolMetrics | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._places = {one.name: _Place(one, open_s) for tier in tiers for one in tier.deployments}
        self._clock = clock
        self._random = rng or random.Random()  # noqa: S311 - balances load, guards nothing
        self._ended = asyncio.Event()
        """Set, and replaced, whenever a call ends."""
        if metrics is not None:
            for name in self._places:
                metrics.watch(name, partial(self._view, name))

    def candidates(self, tier: Tier) -> Iterator[Deployment]:
        """Deployments to try, in order; none when all rest, see :meth:`rest_s`."""
        now = self._clock()
        working = [one for one in tier.deployments if self._places[one.name].breaker.admits(now)]
        for free in (True, False):
            group = [one for one in working if (self._places[one.name].limit.room > 0) is free]
            while group:
                [chosen] = self._random.choices(group, [one.weight for one in group])
                group.remove(chosen)
                yield chosen

    def rest_s(self, tier: Tier) -> float:
        """Seconds until a deployment of ``tier`` is called again; 0 when one works, or is being probed."""
        ends = min(self._places[one.name].breaker.opens_at() for one in tier.deployments)
        return max(0.0, ends - self._clock())

    def why_rests(self, tier: Tier) -> str:
        """Why each deployment of ``tier`` that rests does so: what its last call failed of."""
        now = self._clock()
        places = [self._places[one.name] for one in tier.deployments]
        return "; ".join(place.last_error for place in places if place.last_error and not place.breaker.admits(now))

    async def works_after_probes(self, tiers: Sequence[Tier]) -> bool:
        """Wait for the probes of ``tiers`` that are out, if all else rests; whether that helped.

        At the end of an outage one request is the probe; the others would fail for nothing, all at once.
        """
        breakers = [self._places[one.name].breaker for tier in tiers for one in tier.deployments]
        waited = False
        while not any(breaker.admits(self._clock()) for breaker in breakers):
            if not any(breaker.probing for breaker in breakers):
                return False
            await self._ended.wait()
            waited = True
        return waited

    @asynccontextmanager
    async def calling(self, deployment: Deployment, within_s: float | None = None) -> AsyncIterator[None]:
        """For the length of a call, within which its outcome is noted: waits until ``deployment`` has room for it.

        Raises:
            NoRoomError: it had none for ``within_s`` seconds.
        """
        place = self._places[deployment.name]
        try:
            async with asyncio.timeout(within_s):
                while place.limit.room <= 0:
                    place.freed.clear()
                    await place.freed.wait()
        except TimeoutError:
            raise NoRoomError(deployment.name) from None
        place.limit.in_flight += 1
        probe = place.breaker.started(self._clock())
        try:
            yield
        finally:
            if probe:
                place.breaker.gave_up()  # nothing to give up once its outcome is noted
            place.limit.in_flight -= 1
            place.freed.set()
            self._ended.set()
            self._ended = asyncio.Event()

    def failed(self, deployment: Deployment, error: ProviderError) -> None:
        """Note a failure."""
        place, now = self._places[deployment.name], self._clock()
        if place.breaker.failed(error.code, now, error.retry_after_s):
            place.last_error = f"{error.code}: {error.message}"
        if error.code in _OVERLOAD:
            place.limit.overloaded(now)

    def worked(self, deployment: Deployment, seconds: float | None = None) -> None:
        """Note a success, and how long it took."""
        place = self._places[deployment.name]
        if seconds is not None:
            place.latencies.add(seconds)
        place.breaker.succeeded()
        place.limit.succeeded()

    def has_room(self, deployment: Deployment) -> bool:
        """Whether a call of it would go out at once."""
        return self._places[deployment.name].limit.room > 0

    def p95_s(self, deployment: Deployment) -> float | None:
        """Seconds within which 95 % of its recent answers came; ``None`` while few are known."""
        return self._places[deployment.name].latencies.p95

    def _view(self, name: str) -> PlaceView:
        place = self._places[name]
        return PlaceView(
            breaker=place.breaker.state(self._clock()),
            limit=place.limit.limit,
            in_flight=place.limit.in_flight,
            recent_errors=place.breaker.recent_errors,
            p95_s=place.latencies.p95,
        )
