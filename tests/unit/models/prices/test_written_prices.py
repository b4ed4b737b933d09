"""A price that somebody wrote: by kind, by length, by service tier, from a date on; and what is none is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from forebay.settings import ConfigurationError, Settings
from forebay_agents.models.prices.book import Step, Window
from forebay_agents.models.prices.litellm_map import sheet
from forebay_agents.models.prices.rates import Kind
from forebay_agents.models.prices.settings import Price
from forebay_agents.models.pricing import Cost, PriceList
from forebay_agents.models.providers.provider import Usage
from forebay_agents.models.settings import Deployment, ModelsSettings


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def cost(price: dict[str, Any], at_ms: int | None = None, **usage: Any) -> int:
    place = Deployment(name="d", model="m", price=Price(**price))
    return PriceList({}, lambda _: None).cost(place, Usage(**usage), at_ms)


def read(text: str) -> ModelsSettings:
    tiers = {"tiers": [{"name": "t", "deployments": [{"name": "d", "model": "acme/m"}]}]}
    return Settings({"models": tiers | yaml.safe_load(text)})[ModelsSettings]


PLAIN = {"input": 3.0, "output": 15.0}


@pytest.mark.parametrize(
    ("more", "usage", "nanousd"),
    [
        ({}, {"prompt_tokens": 900, "completion_tokens": 70}, 900 * 3000 + 70 * 15000),
        ({}, {"prompt_tokens": 900, "cached_prompt_tokens": 400}, 900 * 3000),
        ({"cached_input": 0.3}, {"prompt_tokens": 900, "cached_prompt_tokens": 400}, 500 * 3000 + 400 * 300),
        ({"cached_input": 0.0}, {"prompt_tokens": 900, "cached_prompt_tokens": 400}, 500 * 3000),
        ({"cache_write": 4.0}, {"prompt_tokens": 900, "cache_write_tokens": 400}, 500 * 3000 + 400 * 4000),
        ({"cache_write_1h": 7.0}, {"prompt_tokens": 900, "cache_write_1h_tokens": 900}, 900 * 7000),
        ({}, {"prompt_tokens": 900, "cache_write_tokens": 400}, 500 * 3000 + 400 * 3750),
        ({}, {"prompt_tokens": 900, "cache_write_1h_tokens": 400}, 500 * 3000 + 400 * 6000),
        ({"reasoning": 20.0}, {"completion_tokens": 70, "reasoning_tokens": 50}, 20 * 15000 + 50 * 20000),
        ({}, {"completion_tokens": 70, "reasoning_tokens": 50}, 70 * 15000),
        ({"request": 5000.0}, {"completion_tokens": 70}, 70 * 15000 + 5_000_000),
        ({"input": 0.0, "output": 0.0}, {"prompt_tokens": 900, "completion_tokens": 70}, 0),
    ],
)
def test_each_kind_has_its_price(more: dict[str, Any], usage: dict[str, int], nanousd: int) -> None:
    assert cost(PLAIN | more, **usage) == nanousd


def test_counts_that_cannot_be_never_make_a_negative_price() -> None:
    assert cost(PLAIN, prompt_tokens=100, cached_prompt_tokens=500, completion_tokens=1, reasoning_tokens=9) > 0


@pytest.mark.parametrize(("tokens", "nanousd"), [(1, 0), (3, 2), (5, 2), (7, 4)])
def test_halves_are_rounded_to_the_even_nanodollar_once_a_call(tokens: int, nanousd: int) -> None:
    assert cost({"input": 0.0005, "output": 0.0}, prompt_tokens=tokens) == nanousd


def test_decimals_are_what_was_written_and_sums_are_exact() -> None:
    assert cost({"input": 0.1, "output": 0.2}, prompt_tokens=3 * 10**9, completion_tokens=10**9) == 5 * 10**11
    assert cost({"input": 0.07, "output": 0.0}, prompt_tokens=10**15 + 1) == 7 * 10**16 + 70


STEPPED = PLAIN | {
    "cached_input": 0.3,
    "steps": [{"above": 5000, "input": 6.0, "cached_input": 0.6}, {"above": 9000, "output": 30.0}],
    "service_tiers": {"batch": {"input": 1.5, "output": 7.5}, "flex": {"steps": [{"above": 7000, "input": 5.0}]}},
}


@pytest.mark.parametrize(
    ("usage", "nanousd"),
    [
        ({"prompt_tokens": 5000, "completion_tokens": 10}, 5000 * 3000 + 10 * 15000),
        ({"prompt_tokens": 5001, "completion_tokens": 10}, 5001 * 6000 + 10 * 15000),
        ({"prompt_tokens": 5001, "cached_prompt_tokens": 5000}, 6000 + 5000 * 600),
        ({"prompt_tokens": 9001, "completion_tokens": 10}, 9001 * 6000 + 10 * 30000),
        ({"prompt_tokens": 100, "completion_tokens": 10, "service_tier": "batch"}, 100 * 1500 + 10 * 7500),
        ({"prompt_tokens": 9001, "completion_tokens": 10, "service_tier": "batch"}, 9001 * 1500 + 10 * 7500),
        ({"prompt_tokens": 7001, "service_tier": "flex"}, 7001 * 5000),
        ({"prompt_tokens": 6000, "service_tier": "flex"}, 6000 * 6000),
        ({"prompt_tokens": 100, "service_tier": "unheard of"}, 100 * 3000),
    ],
)
def test_a_step_counts_for_all_tokens_and_a_service_tier_for_what_it_says(usage: dict[str, Any], nanousd: int) -> None:
    assert cost(STEPPED, **usage) == nanousd


PERIODS = """
prices:
  acme/m:
  - {from: 2026-11-01, input: 2, output: 2}
  - {from: '2026-12-01T06:00:00+01:00', input: 5, output: 5}
