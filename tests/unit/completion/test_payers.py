"""Whose account pays: the known have their own, the unknown have one together."""

from typing import Any

import pytest

from forebay.contract.records import Spend, WindowKind
from forebay.contract.windows import window_start
from forebay.settings.tenants import EVERY
from forebay_agents.completion.quotas.budgets import RedisBudgets
from forebay_agents.completion.quotas.payers import account_of
from forebay_agents.completion.quotas.rates import of_payer
from forebay_agents.completion.quotas.settings import Budget, BudgetsSettings, LimitsSettings, Rate
from tests.unit.state.recorded import RecordingRedis

NOW = 1_700_000_000_000
START = window_start(WindowKind.DAY, NOW)
DAY = Budget(daily_usd=1.0)


@pytest.mark.parametrize("known", [frozenset(), {"acme"}])
def test_a_name_that_nobody_knows_has_no_account_of_its_own(known: set[str]) -> None:
    assert account_of("globex", known, ()) == account_of("amce", known, ()) == EVERY
    assert account_of("acme", {"acme"}, ()) == account_of("acme", (), {"acme": DAY}) == "acme"
    assert account_of("globex", None, ()) == "globex"


async def accounts(tenant: str, user: str = "u-1", known: Any = frozenset({"acme"}), **settings: Any) -> set[str]:
    redis = RecordingRedis()
    budgets = RedisBudgets(
        redis, "", BudgetsSettings(**({"tenant": DAY, "user": DAY} | settings)), lambda: NOW, known=known
    )
    await budgets.reserve(tenant, user, "r", 1)
    rates = of_payer(LimitsSettings(tenant=Rate(rpm=1), user=Rate(rpm=1)), tenant, user, 1, known)
    return redis.names | {limit.key for limit in rates}


async def test_unknown_tenants_share_a_budget_and_a_rate_and_known_ones_do_not() -> None:
    assert await accounts("one") == await accounts("two")
    assert not await accounts("one") & await accounts("acme")
    assert not await accounts("acme") & await accounts("globex", known={"acme", "globex"})
    assert await accounts("acme") == await accounts("acme", known=None), "a known one's account goes on"


async def test_a_budget_by_name_is_an_account_by_name() -> None:
    by_tenant = {"tenants": {"one": DAY}}
    shared = await accounts("one", **by_tenant) & await accounts("two", **by_tenant)
    assert not {key for key in shared if key.startswith("budget:")}, "its rate is none by name"
    by_user = {"users": {"one|u-1": DAY}}
    shared = await accounts("one", **by_user) & await accounts("two", **by_user)
    assert not {key for key in shared if key.startswith("budget:user")}


async def test_what_the_ledger_says_of_two_unknown_tenants_adds_up() -> None:
    rows: list[tuple[str, ...]] = []

    class Redis:
        def eval(self, _script: str, count: int, *arguments: Any) -> Any:
            rows.append((arguments[0], arguments[count]))

            async def done() -> int:
                return 0

            return done()

    budgets = RedisBudgets(Redis(), "", BudgetsSettings(tenant=DAY), lambda: NOW, known={"acme"})
    for tenant in ("one", "two", "acme"):
        start = window_start(WindowKind.DAY, NOW)
        await budgets.observe(
            Spend(tenant_id=tenant, user_id="u", model="m", window=WindowKind.DAY, window_start=start)
        )
    assert rows[0][0] == rows[1][0] != rows[2][0]
    assert [row[1] for row in rows] == ["3:one|u|m", "3:two|u|m", "u|m"], "of a tenant of its own as before"
