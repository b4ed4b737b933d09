"""Which entry of litellm's price map is a model's? The one that ``litellm.cost_per_token`` would take."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from forebay_agents.models.prices.book import Sheet
from forebay_agents.models.prices.litellm_map import is_priced, sheet

_FREE = "lemonade"
"""A provider on one's own machine: litellm has it cost nothing, whatever its entries say."""
_SIGN_IN = frozenset({"github_copilot", "chatgpt"})
"""Providers at which litellm signs in, over the network, to find out where a model is."""
_ROUTERS = ("model-router", "model_router")
"""In names of Azure's router, which costs a fee for each input token beside what it routes to."""
_DATABRICKS = {
    "dbrx-instruct": "databricks-dbrx-instruct",
    "meta-llama-3.1-70b-instruct": "databricks-meta-llama-3-1-70b-instruct",
    "meta-llama-3.1-405b-instruct": "databricks-meta-llama-3-1-405b-instruct",
    "mixtral-8x7b-instruct-v0.1": "databricks-mixtral-8x7b-instruct",
    "llama-2-70b-chat": "databricks-llama-2-70b-chat",
}
"""Begins of names that Databricks gave up, and under which the map has their prices."""


def sheet_of(litellm: Any, model: str) -> Sheet | None:
    """The sheet of ``model``; ``None`` where the map has none, or an entry without a price of tokens.

    Args:
        litellm: the library.
    """
    provider = _provider(litellm, model)
    source = f"litellm {version('litellm')}"
    if provider == _FREE:
        return sheet(source, provider, {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0})
    for name, asked in _names(litellm, provider, model):
        info = _info(litellm, name, asked)
        if info is None:
            continue
        written = litellm.model_cost.get(info.get("key"), info)
        if not is_priced(written):  # litellm answers 0 then: whether somebody wrote it is in the map alone
            return None
        info = {**info, "input_cost_per_request": written.get("input_cost_per_request")}
        return sheet(source, provider or str(info.get("litellm_provider")), info, _fee(litellm, provider, name))
    # An entry that litellm itself does not find by its name, as it routes the name to another provider.
    entry = litellm.model_cost.get(model)
    if entry is None or not is_priced(entry):
        return None
    return sheet(source, str(entry.get("litellm_provider")), entry)


def _provider(litellm: Any, model: str) -> str:
    """As litellm routes the model; empty where it cannot."""
    first = model.partition("/")[0]
    if first in _SIGN_IN:
        return first
    try:
        return str(litellm.get_llm_provider(model=model)[1])
    except Exception:  # noqa: BLE001 - raises what it likes for names that it does not know
        return ""


def _names(litellm: Any, provider: str, model: str) -> Iterator[tuple[str, str | None]]:
    bare = model.partition("/")[2] or model
    known = litellm.model_cost
    name = model if model in known else bare if bare in known else model
    if provider == "vertex_ai":
        name = bare
    if provider == "databricks":
        name = name.removeprefix("databricks/")
        name = next((new for old, new in _DATABRICKS.items() if name.startswith(old)), name)
    yield name, provider or None
    if provider == "fireworks_ai":
        yield name.removeprefix("fireworks_ai/"), None
        yield litellm.llms.fireworks_ai.cost_calculator.get_base_model_for_pricing(model_name=name), provider


def _info(litellm: Any, name: str, provider: str | None) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = litellm.get_model_info(model=name, custom_llm_provider=provider)
    except Exception:  # noqa: BLE001 - a plain Exception for unknown models
        return None
    return found


def _fee(litellm: Any, provider: str, name: str) -> float:
    lowered = name.lower().removeprefix("azure_ai/")
    if provider != "azure_ai" or lowered in _ROUTERS or not any(router in lowered for router in _ROUTERS):
        return 0.0
    info = _info(litellm, "model_router", provider)
    return float(info.get("input_cost_per_token") or 0.0) if info else 0.0
