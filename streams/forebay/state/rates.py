"""May this call be made yet? The generic cell rate algorithm (ITU-T I.371) on Redis, for several limits at once.

Each limit is one number, the time at which it will be all free again ("theoretical arrival time"). A call that fits all
its limits moves all of them, in one script, so that workers cannot overtake each other; a call that does not, moves
none. Time is Redis's own: workers' clocks may lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from forebay.state.keys import Key, Prefix
from forebay.state.redis_client import redis_errors

# KEYS: limits. ARGV: for each, its interval in us per unit, its burst in us, and the units wanted. Returns ms to wait.
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
if wait > 0 then return math.ceil(wait / 1000) end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.0f', tats[i]), 'PX', math.ceil((tats[i] - now) / 1000) + 1000)
end
return 0
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
return 0
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
        return await self._run(_TAKE, limits) / 1000

    async def correct(self, limits: Sequence[Limit]) -> None:
        """See :class:`Limiter`."""
        await self._run(_CORRECT, [limit for limit in limits if limit.units])

    async def _run(self, script: str, limits: Sequence[Limit]) -> int:
        if not limits:
            return 0
        keys = [self._prefix + limit.key for limit in limits]
        arguments = [argument for limit in limits for argument in limit.arguments()]
        try:
            return int(await self._client.eval(script, len(keys), *keys, *arguments))
        except redis_errors():
            return 0
