"""Every priced text model of litellm's map costs what litellm says, to the nano-dollar, whatever was used.

What differs on purpose is in ``exceptions.csv``; an entry there that is needless fails.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from forebay_agents.models.prices.lookup import sheet_of
from forebay_agents.models.providers.litellm_provider import _import_litellm
from forebay_agents.models.providers.provider import Usage

NOON = datetime(2026, 11, 4, 12, 15, tzinfo=UTC)  # a Wednesday; off-peak for some, peak for others
USAGES = {
    "plain": Usage(prompt_tokens=1_234, completion_tokens=321),
    "input only": Usage(prompt_tokens=77),
    "output only": Usage(completion_tokens=41),
    "cached": Usage(prompt_tokens=5_000, completion_tokens=60, cached_prompt_tokens=4_096),
    "written": Usage(prompt_tokens=5_000, completion_tokens=60, cache_write_tokens=3_000),
    "written for an hour": Usage(prompt_tokens=5_000, completion_tokens=60, cache_write_1h_tokens=3_000),
    "reasoning": Usage(prompt_tokens=500, completion_tokens=2_000, reasoning_tokens=1_900),
    "long": Usage(prompt_tokens=280_001, completion_tokens=900),
    "long and cached": Usage(prompt_tokens=280_001, completion_tokens=900, cached_prompt_tokens=250_000),
    "at a threshold": Usage(prompt_tokens=200_000, completion_tokens=900),
    "above 128k": Usage(prompt_tokens=128_001, completion_tokens=4_000, reasoning_tokens=3_999),
    "all": Usage(
        prompt_tokens=310_000,
        completion_tokens=7_000,
        cached_prompt_tokens=90_000,
        cache_write_tokens=8_000,
        cache_write_1h_tokens=70_000,
        reasoning_tokens=6_001,
    ),
}
TIERS = ("flex", "balanced", "priority", "ultrafast")


@pytest.fixture(scope="module")
def litellm() -> Any:
    return _import_litellm()


def text_models(litellm: Any) -> list[str]:
    modes = ("chat", "completion", "responses")
    return [name for name, entry in litellm.model_cost.items() if entry.get("mode") in modes]


def tiers(entry: dict[str, Any]) -> Iterator[str]:
    yield "standard"
    yield from (tier for tier in TIERS if any(key.endswith(f"_{tier}") for key in entry))
    if entry.get("input_cost_per_token_batches") is not None:
        yield "batch"


def as_litellm_has_it(usage: Usage) -> Any:
    from litellm.types.utils import (
        CacheCreationTokenDetails,
        CompletionTokensDetailsWrapper,
        PromptTokensDetailsWrapper,
    )
    from litellm.types.utils import Usage as Theirs

    written = usage.cache_write_tokens + usage.cache_write_1h_tokens
    split = CacheCreationTokenDetails(
        ephemeral_5m_input_tokens=usage.cache_write_tokens, ephemeral_1h_input_tokens=usage.cache_write_1h_tokens
    )
    return Theirs(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
        prompt_tokens_details=PromptTokensDetailsWrapper(
            cached_tokens=usage.cached_prompt_tokens,
            cache_creation_tokens=written,
            **({"cache_creation_token_details": split} if written else {}),
        ),
        completion_tokens_details=CompletionTokensDetailsWrapper(reasoning_tokens=usage.reasoning_tokens)
        if usage.reasoning_tokens
        else None,
    )


def theirs(litellm: Any, model: str, usage: Any, tier: str) -> float | None:
    """Their price in nano-dollars; ``None`` where litellm does not find its own entry by that name."""
    asked = (
        {"call_type": "aretrieve_batch"} if tier == "batch" else {"service_tier": None if tier == "standard" else tier}
    )
    try:
        return 1e9 * sum(litellm.cost_per_token(model=model, usage_object=usage, **asked))
    except Exception:  # noqa: BLE001 - a plain one for unknown models
        return None


def test_no_price_differs_by_more_than_a_nanodollar(litellm: Any, record_property: Any) -> None:
    from litellm._internal_context import _billing_time

    _billing_time.set(NOON)
    at_ms = round(NOON.timestamp() * 1000)
    with Path(__file__).with_name("exceptions.csv").open(encoding="utf-8") as file:
        exceptions = {(row["model"], row["service tier"]) for row in csv.DictReader(file)}
    needed, different, compared = set(), [], Counter[str]()
    asked = {name: as_litellm_has_it(usage) for name, usage in USAGES.items()}
    for model in text_models(litellm):
        sheet = sheet_of(litellm, model)
        if sheet is None:
            continue
        for tier in tiers(litellm.model_cost[model]):
            for name, usage in USAGES.items():
                expected = theirs(litellm, model, asked[name], tier)
                if expected is None:
                    break
                compared[tier] += 1
                ours = sheet.find(replace(usage, service_tier=tier), at_ms).rates.nanousd(usage)
                if abs(ours - expected) <= 1:
                    continue
                if (model, tier) in exceptions:
                    needed.add((model, tier))
                else:
                    different.append((model, tier, name, ours, expected))
    record_property("compared", dict(compared))
    assert not different, f"{len(different)} of {compared.total()}: {different[:9]}"
    assert needed == exceptions, "needless exceptions"
    assert compared.total() > 40_000
    assert len(exceptions) * len(USAGES) < compared.total() / 100


def test_only_entries_without_a_price_of_tokens_are_unpriced(litellm: Any) -> None:
    keys = ("input_cost_per_token", "output_cost_per_token", "tiered_pricing")
    unpriced = [name for name in text_models(litellm) if sheet_of(litellm, name) is None]
    assert unpriced
    assert all(not any(litellm.model_cost[name].get(key) for key in keys) for name in unpriced)
    assert sheet_of(litellm, "acme/no such model") is None
    assert sheet_of(litellm, "no-such-model/with a space/and more") is None
