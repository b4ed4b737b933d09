"""How does a cost come about? Each kind of tokens with its rate, for one call or for a line each of a file.

Nothing is called and no broker is needed. A line that cannot be priced gets an answer too, with an error.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from forebay.contract.clock import now_ms
from forebay_agents.models.pricing import ListPrice, PriceList
from forebay_agents.models.providers.provider import STANDARD, Usage
from forebay_agents.models.settings import Deployment, ModelsSettings

_COUNTS = {
    "input": "prompt_tokens",
    "output": "completion_tokens",
    "cached": "cached_prompt_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "reasoning": "reasoning_tokens",
}
_KEYS = frozenset({"model", "service_tier", "at", *_COUNTS})
_MOST = 10**12
_MOST_QUOTED = 60


class LineError(ValueError):
    """A line is no call that can be priced; ``code``: ``bad_line`` or ``unpriced_model``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Explainer:
    """Prices calls as a worker would.

    Args:
        list_price: looks a model up in litellm's map.
    """

    def __init__(self, settings: ModelsSettings, list_price: ListPrice) -> None:
        self._prices = PriceList(settings.prices, list_price)
        self._named = {place.name: place for tier in settings.tiers for place in tier.deployments}

    def line(self, line: str) -> dict[str, Any]:
        """The answer to a line; with ``error`` where it cannot be priced."""
        call: dict[str, Any] = {}
        try:
            call = _parsed(line)
            return self.call(call)
        except LineError as error:
            model = call.get("model")
            known = {"model": model} if isinstance(model, str) else {}
            return {**known, **_UNPRICED, "error": {"code": error.code, "message": str(error)}}

    def call(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """What a call costs, by its parts. ``model``: of litellm, or a deployment's name.

        Raises:
            LineError: something in it is not what it should be, or there is no price.
        """
        if unknown := sorted(set(call) - _KEYS):
            raise LineError("bad_line", f"there is no field {unknown[0][:_MOST_QUOTED]!r}")
        model, tier = call.get("model"), call.get("service_tier") or STANDARD
        if not isinstance(model, str) or not model:
            raise LineError("bad_line", "model: must be the name of a model")
        if not isinstance(tier, str):
            raise LineError("bad_line", "service_tier: must be a text")
        counts: dict[str, Any] = {ours: _count(name, call.get(name)) for name, ours in _COUNTS.items()}
        usage = Usage(**counts, service_tier=tier)
        if usage.cached_prompt_tokens + usage.cache_write_tokens + usage.cache_write_1h_tokens > usage.prompt_tokens:
            raise LineError("bad_line", "cached and written tokens are parts of input: together they are more")
        if usage.reasoning_tokens > usage.completion_tokens:
            raise LineError("bad_line", "reasoning is a part of output: it is more")
        at = _at(call.get("at"))
        place = self._named.get(model) or Deployment(name=f"model {model}", model=model)
        sheet = self._prices.sheet(place, at)
        if sheet is None:
            raise LineError("unpriced_model", "no price of this model is known: write one into models.prices")
        found = sheet.find(usage, at)
        parts = found.rates.parts(usage)
        return {
            "model": model,
            "priced": True,
            "source": sheet.source,
            "from": sheet.since,
            "step": found.above,
            "service_tier": found.service_tier,
            "off_peak": found.off_peak,
            "cost_nanousd": found.rates.nanousd(usage),
            "parts": [
                {
                    "kind": part.kind.value,
                    "tokens": part.tokens,
                    "usd_per_million": _number(part.usd_per_million),
                    "nanousd": _number(part.nanousd),
                }
                | ({"as": instead} if (instead := found.rates.substitutes.get(part.kind)) else {})
                for part in parts
            ],
        }


_UNPRICED: dict[str, Any] = {
    "priced": False, "source": None, "from": None, "step": None, "cost_nanousd": 0, "parts": []
}  # fmt: skip


def _parsed(line: str) -> dict[str, Any]:
    try:
        call = json.loads(line)
    except (ValueError, RecursionError):
        raise LineError("bad_line", "the line is not JSON") from None
    if not isinstance(call, dict):
        raise LineError("bad_line", "the line is no JSON object")
    return call


def _count(name: str, value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        raise LineError("bad_line", f"{name}: must be a whole number of tokens, 0 to {_MOST:,}")
    return value


def _at(value: Any) -> int:
    """ms since the epoch, of a time, a date or such a number; none: now."""
    if value is None or value == "":
        return now_ms()
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value / 1000, UTC)
        else:
            moment = datetime.fromisoformat(value)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError, OSError):
        raise LineError("bad_line", "at: must be a time, such as 2026-11-01T12:00:00Z") from None


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
