"""May this call be made yet? The generic cell rate algorithm (ITU-T I.371) on Redis, for several limits at once.

Each limit is one number, the time at which it will be all free again ("theoretical arrival time"). A call that fits all
its limits moves all of them, in one script, so that workers cannot overtake each other; a call that does not, moves
none. Time is Redis's own: workers' clocks may lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from forebay.contract.records import ApiKey
from forebay.state.keys import Key, Owned, Prefix, owned
from forebay.state.redis_client import redis_errors

# KEYS: limits. ARGV: for each, its interval in us per unit, its burst in us, and the units wanted. Returns ms to wait,
# and for each limit in how many us it will be all free.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local wait, tats = 0, {}
for i, key in ipairs(KEYS) do
  local interval, burst, units = tonumber(ARGV[3*i-2]), tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i])
  local tat = math.max(now, tonumber(redis.call('GET', key) or 0)) + interval * units
  -- What is larger than the burst may go when everything is free: otherwise it never could.
  wait = math.max(wait, tat - math.max(burst, interval * units) - now)
  tats[i] = tat
end
local told = {math.ceil(wait / 1000)}
for i, key in ipairs(KEYS) do
  local units = tonumber(ARGV[3*i])
  if wait > 0 then
    tats[i] = tats[i] - tonumber(ARGV[3*i-2]) * units
  elseif units > 0 then
    redis.call('SET', key, string.format('%.0f', tats[i]), 'PX', math.ceil((tats[i] - now) / 1000) + 1000)
  end
  told[i+1] = math.ceil(tats[i] - now)
end
return told
"""

# The same arguments; units may be negative. What was estimated becomes what was used.
_CORRECT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
for i, key in ipairs(KEYS) do
  local tat = tonumber(redis.call('GET', key) or now) + tonumber(ARGV[3*i-2]) * tonumber(ARGV[3*i])
  if tat > now then
    redis.call('SET', key, string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 1000)
  else
    redis.call('DEL', key)
  end
end
return {0}
"""


class Unit(StrEnum):
    """What a limit counts."""

    REQUESTS = "requests"
    TOKENS = "tokens"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A limit and how much of it is wanted: ``per_minute`` and ``units`` are requests or tokens, as ``of`` says."""

    key: Key
    of: Unit
    per_minute: int
    units: int
    burst_s: float

    def arguments(self) -> tuple[int, int, int]:
        """Interval of a unit and burst, in µs, and the units."""
        return round(60e6 / self.per_minute), round(1e6 * self.burst_s), self.units


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a limit stands: ``left`` units can be had at once, and all of it again after ``full_s`` seconds."""

    limit: Limit
    left: int
    full_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """Seconds to wait before trying again, 0: it was taken; and how limits stand, if that is known."""

    wait_s: float = 0.0
    standings: tuple[Standing, ...] = ()


_KEY_BURST_S = 10.0


def of_key(key: ApiKey, of: Unit, units: int) -> list[Limit]:
    """The limit of a key of the HTTP door, if it has one; doors and workers count in one place."""
    per_minute = key.requests_per_minute if of is Unit.REQUESTS else key.tokens_per_minute
    if per_minute is None:
        return []
    name = owned(Owned.KEY_RATE, key.tenant_id, key.key_id, of)
    return [Limit(key=name, of=of, per_minute=per_minute, units=units, burst_s=_KEY_BURST_S)]


class Limiter(Protocol):
    """Takes from limits."""

    async def take(self, limits: Sequence[Limit]) -> float:
        """Seconds to wait before trying again; 0: it was taken from all of them."""
        ...

    async def correct(self, limits: Sequence[Limit]) -> None:
        """Add ``units``, which may be negative, to what was taken."""
        ...


class RedisLimiter:
    """See :class:`Limiter`. Without Redis nothing is limited: a limit must not be an outage."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = Prefix(prefix)

    async def take(self, limits: Sequence[Limit]) -> float:
        """See :class:`Limiter`."""
        return (await self.taken(limits)).wait_s

    async def taken(self, limits: Sequence[Limit]) -> Taken:
        """As :meth:`take`; a limit of which nothing is wanted has to have anything left."""
        wait_ms, *ahead = await self._run(_TAKE, limits)
        standings = tuple(_standing(limit, us) for limit, us in zip(limits, ahead, strict=False))
        return Taken(wait_s=wait_ms / 1000, standings=standings)

    async def correct(self, limits: Sequence[Limit]) -> None:
        """See :class:`Limiter`."""
        await self._run(_CORRECT, [limit for limit in limits if limit.units])

    async def _run(self, script: str, limits: Sequence[Limit]) -> Sequence[int]:
        if not limits:
            return (0,)
        keys = [self._prefix + limit.key for limit in limits]
        arguments = [argument for limit in limits for argument in limit.arguments()]
        try:
            return [int(number) for number in await self._client.eval(script, len(keys), *keys, *arguments)]
        except redis_errors():
            return (0,)


def _standing(limit: Limit, ahead_us: int) -> Standing:
    interval_us, burst_us, _ = limit.arguments()
    return Standing(
        limit=limit,
        left=max(0, (max(burst_us, interval_us) - ahead_us) // interval_us),
        full_s=max(0, ahead_us) / 1e6,
    )