"""


@pytest.mark.parametrize(
    ("at", "nanousd", "label"),
    [
        ("2026-10-31T23:59:59", 9_000, "litellm 0"),
        ("2026-11-01T00:00:00", 2_000, "models.prices 2026-11-01T00:00:00Z"),
        ("2026-12-01T04:59:59", 2_000, "models.prices 2026-11-01T00:00:00Z"),
        ("2026-12-01T05:00:00", 5_000, "models.prices 2026-12-01T05:00:00Z"),
    ],
)
def test_a_call_has_the_price_of_the_period_in_which_it_began(at: str, nanousd: int, label: str) -> None:
    settings = read(PERIODS)
    listed = sheet("litellm 0", "openai", {"input_cost_per_token": 9e-6, "output_cost_per_token": 9e-6})
    prices = PriceList(settings.prices, lambda _: listed)
    place = settings.tiers[0].deployments[0]
    assert prices.priced(place, Usage(prompt_tokens=1), ms(at)) == Cost(nanousd=nanousd, price=label)


def test_without_a_price_a_call_is_unpriced_and_a_written_zero_is_a_price() -> None:
    place = Deployment(name="d", model="m")
    assert not PriceList({}, lambda _: None).priced(place, Usage(prompt_tokens=9)).priced
    free = PriceList({"m": Price(input=0, output=0)}, lambda _: None).priced(place, Usage(prompt_tokens=9))
    assert free == Cost(nanousd=0, price="models.prices")
    assert len(PriceList({}, lambda _: None).priced(place.model_copy(update={"name": "x" * 99}), Usage()).price) <= 64


def test_before_its_first_period_a_price_is_none() -> None:
    place = Deployment(name="d", model="m", price=Price(since="2027-01-01", **PLAIN))
    prices = PriceList({}, lambda _: None)
    assert not prices.priced(place, Usage(prompt_tokens=9), ms("2026-12-31")).priced
    assert prices.priced(place, Usage(prompt_tokens=9), ms("2027-01-01")).nanousd == 27_000


@pytest.mark.parametrize("bad", ["-1", "1e400", ".nan", ".inf", "NaN", "'a lot'", "1000001", "[1]"])
@pytest.mark.parametrize("kind", ["input", "cache_write", "request"])
def test_what_is_no_price_is_refused_by_its_place(bad: str, kind: str) -> None:
    price = {"input": "1", "output": "1"} | {kind: bad}
    text = ", ".join(f"{name}: {value}" for name, value in price.items())
    with pytest.raises(ConfigurationError, match=rf"models\.prices\.acme/m\.{kind}: "):
        read(f"prices: {{acme/m: {{{text}}}}}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{from: 2026-11-01, input: 1, output: 1}, {from: '2026-11-01', input: 2, output: 2}]", "two prices begin"),
        ("[{from: 2026-11-01, input: 1, output: 1}, {input: 2, output: 2}]", "needs its `from`"),
        ("[]", "no price in the list"),
        ("{from: soon, input: 1, output: 1}", "from: "),
        ("{from: 5, input: 1, output: 1}", "must be a date"),
        ("{input: 1, output: 1, steps: [{above: 5}, {above: 5}]}", "two steps"),
    ],
)
def test_periods_that_are_none_are_refused_with_the_model(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(f"prices: {{acme/m: {text}}}")
    assert said in str(refused.value)
    assert "acme/m" in str(refused.value)


@pytest.mark.parametrize(
    ("at", "peak"),
    [
        ("2026-11-04T15:59:00", True),
        ("2026-11-04T16:00:00", False),
        ("2026-11-05T00:29:00", False),
        ("2026-11-05T00:30:00", True),
        ("2026-11-07T12:00:00", False),
    ],
)
def test_off_peak_hours_count_when_the_call_began(at: str, peak: bool) -> None:
    block = {
        "input_cost_per_token": 1e-6,
        "windows": [
            {"hours_utc": "16:00-00:30", "weekdays": [1, 2, 3, 4, 5]},
            {"hours_utc": "00:00-00:00", "weekdays": ["sat", 7]},
        ],
    }
    entry = {"input_cost_per_token": 4e-6, "output_cost_per_token": 9e-6, "off_peak_pricing": block}
    found = sheet("map", "openai", entry).find(Usage(prompt_tokens=1), ms(at))
    assert found.off_peak is not peak
    assert found.rates.nanousd(Usage(prompt_tokens=1, completion_tokens=1)) == (13_000 if peak else 10_000)


def test_what_stands_in_for_a_price_is_said() -> None:
    found = sheet("map", "openai", {"input_cost_per_token": 4e-6, "output_cost_per_token": 9e-6})
    step: Step = found.steps["standard"][0]
    assert step.rates.substitutes[Kind.REASONING] == "output"
    assert step.rates.substitutes[Kind.CACHED_INPUT] == "input"
    assert Window(start=datetime.min.time(), end=datetime.min.time()).covers(datetime(2026, 11, 4, tzinfo=UTC))
