"""Rates and budgets in a real Redis: atomic, exact, and true after a crash."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from forebay.contract.failures import Transient
from forebay.contract.records import Spend, WindowKind
from forebay.privacy.people.names import Names
from forebay.state.keys import Owned, formerly, owned
from forebay.state.rates import Limit, RedisLimiter, Unit
from forebay.state.redis_client import open_redis_at
from forebay_agents.completion.quotas.budgets import RedisBudgets, Room
from forebay_agents.completion.quotas.rates import corrections
from forebay_agents.completion.quotas.settings import Budget, BudgetsSettings

pytestmark = pytest.mark.embedded

DAY_MS = 86_400_000
NOW = 20_000 * DAY_MS + 5_000


def limit(tenant: str, per_minute: int, units: int = 1, burst_s: float = 10.0, of: Unit = Unit.REQUESTS) -> Limit:
    key = owned(Owned.TENANT_RATE, tenant, of)
    return Limit(key=key, of=of, per_minute=per_minute, units=units, burst_s=burst_s)


@pytest.fixture
def limiter(redis_client: Any) -> RedisLimiter:
    return RedisLimiter(redis_client, f"{uuid4().hex}:")


async def test_a_burst_goes_through_and_no_more(limiter: RedisLimiter) -> None:
    waits = [await limiter.take([limit("a", 60)]) for _ in range(12)]
    assert waits[:10] == [0.0] * 10
    assert 0 < waits[11] <= 1.0


async def test_all_limits_or_none(limiter: RedisLimiter) -> None:
    full, free = limit("full", 6, burst_s=10.0), limit("free", 6, burst_s=10.0)
    assert await limiter.take([full]) == 0.0
    assert await limiter.take([full, free]) > 0
    assert await limiter.take([free]) == 0.0


async def test_what_was_not_used_comes_back(limiter: RedisLimiter) -> None:
    wanted = limit("a", 6_000, units=900, of=Unit.TOKENS)
    assert await limiter.take([wanted]) == 0.0
    assert await limiter.take([wanted]) > 0
    await limiter.correct(corrections([wanted], 900, 10))
    assert await limiter.take([wanted]) == 0.0


async def test_what_exceeds_a_burst_goes_when_all_is_free(limiter: RedisLimiter) -> None:
    assert await limiter.take([limit("a", 60, units=500)]) == 0.0
    assert await limiter.take([limit("a", 60)]) > 400


async def test_a_limit_is_no_outage() -> None:
    async with open_redis_at("redis://127.0.0.1:1/0", timeout_s=1.0) as dead:
        assert await RedisLimiter(dead, "x:").take([limit("a", 1)]) == 0.0


def budgets(
    redis_client: Any,
    prefix: str | None = None,
    now: list[int] | None = None,
    *,
    names: Names | None = None,
    **fields: Any,
) -> RedisBudgets:
    settings = BudgetsSettings(**({"tenant": Budget(daily_usd=1e-6)} | fields))
    return RedisBudgets(redis_client, prefix or f"{uuid4().hex}:", settings, lambda: (now or [NOW])[0], names=names)


async def test_never_more_is_paid_than_there_is(redis_client: Any) -> None:
    money = budgets(redis_client)  # 1,000 nano-dollars

    async def call(number: int) -> bool:
        reservation = await money.reserve("t", f"u{number % 7}", str(number), 10)
        if reservation.room is Room.HARD:
            return False
        await asyncio.sleep(0)
        await money.settle(reservation, 10)
        return True

    paid = await asyncio.gather(*(call(number) for number in range(1_000)))
    assert sum(paid) == 100


async def test_who_only_asks_is_told_that_nothing_is_left(redis_client: Any) -> None:
    money = budgets(redis_client)
    assert (await money.reserve("t", "u", "", 0)).room is Room.OK
    for _ in range(3):
        assert (await money.reserve("t", "u", "", 1_000)).room is Room.OK, "asking reserves nothing"
    assert (await money.reserve("t", "u", "", 1_001)).room is Room.HARD
    await money.settle(await money.reserve("t", "u", "1", 1_000), 1_000)
    assert (await money.reserve("t", "u", "", 0)).room is Room.HARD


async def test_how_full_each_account_is_is_said_also_where_nothing_fits_in(redis_client: Any) -> None:
    money = budgets(redis_client, user=Budget(daily_usd=2e-6))

    async def fills(amount: int) -> list[int]:
        return [filled for _, filled in (await money.reserve("t", "u", "", amount)).fills]

    assert await fills(0) == [0, 0]
    await money.settle(await money.reserve("t", "u", "1", 850), 850)
    assert await fills(0) == [850, 425]
    assert await fills(151) == [1000, 425], "what is left of the tenant's pays for no such call"
    assert await fills(150) == [850, 425]


async def test_a_failed_call_gives_its_money_back(redis_client: Any) -> None:
    money = budgets(redis_client)
    reservation = await money.reserve("t", "u", "1", 1_000)
    assert (await money.reserve("t", "u", "2", 1)).room is Room.HARD
    await money.settle(reservation, 0)
    assert (await money.reserve("t", "u", "3", 1_000)).room is Room.OK


async def test_settling_twice_does_not_give_back_twice(redis_client: Any) -> None:
    money = budgets(redis_client)
    reservation = await money.reserve("t", "u", "1", 600)
    await money.settle(reservation, 0)
    await money.settle(reservation, 0)
    assert (await money.reserve("t", "u", "2", 1_001)).room is Room.HARD


async def test_tenants_and_days_are_apart(redis_client: Any) -> None:
    now = [NOW]
    money = budgets(redis_client, now=now)
    await money.reserve("t", "u", "1", 1_000)
    assert (await money.reserve("other", "u", "2", 1_000)).room is Room.OK
    now[0] += DAY_MS
    assert (await money.reserve("t", "u", "3", 1_000)).room is Room.OK


async def test_a_user_has_a_budget_of_its_own(redis_client: Any) -> None:
    money = budgets(redis_client, users={"t|u": Budget(monthly_usd=1e-7)})
    assert (await money.reserve("t", "u", "1", 101)).room is Room.HARD
    assert (await money.reserve("t", "v", "2", 101)).room is Room.OK


async def test_most_of_a_budget_is_a_warning(redis_client: Any) -> None:
    money = budgets(redis_client)
    await money.settle(await money.reserve("t", "u", "1", 800), 800)
    assert (await money.reserve("t", "u", "", 0)).room is Room.SOFT


async def test_what_the_ledger_knows_counts_also_when_redis_forgot(redis_client: Any) -> None:
    money = budgets(redis_client)
    row = Spend(tenant_id="t", user_id="u", model="m", window=WindowKind.DAY, window_start=NOW - 5_000)
    for cost, pending in ((300, 0), (500, 400)):  # the newest row counts, not the sum
        await money.observe(Spend(**{**_fields(row), "cost_nanousd": cost, "pending_nanousd": pending}))
    assert (await money.reserve("t", "u", "1", 101)).room is Room.HARD
    assert (await money.reserve("t", "u", "2", 100)).room is not Room.HARD


async def test_what_was_spent_before_ids_had_lengths_still_counts(redis_client: Any) -> None:
    """Accounts as version 0.1 left them, with a reservation that is open and rows of the ledger."""
    start = NOW - 5_000
    for old in (f"p:budget:tenant:a:b:day:{start}", f"p:budget:user:a:b|u:1:day:{start}"):
        await redis_client.hset(old, mapping={"spent": 500, "reserved": 200, "ledger": 300})
        await redis_client.hset(f"{old}:amounts", mapping={"1": 200})
        await redis_client.zadd(f"{old}:until", {"1": NOW + 60_000})
        await redis_client.hset(f"{old}:rows", mapping={"u:1|m": 300})
    money = budgets(redis_client, prefix="p:", user=Budget(daily_usd=1e-6))
    assert (await money.reserve("a:b", "u:1", "", 301)).room is Room.HARD
    reservation = await money.reserve("a:b", "u:1", "2", 300)
    assert reservation.room is not Room.HARD
    await money.settle(replace(reservation, id="1"), 100)  # the one that was open
    row = Spend(tenant_id="a:b", user_id="u:1", model="m", window=WindowKind.DAY, window_start=start, cost_nanousd=950)
    await money.observe(row)  # takes the place of its older self
    assert (await money.reserve("a:b", "u:1", "", 51)).room is Room.HARD
    assert (await money.reserve("a:b", "u:1", "", 50)).room is not Room.HARD
    assert [key async for key in redis_client.scan_iter(match="p:budget:*:day:*")] == []


async def test_a_dead_workers_reservation_ends(redis_client: Any) -> None:
    now = [NOW]
    money = budgets(redis_client, now=now, reservation_s=60.0)
    await money.reserve("t", "u", "1", 1_000)
    now[0] += 60_001
    assert (await money.reserve("t", "u", "2", 1_000)).room is Room.OK


async def test_money_is_not_guessed_at() -> None:
    async with open_redis_at("redis://127.0.0.1:1/0", timeout_s=1.0) as dead:
        with pytest.raises(Transient):
            await budgets(dead).reserve("t", "u", "1", 1)


def _fields(row: Spend) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


NAMES = Names(b"\2" * 32)
ANN = NAMES.user("t", "ann")
OF_USERS = {"tenant": Budget(), "user": Budget(monthly_usd=1e-6)}  # 1,000 nano-dollars


async def spent(money: RedisBudgets, user: str, attempt: str, amount: int) -> Room:
    reservation = await money.reserve("t", user, attempt, amount)
    if reservation.room is not Room.HARD:
        await money.settle(reservation, amount)
    return reservation.room


async def test_a_users_month_goes_on_under_the_pseudonym(redis_client: Any) -> None:
    prefix = f"{uuid4().hex}[x]:"
    before = budgets(redis_client, prefix, **OF_USERS)
    assert await spent(before, "ann", "1", 700) is Room.OK
    under_way = await before.reserve("t", "ann", "2", 100)
    after = budgets(redis_client, prefix, names=NAMES, **OF_USERS)
    assert (await after.reserve("t", ANN, "", 201)).room is Room.HARD
    assert (await after.reserve("t", ANN, "", 200)).room is not Room.HARD
    assert (await after.reserve("t", NAMES.user("t", "bob"), "", 1_000)).room is Room.OK
    assert [key async for key in redis_client.scan_iter(match=f"{prefix[:32]}*ann*")] == []
    await after.settle(replace(under_way, accounts=(await after.reserve("t", ANN, "", 1)).accounts), 90)
    assert (await after.reserve("t", ANN, "", 210)).room is not Room.HARD


async def test_so_does_one_from_before_ids_had_lengths(redis_client: Any) -> None:
    prefix = f"{uuid4().hex}:"
    [account] = (await budgets(redis_client, prefix, **OF_USERS).reserve("t", "ann", "", 1)).accounts
    window = account.key.rsplit(":", 1)[1]
    await redis_client.hset(prefix + formerly(Owned.USER_BUDGET, f"t|ann:month:{window}"), "spent", 900)
    after = budgets(redis_client, prefix, names=NAMES, **OF_USERS)
    assert (await after.reserve("t", ANN, "", 101)).room is Room.HARD


async def test_what_a_worker_of_before_still_spends_counts_too(redis_client: Any) -> None:
    prefix = f"{uuid4().hex}:"
    before = budgets(redis_client, prefix, **OF_USERS)
    after = budgets(redis_client, prefix, names=NAMES, **OF_USERS)
    assert await spent(after, ANN, "1", 300) is Room.OK
    assert await spent(before, "ann", "2", 400) is Room.OK
    row = Spend(tenant_id="t", user_id="ann", model="m", window=WindowKind.MONTH, window_start=NOW, cost_nanousd=400)
    await after.observe(row)
    assert (await after.reserve("t", ANN, "", 301)).room is Room.HARD
    assert (await after.reserve("t", ANN, "", 300)).room is not Room.HARD


async def test_the_ledgers_rows_of_both_names_are_one_sum(redis_client: Any) -> None:
    money = budgets(redis_client, names=NAMES, **OF_USERS)
    row = Spend(tenant_id="t", user_id="ann", model="m", window=WindowKind.MONTH, window_start=NOW, cost_nanousd=400)
    for each in (row, replace(row, user_id=ANN), row):
        await money.observe(each)
    assert (await money.reserve("t", ANN, "", 201)).room is Room.HARD
    assert (await money.reserve("t", "ann", "", 200)).room is not Room.HARD


async def test_a_budget_in_the_configuration_names_its_user_as_the_application_does(redis_client: Any) -> None:
    for named in ("ann", ANN):
        own = {"users": {f"t|{named}": Budget(daily_usd=5e-7)}, "tenant": Budget(), "user": Budget()}
        money = budgets(redis_client, names=NAMES, **own)
        assert (await money.reserve("t", ANN, "", 501)).room is Room.HARD
        assert (await money.reserve("t", ANN, "", 500)).room is not Room.HARD
        assert (await money.reserve("u", NAMES.user("u", "ann"), "", 501)).room is Room.OK
