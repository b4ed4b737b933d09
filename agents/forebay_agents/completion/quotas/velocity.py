"""Does a tenant spend much faster than it does at this hour? Told before a budget is gone, or where there is none.

Rows of spend by the hour are summed by tenant in Redis, as any worker may get any of them. An hour is unusual when it
costs over three times the mean of the same hour of the days before, at most seven, and over a floor, below which
nobody minds. A tenant of which less than a day is known has no usual hour.
"""

from typing import Any

from forebay.contract.clock import Clock, now_ms
from forebay.contract.json_lines import new_id
from forebay.contract.records import Alert, Severity, Spend, WindowKind
from forebay.contract.windows import DAY_MS, HOUR_MS, window_start
from forebay.state.conditions import Conditions
from forebay.state.keys import Owned, Prefix, owned
from forebay.state.redis_client import redis_errors
from forebay_agents.models.prices.rates import NANO

TIMES = 3
_DAYS = 7
_REMEMBERED = 50_000
_KEEP_MS, _KEEP_ROWS_MS = (_DAYS + 1) * DAY_MS, 2 * HOUR_MS

# KEYS: the hour's sum, its rows, since when the tenant is known, the same hour of the days before. ARGV: row, amount,
# keep ms of the sum, keep ms of rows, now ms. A row replaces its older self. Returns the sum, since, the days' sums.
_OBSERVE = """
local old = redis.call('HGET', KEYS[2], ARGV[1]) or 0
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
local sum = redis.call('INCRBY', KEYS[1], ARGV[2] - old)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[3], ARGV[5], 'NX')
local answer = {sum, redis.call('GET', KEYS[3])}
for i = 4, #KEYS do answer[#answer + 1] = redis.call('GET', KEYS[i]) or 0 end
return answer
"""


class Velocity:
    """Watches what tenants spend in an hour.

    Args:
        client: a ``redis.asyncio`` client.
        floor_usd: US dollars in an hour of which nobody need hear; ``None``: nothing is watched.
        now_ms: ms since the epoch.
    """

    def __init__(
        self, client: Any, prefix: str, floor_usd: float | None, conditions: Conditions, now_ms: Clock = now_ms
    ) -> None:
        self._client = client
        self._prefix = Prefix(prefix)
        self._floor = None if floor_usd is None else round(floor_usd * NANO)
        self._conditions = conditions
        self._now_ms = now_ms
        self._seen: dict[tuple[str, str, int], int] = {}

    def follows(self, hour: int) -> bool:
        """Whether rows of the hour that began then, in ms since the epoch, are of any use."""
        return self._floor is not None and self._now_ms() - hour < _KEEP_ROWS_MS

    async def observe(self, row: Spend) -> list[Alert]:
        """Take in a row; what to tell. Without Redis nothing is: this is a hint beside budgets, and holds up nobody."""
        now = self._now_ms()
        if row.window is not WindowKind.HOUR or not self.follows(row.window_start):
            return []
        name = f"{row.user_id}|{row.model}|{row.tier}|{row.purpose}"
        place = row.tenant_id, name, row.window_start
        if self._seen.get(place) == row.cost_nanousd:
            return []
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        keys = [self._key(row.tenant_id, "sum", row.window_start), self._key(row.tenant_id, "rows", row.window_start)]
        keys += [self._key(row.tenant_id, "since", 0)]
        keys += [self._key(row.tenant_id, "sum", row.window_start - day * DAY_MS) for day in range(1, _DAYS + 1)]
        arguments = name, row.cost_nanousd, _KEEP_MS, _KEEP_ROWS_MS, now
        try:
            found = await self._client.eval(_OBSERVE, len(keys), *keys, *arguments)
        except redis_errors():
            return []
        self._seen[place] = row.cost_nanousd
        spent, since, *before = (int(value) for value in found)
        days = min(_DAYS, (now - since) // DAY_MS)
        if days < 1 or row.window_start != window_start(WindowKind.HOUR, now):
            return []
        usual = sum(before[:days]) / days
        if self._floor is None or spent <= self._floor or spent <= TIMES * usual:
            return []
        return list(await self._conditions.note(_alert(row, spent, usual, now), holds=True))

    def _key(self, tenant_id: str, what: str, start: int) -> str:
        return self._prefix + owned(Owned.TENANT_HOUR, tenant_id, what, str(start))


def _alert(row: Spend, spent: int, usual: float, now: int) -> Alert:
    return Alert(
        alert_id=new_id(),
        kind="spend_velocity",
        severity=Severity.WARNING,
        tenant_id=row.tenant_id,
        subject=row.tenant_id,
        message=f"${spent / NANO:,.2f} in this hour so far; at this hour ${usual / NANO:,.2f} are usual",
        value=spent / NANO,
        threshold=TIMES * usual / NANO,
        created_at=now,
        labels={"hour": str(row.window_start)},
        ends_at=row.window_start + HOUR_MS,
        summary=f"tenant {row.tenant_id} spends much faster than usual",
        action="See on what (`forebay spend --by user,model --since 2h`); set a budget (`forebay budget set`).",
    )
