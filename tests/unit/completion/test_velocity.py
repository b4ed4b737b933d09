"""A tenant that spends much faster than usual is told of once an hour; a new one or a small sum is not."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisGone

from forebay.contract.records import Alert, Spend, WindowKind
from forebay.contract.windows import DAY_MS, HOUR_MS
from forebay.state.conditions import Conditions, MemoryConditions
from forebay_agents.completion.quotas.velocity import Velocity

BEGIN = 1_700_006_400_000  # the beginning of an hour
DOLLAR = 10**9


class Redis:
    """Does what the script does."""

    def __init__(self) -> None:
        self.sums: defaultdict[str, int] = defaultdict(int)
        self.rows: dict[tuple[str, str], int] = {}
        self.since: dict[str, int] = {}
        self.asked = 0
        self.down = False

    async def eval(self, _script: str, count: int, *arguments: Any) -> list[Any]:
        if self.down:
            raise RedisGone
        self.asked += 1
        (hour, rows, since, *before), (name, amount, _, _, now) = arguments[:count], arguments[count:]
        self.sums[hour] += amount - self.rows.get((rows, name), 0)
        self.rows[rows, name] = amount
        return [self.sums[hour], str(self.since.setdefault(since, now)).encode(), *(self.sums[key] for key in before)]


class Bench:
    def __init__(self, floor_usd: float | None = 10.0, workers: int = 1) -> None:
        self.now_ms = BEGIN
        self.redis = Redis()
        store = MemoryConditions()
        self.workers = [
            Velocity(self.redis, "p:", floor_usd, Conditions(store, self._now), self._now) for _ in range(workers)
        ]

    def _now(self) -> int:
        return self.now_ms

    async def spends(self, dollars: float, user: str = "u", worker: int = 0, **fields: Any) -> Sequence[Alert]:
        row = Spend(
            tenant_id="acme", user_id=user, model="m", window=WindowKind.HOUR,
            window_start=self.now_ms - self.now_ms % HOUR_MS, cost_nanousd=round(dollars * DOLLAR),
        )  # fmt: skip
        return await self.workers[worker].observe(replace(row, **fields))

    async def week(self, dollars: float) -> None:
        for _ in range(7):
            assert await self.spends(dollars) == []
            self.now_ms += DAY_MS


async def test_over_three_times_the_usual_is_told_once_an_hour() -> None:
    bench = Bench()
    await bench.week(5)
    assert await bench.spends(14.9) == []
    [alert] = await bench.spends(15.1)
    assert (alert.kind, alert.tenant_id, alert.subject) == ("spend_velocity", "acme", "acme")
    assert (alert.value, alert.threshold) == (15.1, 15.0)
    assert alert.ends_at == bench.now_ms + HOUR_MS
    assert await bench.spends(99) == []
    bench.now_ms += HOUR_MS
    assert len(await bench.spends(11)) == 1, "in the next hour nothing is usual"


async def test_it_is_the_sum_of_all_users_and_each_row_counts_as_it_is_last() -> None:
    bench = Bench(workers=2)
    await bench.week(5)
    assert await bench.spends(8, "a") == []
    assert await bench.spends(4, "b", worker=1) == []
    assert await bench.spends(9, "a", worker=1) == [], "13, not 21"
    assert len(await bench.spends(7, "b")) == 1


@pytest.mark.parametrize("usual", [0.0, 3.0])
async def test_below_the_floor_nobody_minds(usual: float) -> None:
    bench = Bench()
    await bench.week(usual)
    assert await bench.spends(10) == []
    assert len(await bench.spends(10.01)) == 1


async def test_of_a_new_tenant_nothing_is_usual() -> None:
    bench = Bench()
    assert await bench.spends(1_000) == []


async def test_other_windows_old_rows_and_what_did_not_change_cost_nothing() -> None:
    bench = Bench()
    await bench.spends(1, window=WindowKind.DAY)
    await bench.spends(1, window_start=bench.now_ms - 2 * HOUR_MS)
    assert bench.redis.asked == 0
    for _ in range(5):
        await bench.spends(1)
    assert bench.redis.asked == 1
    await Bench(floor_usd=None).spends(1_000)


async def test_without_redis_nobody_is_told_and_nothing_fails() -> None:
    bench = Bench()
    bench.redis.down = True
    assert await bench.spends(100) == []
