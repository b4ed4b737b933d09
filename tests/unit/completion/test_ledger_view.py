"""Which rows of spend are passed over? Those that no budget and no watch of hours wants; never one that is wanted."""

import json
from typing import Any

import pytest

from forebay.contract.records import Spend, WindowKind
from forebay.contract.windows import HOUR_MS, window_start
from forebay.state.conditions import Conditions, MemoryConditions
from forebay.testing import context
from forebay_agents.completion.ledger_view import LedgerView
from forebay_agents.completion.quotas.budgets import RedisBudgets
from forebay_agents.completion.quotas.overrides import REFRESH_S, Overrides
from forebay_agents.completion.quotas.settings import Budget, BudgetsSettings
from forebay_agents.completion.quotas.velocity import Velocity

NOW = 1_800_000_000_000
DAILY = Budget(daily_usd=5.0)


class Redis:
    """Keeps budgets that were set, and which rows of accounts were taken over."""

    def __init__(self) -> None:
        self.set: dict[bytes, bytes] = {}
        self.taken: list[Any] = []

    async def hgetall(self, _key: str) -> dict[bytes, bytes]:
        return self.set

    async def eval(self, _script: str, _count: int, *arguments: Any) -> list[int]:
        self.taken.append(arguments)
        return [0, 0]


class Bench:
    def __init__(self, floor_usd: float | None = 10.0, **budgets: Any) -> None:
        self.redis = Redis()
        self.now_s = 100.0
        overrides = Overrides(self.redis, "p:", lambda: self.now_s)
        settings = BudgetsSettings(**budgets)
        velocity = Velocity(self.redis, "p:", floor_usd, Conditions(MemoryConditions()), lambda: NOW)
        self.view = LedgerView(
            RedisBudgets(self.redis, "p:", settings, lambda: NOW, overrides=overrides), velocity, lambda: self.now_s
        )
        assert not self.view.skips(_key("day")), "the first row goes the long way"

    def skipped(self, tenant: str = "acme") -> set[str]:
        return {kind for kind in ("hour", "day", "month") if self.view.skips(_key(kind, tenant))}


def _key(kind: str, tenant: str = "acme", at_ms: int = NOW) -> bytes:
    start = window_start(WindowKind(kind), at_ms)
    return json.dumps([tenant, "ann", "small", kind, start, "fast", "completion"]).encode()


@pytest.mark.parametrize(
    ("bench", "skipped"),
    [
        (Bench(), {"day", "month"}),
        (Bench(floor_usd=None), {"hour", "day", "month"}),
        (Bench(tenant=DAILY), {"month"}),
        (Bench(tenants={"acme": DAILY}), {"month"}),
        (Bench(tenants={"other": DAILY}), {"day", "month"}),
        (Bench(users={"acme|ann": Budget(monthly_usd=1.0)}), {"day"}),
        (Bench(users={"acme|bob": Budget(monthly_usd=1.0)}), {"day", "month"}),
    ],
)
def test_a_row_is_passed_over_if_nothing_counts_it(bench: Bench, skipped: set[str]) -> None:
    assert bench.skipped() == skipped


def test_hours_that_are_over_are_passed_over() -> None:
    bench = Bench()
    assert bench.view.skips(_key("hour", at_ms=NOW - 3 * HOUR_MS))
    assert not bench.view.skips(_key("hour", at_ms=NOW - HOUR_MS))


async def test_a_budget_that_is_set_meanwhile_counts_two_seconds_later() -> None:
    bench = Bench()
    bench.redis.set[b'["acme", ""]'] = DAILY.model_dump_json().encode()
    assert "day" in bench.skipped()
    bench.now_s += REFRESH_S
    assert not bench.view.skips(_key("hour")), "whichever row comes first goes the long way"
    row = Spend(tenant_id="x", user_id="y", model="m", window=WindowKind.HOUR, window_start=0)
    await bench.view.observe(row, context("spend"))
    assert bench.skipped() == {"month"}
    assert bench.skipped("other") == {"day", "month"}


async def test_what_goes_the_long_way_is_what_its_account_takes_over() -> None:
    bench = Bench(tenant=DAILY)
    start = window_start(WindowKind.DAY, NOW)
    row = Spend(
        tenant_id="acme", user_id="ann", model="small", window=WindowKind.DAY, window_start=start, cost_nanousd=7
    )
    await bench.view.observe(row, context("spend"))
    assert len(bench.redis.taken) == 1


@pytest.mark.parametrize("key", [b"", b"\xff", b"7", b"[]", b'["a", "b", "c", "year", 5]', b'{"a": 1}', b"null"])
def test_a_key_of_another_form_goes_the_long_way(key: bytes) -> None:
    assert not Bench(floor_usd=None).view.skips(key)
