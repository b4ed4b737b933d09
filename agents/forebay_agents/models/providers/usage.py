"""How many tokens were used? What a provider says of it is input: believed where it can be, else estimated.

A count is believed when it is a whole number that is not negative and not above what the call allowed; input and output
stand for themselves. A zero beside an answer is no count. Of several counts (a stream's chunks: input in one, output in
another, growing, early, repeated) the largest is the one that is paid. Reasoning that a provider counts beside its
output is paid as well: it is more than the output, or the total has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forebay_agents.models.providers.provider import STANDARD, Usage

_WRONG = -1
_HOUR = "ephemeral_1h_input_tokens"
_TIERS = {name: name for name in ("batch", "flex", "balanced", "priority", "ultrafast", STANDARD)} | {
    "default": STANDARD,
    "fast": "priority",
}
"""Service tiers as providers tell of them, and whose price they have."""
_MOST = 10**9
_MOST_REASONING = 262_144
"""Tokens of hidden reasoning, which ``max_tokens`` does not bound everywhere: twice what models may give (128 k)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Most tokens that can be true of a call: of its input, and of an answer without reasoning."""

    input: int
    output: int


@dataclass(slots=True)
class Counts:
    """The largest counts that were told so far; ``None``: nothing was. One that cannot be spoils its side for good."""

    input: int | None = None
    output: int | None = None
    cached: int = 0
    reasoning: int = 0
    written: int = 0
    written_1h: int = 0
    total: int = 0
    tier: str = STANDARD

    def add(self, usage: Any) -> None:
        """Take in a ``usage`` object as it came; anything else counts nothing."""
        if not isinstance(usage, Mapping):
            return
        self.input = _larger(self.input, _count(usage.get("prompt_tokens")))
        self.output = _larger(self.output, _count(usage.get("completion_tokens")))
        details = usage.get("prompt_tokens_details")
        cached = _largest(_of(details, "cached_tokens"), usage.get("cache_read_input_tokens"))
        hour = _largest(
            _of(_of(details, "cache_creation_token_details"), _HOUR), _of(usage.get("cache_creation"), _HOUR)
        )
        written = _largest(
            _of(details, "cache_creation_tokens"),
            _of(details, "cache_write_tokens"),
            usage.get("cache_creation_input_tokens"),
        )
        if _WRONG in (cached, hour, written):
            self.input = _WRONG
        self.cached = max(self.cached, cached)
        self.written_1h = max(self.written_1h, hour)
        self.written = max(self.written, written, self.written_1h)
        self.reasoning = max(
            self.reasoning, _count(_of(usage.get("completion_tokens_details"), "reasoning_tokens")) or 0
        )
        self.total = max(self.total, _count(usage.get("total_tokens")) or 0)
        self.add_tier(usage.get("service_tier"))

    def add_tier(self, told: Any) -> None:
        """Take in the service tier in which a provider says it answered; what is none is passed by."""
        if isinstance(told, str) and (tier := _TIERS.get(told.lower())) is not None:
            self.tier = tier

    def usage(self, estimate: Usage, bounds: Bounds, *, said: bool) -> Usage:
        """What is entered: the counts, and where they cannot be believed the ``estimate``.

        Args:
            said: whether the model said anything: then it was not with no token.
        """
        parts = self.cached + self.written
        sent = self.input is not None and max(1, parts) <= self.input <= bounds.input
        told = self.output is not None and int(said) <= self.output and self._within(self.output, bounds)
        output = self._with_reasoning() if told else estimate.completion_tokens
        return Usage(
            prompt_tokens=(self.input or 0) if sent else estimate.prompt_tokens,
            completion_tokens=output,
            cached_prompt_tokens=self.cached if sent else 0,
            cache_write_tokens=self.written - self.written_1h if sent else 0,
            cache_write_1h_tokens=self.written_1h if sent else 0,
            reasoning_tokens=self.reasoning if told else 0,
            service_tier=self.tier,
            estimated=not (sent and told),
        )

    def _with_reasoning(self) -> int:
        """All output, also where reasoning stands beside it."""
        output = self.output or 0
        beside = self.reasoning > output or self.total - (self.input or 0) - output == self.reasoning
        return output + self.reasoning if beside else output

    def _within(self, output: int, bounds: Bounds) -> bool:
        # Most providers count reasoning within the output, some beside it.
        visible = output - self.reasoning if self.reasoning <= output else output
        return visible <= bounds.output and self.reasoning <= _MOST_REASONING


def usage_of(told: Any) -> Usage:
    """What a provider's ``usage`` object says by itself, where there is no call to measure it by; never raises."""
    counts = Counts()
    counts.add(told)
    return counts.usage(Usage(), Bounds(input=_MOST, output=_MOST), said=False)


def _largest(*told: Any) -> int:
    """The largest of several names of one count; ``_WRONG`` if any is none."""
    counts = [_count(one) or 0 for one in told]
    return _WRONG if _WRONG in counts else max(counts)


def _count(value: Any) -> int | None:
    """A count; ``None`` for none, ``_WRONG`` for what is no count."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():  # 20.0 is whole, as some JSON writers have it
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else _WRONG


def _larger(known: int | None, told: int | None) -> int | None:
    if known is None or told is None:
        return told if known is None else known
    return _WRONG if _WRONG in (known, told) else max(known, told)


def _of(details: Any, name: str) -> Any:
    return details.get(name) if isinstance(details, Mapping) else None
