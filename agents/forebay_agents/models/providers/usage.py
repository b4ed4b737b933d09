"""How many tokens were used? What a provider says of it is input: believed where it can be, else estimated.

A count is believed when it is a whole number that is not negative and not above what the call allowed; input and output
stand for themselves. A zero beside an answer is no count. Of several counts (a stream's chunks: input in one, output in
another, growing, early, repeated) the largest is the one that is paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forebay_agents.models.providers.provider import Usage

_WRONG = -1
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

    def add(self, usage: Any) -> None:
        """Take in a ``usage`` object as it came; anything else counts nothing."""
        if not isinstance(usage, Mapping):
            return
        self.input = _larger(self.input, _count(usage.get("prompt_tokens")))
        self.output = _larger(self.output, _count(usage.get("completion_tokens")))
        cached = _count(_of(usage.get("prompt_tokens_details"), "cached_tokens"))
        self.input = self.input if cached != _WRONG else _WRONG
        self.cached = max(self.cached, cached or 0)
        reasoning = _count(_of(usage.get("completion_tokens_details"), "reasoning_tokens"))
        self.reasoning = max(self.reasoning, reasoning or 0)

    def usage(self, estimate: Usage, bounds: Bounds, *, said: bool) -> Usage:
        """What is entered: the counts, and where they cannot be believed the ``estimate``.

        Args:
            said: whether the model said anything: then it was not with no token.
        """
        sent = self.input is not None and max(1, self.cached) <= self.input <= bounds.input
        told = self.output is not None and int(said) <= self.output and self._within(self.output, bounds)
        return Usage(
            prompt_tokens=(self.input or 0) if sent else estimate.prompt_tokens,
            completion_tokens=(self.output or 0) if told else estimate.completion_tokens,
            cached_prompt_tokens=self.cached if sent else 0,
            estimated=not (sent and told),
        )

    def _within(self, output: int, bounds: Bounds) -> bool:
        # Most providers count reasoning within the output, some beside it.
        visible = output - self.reasoning if self.reasoning <= output else output
        return visible <= bounds.output and self.reasoning <= _MOST_REASONING


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
