"""A deployment that nobody knows the price of is not called where money is limited; a written 0 is a price."""

import pytest

from forebay.contract.failures import Rejected
from forebay.contract.records import RedactedRequest
from forebay_agents.completion.quotas.budgets import RedisBudgets
from forebay_agents.completion.quotas.settings import Budget, BudgetsSettings
from forebay_agents.completion.quotas.unpriced import may_call
from forebay_agents.completion.trace import Trace
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.settings import Deployment, Price, Tier, Unpriced
from tests.unit.completion.fakes import Provider, Written, asked, cascade_of, good, tier

UNKNOWN = Deployment(name="new", model="acme/new")
FREE = Deployment(name="free", model="acme/free", price=Price(input=0, output=0))
BUDGETS = BudgetsSettings(tenants={"poor": Budget(daily_usd=1)}, users={"rich|ann": Budget(monthly_usd=2)})


def may(deployment: Deployment, policy: Unpriced = Unpriced.ALERT, **request: object) -> bool:
    prices = PriceList({}, lambda _: None)
    limited = RedisBudgets(None, "", BUDGETS).limited
    rule = may_call(policy, prices.is_priced, limited)
    return rule(deployment, RedactedRequest(**({"tenant_id": "rich", "user_id": "bob"} | request)))  # type: ignore[arg-type]  # by name


def test_where_nothing_is_limited_it_is_called_unless_refused() -> None:
    assert may(UNKNOWN)
    assert not may(UNKNOWN, Unpriced.REFUSE)


@pytest.mark.parametrize(
    "request_of",
    [{"tenant_id": "poor"}, {"user_id": "ann"}, {"max_cost_nanousd": 10**12}, {"max_cost_nanousd": 0}],
)
def test_where_money_is_limited_it_is_not_called(request_of: dict[str, object]) -> None:
    assert not may(UNKNOWN, **request_of)
    assert may(FREE, **request_of)
    assert may(FREE, Unpriced.REFUSE, **request_of)


async def served_by(provider: Provider, *tiers: Tier) -> str:
    prices = PriceList({}, lambda _: None)
    rule = may_call(Unpriced.REFUSE, prices.is_priced, lambda *_: False)
    cascade = cascade_of(provider, tiers, may_call=rule)
    return (await cascade.run(asked(), Trace(), Written(), cheapest=False)).deployment


async def test_what_is_not_called_is_passed_by_within_a_tier_and_between_tiers() -> None:
    new = Tier(name="small", deployments=(UNKNOWN,))
    provider = Provider({"new": good(), "large": good(), "free": good()})
    assert await served_by(provider, new, tier("large")) == "large"
    assert await served_by(provider, Tier(name="both", deployments=(UNKNOWN, FREE))) == "free"
    assert {name for name, _ in provider.calls} == {"large", "free"}


async def test_when_there_is_nobody_else_the_request_is_rejected() -> None:
    provider = Provider({"new": good()})
    with pytest.raises(Rejected) as refused:
        await served_by(provider, Tier(name="small", deployments=(UNKNOWN,)))
    assert refused.value.code == "unpriced_model"
    assert not provider.calls
