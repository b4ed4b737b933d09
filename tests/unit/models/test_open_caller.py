"""What calls models is put together in one place, from the settings alone."""

from pathlib import Path

import pytest

from forebay.contract.records import CallPurpose, Message
from forebay.settings import ConfigurationError, Settings
from forebay_agents.models.open_caller import open_caller, tier_of
from forebay_agents.models.providers.provider import Call
from forebay_agents.models.settings import ModelsSettings

AGENTS = Path(__file__).parents[3] / "agents"
SETTINGS = Settings(
    {
        "models": {
            "prices": {"openai/listed": {"input": 2.0, "output": 3.0}},
            "tiers": [{"name": "only", "deployments": [{"name": "d", "model": "openai/listed"}]}],
        }
    }
)


async def test_an_opened_caller_charges_what_the_settings_say() -> None:
    deployment = SETTINGS[ModelsSettings].tiers[0].deployments[0]
    call = Call(attempt_id="a", request_id="r", messages=(Message(content="x" * 300),), timeout_s=1.0, max_tokens=10)
    async with open_caller(SETTINGS, CallPurpose.JUDGE) as opened:
        tokens = opened.provider.count_tokens(deployment, call.messages)
        assert opened.caller.worst_case(deployment, call) == 1_000 * (2 * tokens + 3 * 10)


def test_a_tier_that_is_not_there_is_named_with_the_setting_that_asks_for_it() -> None:
    assert tier_of(SETTINGS, "only", "cache.judge_tier").name == "only"
    with pytest.raises(ConfigurationError, match=r"evaluation\.judge_tier: there is no tier 'best'"):
        tier_of(SETTINGS, "best", "evaluation.judge_tier")


def test_no_stage_opens_a_provider_by_itself() -> None:
    opening = {path.stem for path in AGENTS.rglob("*.py") if "LitellmProvider()" in path.read_text()}
    assert opening == {"open_caller"}
