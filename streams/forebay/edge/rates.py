"""How much may the holder of a key ask? Taken here: who asks too fast is told at once, and when to come again.

Requests are counted here; tokens by the stage that learns how many there were. Who used more of them than a minute has
waits here as well, since a client that is told can do something else meanwhile.
"""

from collections.abc import Mapping

from forebay.contract.records import ApiKey
from forebay.state.rates import RedisLimiter, Standing, Taken, Unit, of_key


class RedisRates:
    """See :class:`forebay.edge.app.Rates`. With Redis away nothing is limited, as elsewhere."""

    def __init__(self, limiter: RedisLimiter) -> None:
        self._limiter = limiter

    async def take(self, key: ApiKey) -> Taken:
        """See :class:`forebay.edge.app.Rates`."""
        limits = [*of_key(key, Unit.REQUESTS, 1), *of_key(key, Unit.TOKENS, 0)]
        return await self._limiter.taken(limits) if limits else Taken()


def shown(taken: Taken) -> Mapping[str, str]:
    """Headers by which clients pace themselves, as OpenAI names them.

    ``remaining`` is what can be had at once, which is ten seconds' worth of the minute at most.
    """
    return {
        f"x-ratelimit-{what}-{standing.limit.of.value}": value
        for standing in taken.standings
        for what, value in (
            ("limit", str(standing.limit.per_minute)),
            ("remaining", str(standing.left)),
            ("reset", _span(standing)),
        )
    }


def _span(standing: Standing) -> str:
    minutes, seconds = divmod(standing.full_s, 60)
    if not minutes and seconds < 1:
        return f"{round(1000 * seconds)}ms"
    return f"{f'{minutes:.0f}m' if minutes else ''}{seconds:.3f}".rstrip("0").rstrip(".") + "s"
