"""``forebay prices explain``: an answer for each line, whatever stands in it, in the same order."""

import json
from typing import Any

import pytest

from forebay_agents.models.prices.explaining import Explainer
from forebay_agents.models.prices.litellm_map import sheet
from forebay_agents.models.settings import Deployment, ModelsSettings, Price, Tier

LISTED = sheet(
    "map 7",
    "openai",
    {
        "input_cost_per_token": 2e-6,
        "output_cost_per_token": 8e-6,
        "cache_read_input_token_cost": 5e-7,
        "input_cost_per_token_above_100k_tokens": 4e-6,
    },
)
PLACE = Deployment(name="here", model="acme/own", price=Price(since="2026-11-01", input=1, output=2))
SETTINGS = ModelsSettings(tiers=(Tier(name="t", deployments=(PLACE,)),), prices={})
EXPLAINER = Explainer(SETTINGS, lambda model: LISTED if model == "acme/m" else None)


def explained(**call: Any) -> dict[str, Any]:
    return EXPLAINER.line(json.dumps(call))


def test_the_parts_are_what_the_cost_is_made_of() -> None:
    assert explained(model="acme/m", input=120_000, cached=20_000, output=10, reasoning=4) == {
        "model": "acme/m",
        "priced": True,
        "source": "map 7",
        "from": None,
        "step": 100_000,
        "service_tier": "standard",
        "off_peak": False,
        "cost_nanousd": 410_080_000,
        "parts": [
            {"kind": "input", "tokens": 100_000, "usd_per_million": 4, "nanousd": 400_000_000},
            {"kind": "cached_input", "tokens": 20_000, "usd_per_million": 0.5, "nanousd": 10_000_000},
            {"kind": "output", "tokens": 6, "usd_per_million": 8, "nanousd": 48_000},
            {"kind": "reasoning", "tokens": 4, "usd_per_million": 8, "nanousd": 32_000, "as": "output"},
        ],
    }


def test_a_deployment_is_known_by_its_name_and_its_period_by_the_time() -> None:
    found = explained(model="here", input=1000, at="2026-11-01T00:00:00Z")
    assert (found["source"], found["from"], found["cost_nanousd"]) == (
        "deployment here", "2026-11-01T00:00:00Z", 1_000_000
    )  # fmt: skip
    assert explained(model="here", input=1000, at="2026-10-31T23:59:59")["error"]["code"] == "unpriced_model"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "bad_line"),
        ("[1]", "bad_line"),
        ("null", "bad_line"),
        ("[" * 100_000, "bad_line"),
        ("{}", "bad_line"),
        ('{"model": 7}', "bad_line"),
        ('{"model": "acme/m", "input": -1}', "bad_line"),
        ('{"model": "acme/m", "input": NaN}', "bad_line"),
        ('{"model": "acme/m", "input": 1e400}', "bad_line"),
        ('{"model": "acme/m", "input": "12"}', "bad_line"),
        ('{"model": "acme/m", "input": true}', "bad_line"),
        ('{"model": "acme/m", "input": 5, "cached": 3, "cache_write": 3}', "bad_line"),
        ('{"model": "acme/m", "output": 5, "reasoning": 6}', "bad_line"),
        ('{"model": "acme/m", "inptu": 5}', "bad_line"),
        ('{"model": "acme/m", "at": "soon"}', "bad_line"),
        ('{"model": "acme/m", "at": 1e300}', "bad_line"),
        ('{"model": "acme/m", "at": 99999999999999999}', "bad_line"),
        ('{"model": "acme/m", "service_tier": 3}', "bad_line"),
        ('{"model": "acme/other"}', "unpriced_model"),
        ('{"model": "with a space / and a slash"}', "unpriced_model"),
    ],
)
def test_what_cannot_be_priced_has_an_error_instead(line: str, code: str) -> None:
    found = EXPLAINER.line(line)
    assert (found["priced"], found["error"]["code"]) == (False, code)
    assert found["error"]["message"]
