"""What the holder of a key may use, in a real Redis: exact over workers, and true after a crash."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from forebay.contract.records import ApiKey
from forebay.contract.windows import DAY_MS
from forebay.edge.rates import RedisRates
from forebay.state.rates import RedisLimiter, Unit, of_key
from forebay_agents.completion.quotas.budgets import RedisBudgets, Room
from forebay_agents.completion.quotas.key_limits import KnownKeys
from forebay_agents.completion.quotas.settings import Budget, BudgetsSettings

pytestmark = pytest.mark.embedded

NOW = round(datetime(2024, 12, 30, 15, 0, tzinfo=UTC).timestamp() * 1000)
MIDNIGHT = round(datetime(2024, 12, 31, tzinfo=UTC).timestamp() * 1000)
NEW_YEAR = round(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)
KEY = ApiKey(key_id="k1", tenant_id="t", user_id="u", daily_nanousd=1_000)


def worker(redis_client: Any, *keys: ApiKey, now: list[int] | None = None, **fields: Any) -> RedisBudgets:
    known = KnownKeys({key.key_id: key for key in keys or (KEY,)}.get)
    return RedisBudgets(redis_client, "p:", BudgetsSettings(**fields), lambda: (now or [NOW])[0], keys=known)


async def test_two_workers_never_pay_more_than_a_key_may(redis_client: Any) -> None:
    workers = worker(redis_client), worker(redis_client)

    async def call(number: int) -> bool:
        money = workers[number % 2]
        reservation = await money.reserve("t", f"u{number % 7}", str(number), 10, key_id="k1")
        if reservation.room is Room.HARD:
            return False
        await asyncio.sleep(0)
        await money.settle(reservation, 10)
        return True

    assert sum(await asyncio.gather(*(call(number) for number in range(300)))) == 100


async def test_only_who_uses_a_key_uses_it_up(redis_client: Any) -> None:
    money = worker(redis_client, KEY, replace(KEY, key_id="k2"))
    await money.settle(await money.reserve("other", "u", "0", 1_000, key_id="k1"), 1_000)
    await money.settle(await money.reserve("t", "u", "1", 1_000, key_id="k1"), 1_000)
    assert (await money.reserve("t", "u", "2", 1, key_id="k1")).room is Room.HARD
    assert (await money.reserve("t", "u", "3", 1_000, key_id="k2")).room is not Room.HARD
    assert (await money.reserve("t", "u", "4", 10_000)).room is Room.OK, "a record without a key has no key's budget"
    assert (await money.reserve("t", "u", "5", 10_000, key_id="no-such")).room is Room.OK


async def test_what_a_dead_worker_put_aside_for_a_key_stays_counted(redis_client: Any) -> None:
    now = [NOW]
    money = worker(redis_client, now=now, reservation_s=60.0)
    stood_still = await money.reserve("t", "u", "1", 900, key_id="k1")
    now[0] += 3_600_000
    assert (await money.reserve("t", "u", "2", 101, key_id="k1")).room is Room.HARD, "the ledger has it unsettled"
    await money.settle(stood_still, 300)
    assert (await money.reserve("t", "u", "3", 700, key_id="k1")).room is not Room.HARD, "once, at what it cost"


async def test_the_refusal_says_whose_budget_and_until_when(redis_client: Any) -> None:
    now, both = [NOW], replace(KEY, monthly_nanousd=1_500)
    money = worker(redis_client, both, now=now, tenant=Budget(monthly_usd=1.0))
    await money.settle(await money.reserve("t", "u", "1", 1_000, key_id="k1"), 1_000)
    today = (await money.reserve("t", "u", "2", 400, key_id="k1")).refusal()
    assert "daily budget of the API key" in today.message
    assert "2024-12-31 00:00 UTC" in today.message
    assert today.retry_at == MIDNIGHT
    both_spent = (await money.reserve("t", "u", "3", 600, key_id="k1")).refusal()
    assert ("monthly" in both_spent.message, both_spent.retry_at) == (True, NEW_YEAR), "the later of both"
    now[0] += DAY_MS
    await money.settle(await money.reserve("t", "u", "4", 500, key_id="k1"), 500)
    assert (await money.reserve("t", "u", "5", 1, key_id="k1")).refusal().retry_at == NEW_YEAR
    now[0] += DAY_MS
    assert (await money.reserve("t", "u", "6", 1_000, key_id="k1")).room is not Room.HARD, "a month begins anew"


async def test_a_key_has_so_many_requests_and_tokens_a_minute(redis_client: Any) -> None:
    limiter = RedisLimiter(redis_client, "p:")
    door, key = RedisRates(limiter), replace(KEY, requests_per_minute=60, tokens_per_minute=6_000)
    first = await door.take(key)
    assert [(one.limit.of, one.left) for one in first.standings] == [(Unit.REQUESTS, 9), (Unit.TOKENS, 1_000)]
    asked = of_key(key, Unit.TOKENS, 200)
    assert await limiter.take(asked) == 0.0
    assert [one.left for one in (await door.take(key)).standings] == [8, 800]
    await limiter.correct(of_key(key, Unit.TOKENS, 2_800))  # the answer was long: half a minute's worth
    late = await door.take(key)
    assert 15 < late.wait_s <= 20
    assert [one.left for one in late.standings] == [8, 0], "nothing was taken of what it has"
    assert (await door.take(replace(key, key_id="k2"))).wait_s == 0.0
