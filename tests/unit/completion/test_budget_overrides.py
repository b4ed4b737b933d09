"""A budget that is set while workers run counts instead of the configured one, soon, and is written down first."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Away

from forebay.operations.audit.recording import Act
from forebay.operations.choices import InvalidChoiceError
from forebay.settings import Settings
from forebay_agents.completion.quotas.budgets import RedisBudgets
from forebay_agents.completion.quotas.operations import Purse, change, payer_of, show
from forebay_agents.completion.quotas.overrides import REFRESH_S, Overrides
from forebay_agents.completion.quotas.settings import Budget, BudgetsSettings

NOW = 1_700_000_000_000


class Redis:
    """A hash, and accounts in which nothing is spent but 7 nano-dollars."""

    def __init__(self) -> None:
        self.hash: dict[str, str] = {}
        self.away = False
        self.asked = 0

    async def hgetall(self, _key: str) -> Mapping[str, str]:
        self.asked += 1
        if self.away:
            raise Away
        return dict(self.hash)

    async def hset(self, _key: str, field: str, value: str) -> None:
        self.hash[field] = value

    async def hdel(self, _key: str, field: str) -> None:
        self.hash.pop(field, None)

    async def hmget(self, _key: str, *_fields: str) -> list[bytes | None]:
        return [b"4", b"3", None]


class Bench:
    def __init__(self) -> None:
        self.redis, self.seconds = Redis(), 0.0
        self.overrides = Overrides(self.redis, "p:", lambda: self.seconds)
        configured = BudgetsSettings(tenant=Budget(daily_usd=1), users={"acme|ann": Budget(monthly_usd=2)})
        budgets = RedisBudgets(self.redis, "p:", configured, lambda: NOW, overrides=self.overrides)
        self.purse = Purse(budgets=budgets, overrides=self.overrides, settings=Settings({}))
        self.acts: list[tuple[str, str]] = []

    async def limits(self, payer: str) -> list[tuple[str, str, int]]:
        return [(one.whose, one.window, one.limit_nanousd) for one in await show(self.purse, payer)]

    @contextmanager
    def record(self, action: str, *, subject: str, **_more: Any) -> Iterator[Act]:
        assert not self.redis.hash, "written down before it happens"
        self.acts.append((action, subject))
        yield Act()


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_what_is_configured_counts_until_something_is_set_and_then_again(bench: Bench) -> None:
    configured = [("tenant", "day", 10**9), ("user", "month", 2 * 10**9)]
    assert await bench.limits("acme/ann") == configured
    await bench.overrides.put("acme", "ann", Budget(daily_usd=5))
    await bench.overrides.put("acme", "", Budget())
    bench.seconds += REFRESH_S
    assert await bench.limits("acme/ann") == [("user", "day", 5 * 10**9)]
    assert await bench.limits("acme") == [], "set to no limit"
    assert await bench.limits("globex") == [("tenant", "day", 10**9)]
    await bench.overrides.put("acme", "ann", None)
    await bench.overrides.put("acme", "", None)
    bench.seconds += REFRESH_S
    assert await bench.limits("acme/ann") == configured


async def test_redis_is_asked_every_two_seconds_and_what_was_known_goes_on_without_it(bench: Bench) -> None:
    await bench.overrides.put("acme", "", Budget(daily_usd=3))
    for _ in range(9):
        assert await bench.limits("acme") == [("tenant", "day", 3 * 10**9)]
    assert bench.redis.asked == 1
    bench.redis.away = True
    bench.seconds += REFRESH_S
    assert await bench.limits("acme") == [("tenant", "day", 3 * 10**9)]


async def test_setting_a_budget_is_an_act(bench: Bench) -> None:
    await change(bench.purse, "acme/ann", Budget(daily_usd=3), bench.record)
    assert bench.acts == [("budget.set", "tenant acme")]
    assert (await show(bench.purse, "acme/ann"))[-1].spent_nanousd == 7


@pytest.mark.parametrize("text", ["", "/", "acme/", "/ann"])
def test_who_is_meant_has_to_be_said(text: str) -> None:
    with pytest.raises(InvalidChoiceError):
        payer_of(text)
