"""Which deployments cost what now, and of which prices is there reason to doubt?"""

from datetime import UTC, datetime
from decimal import Decimal

from forebay_agents.models.prices.litellm_map import sheet
from forebay_agents.models.prices.operations import check, listed
from forebay_agents.models.prices.settings import OffPeak
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.providers.provider import Usage
from forebay_agents.models.settings import Deployment, ModelsSettings, Price, Tier

NOW = round(datetime(2026, 11, 15, tzinfo=UTC).timestamp() * 1000)
KNOWN = sheet("map 7", "openai", {"input_cost_per_token": 2e-6, "output_cost_per_token": 8e-6})


def settings(*deployments: Deployment, **prices: object) -> ModelsSettings:
    return ModelsSettings(tiers=(Tier(name="t", deployments=deployments),), prices=prices)  # type: ignore[arg-type]  # as YAML has it


def known(model: str) -> object:
    return KNOWN if model == "acme/m" else None


OURS = settings(
    Deployment(name="by map", model="acme/m"),
    Deployment(name="near", model="acme/m", price=Price(input=2.4, output=6.4, cached_input=1.6)),
    Deployment(name="far", model="acme/m", price=Price(input=2.41, output=8, cached_input=2)),
    Deployment(name="free", model="acme/m", price=Price(input=0, output=8, cached_input=2)),
    Deployment(name="own", model="acme/own"),
    Deployment(name="later", model="acme/later"),
    Deployment(name="nobody", model="acme/none"),
    **{
        "acme/own": [{"from": "2026-11-01", "input": 3, "output": 4}, {"from": "2026-12-01", "input": 2, "output": 2}],
        "acme/later": [{"from": "2026-12-01", "input": 1, "output": 1}],
    },
)


def test_each_deployment_has_its_price_of_now_and_who_says_so() -> None:
    rows = {row.deployment: row for row in listed(OURS, known, lambda: NOW)}  # type: ignore[arg-type]  # a sheet or none
    assert list(rows) == ["by map", "near", "far", "free", "own", "later", "nobody"]
    assert (rows["by map"].source, rows["by map"].prices["input"]) == ("map 7", Decimal(2))
    own = rows["own"]
    assert (own.source, own.since, own.until) == ("models.prices", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
    assert (own.prices["output"], own.prices["cache_write"]) == (4, Decimal("3.75"))
    assert (rows["later"].source, rows["later"].until, rows["later"].prices) == (None, "2026-12-01T00:00:00Z", {})
    assert rows["nobody"].source is None


def test_what_is_unpriced_or_more_than_a_fifth_off_is_told() -> None:
    doubts = check(OURS, known, lambda: NOW)  # type: ignore[arg-type]  # a sheet or none
    assert [(one.deployment, one.problem, one.kind) for one in doubts] == [
        ("far", "differs", "input"),
        ("free", "differs", "input"),
        ("later", "unpriced", None),
        ("nobody", "unpriced", None),
    ]
    assert (doubts[0].ours, doubts[0].theirs) == (Decimal("2.41"), 2)


def at(hour: int, day: int = 4, **usage: object) -> int:
    """Cost at an hour of a Wednesday, the 4th of November, or of another day."""
    off_peak = OffPeak(start="22:00", end="06:00", weekdays=(1, 2, 3, 4, 5), input=1)  # type: ignore[arg-type]  # as YAML has it
    steps = [{"above": 100, "input": 9}]
    price = Price(input=4, output=8, off_peak=off_peak, steps=steps, service_tiers={"batch": {"input": 2}})  # type: ignore[arg-type]  # as YAML has it
    moment = round(datetime(2026, 11, day, hour, tzinfo=UTC).timestamp() * 1000)
    place = Deployment(name="d", model="m", price=price)
    return PriceList({}, lambda _: None).cost(place, Usage(**({"prompt_tokens": 10} | usage)), moment)  # type: ignore[arg-type]  # by name


def test_a_price_may_be_another_one_at_some_hours() -> None:
    assert [at(hour) for hour in (5, 6, 21, 22)] == [10_000, 40_000, 40_000, 10_000]
    assert at(23, day=7) == 40_000, "a Saturday"
    assert at(23, completion_tokens=1) == 18_000, "what it does not name stays"
    assert at(23, prompt_tokens=101) == 101_000, "of long inputs too"
    assert at(23, service_tier="batch") == 20_000, "a service tier's price is its own"
