"""How often may the holder of a key ask? Taken here: who asks too fast is told at once, and when to come again."""

from forebay.contract.records import ApiKey
from forebay.state.keys import Owned, owned
from forebay.state.rates import Limit, Limiter, Unit

_BURST_S = 10.0


class RedisRates:
    """See :class:`forebay.edge.app.Rates`. With Redis away nothing is limited, as elsewhere."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    async def wait_s(self, key: ApiKey) -> float:
        """See :class:`forebay.edge.app.Rates`."""
        if key.requests_per_minute is None:
            return 0.0
        name = owned(Owned.KEY_RATE, key.tenant_id, key.key_id, Unit.REQUESTS)
        limit = Limit(key=name, of=Unit.REQUESTS, per_minute=key.requests_per_minute, units=1, burst_s=_BURST_S)
        return await self._limiter.take([limit])
