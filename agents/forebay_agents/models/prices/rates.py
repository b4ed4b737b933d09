"""What do the tokens of one call cost at given rates? Exact, and rounded once.

Rates are whole multiples of 1e-30 dollars a token: each decimal that a price list writes (17 digits at most, at 1e-10
dollars a token at least) is one without loss, and products and sums of whole numbers are exact. The sum is rounded half
even to nano-dollars (1e-9).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from enum import StrEnum

from forebay_agents.models.providers.provider import Usage

NANO = 1_000_000_000
_UNITS = 10**30
_PER_NANO = _UNITS // NANO
_HALF = _PER_NANO // 2


class Kind(StrEnum):
    """What is paid for."""

    INPUT = "input"
    CACHED_INPUT = "cached_input"
    CACHE_WRITE = "cache_write"
    CACHE_WRITE_1H = "cache_write_1h"
    OUTPUT = "output"
    REASONING = "reasoning"
    REQUEST = "request"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One kind's share of a cost.

    Attributes:
        tokens: of this kind; for ``request``: calls, 1.
        units: 1e-30 dollars for each.
    """

    kind: Kind
    tokens: int
    units: int

    @property
    def usd_per_million(self) -> Decimal:
        """Dollars for a million."""
        return _decimal(self.units) * 1_000_000

    @property
    def nanousd(self) -> Decimal:
        """Nano-dollars, not rounded."""
        return _decimal(self.units * self.tokens) * NANO


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """1e-30 dollars a token (``request``: a call).

    Attributes:
        substitutes: kinds that have no price of their own, and what stands in.
    """

    input: int
    output: int
    cached_input: int
    cache_write: int
    cache_write_1h: int
    reasoning: int
    request: int = 0
    substitutes: Mapping[Kind, str] = field(default_factory=dict)

    def nanousd(self, usage: Usage) -> int:
        """Cost of a call."""
        cached, written, hour = usage.cached_prompt_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens
        thought = usage.reasoning_tokens
        # What is only input and only output; counts that cannot be never make a negative price of them.
        fresh = max(0, usage.prompt_tokens - cached - written - hour)
        said = max(0, usage.completion_tokens - thought)
        total = fresh * self.input + said * self.output + cached * self.cached_input + self.request
        if written or hour or thought:
            total += written * self.cache_write + hour * self.cache_write_1h + thought * self.reasoning
        whole, rest = divmod(total, _PER_NANO)
        return whole + (rest > _HALF or (rest == _HALF and whole % 2 == 1))

    def parts(self, usage: Usage) -> tuple[Part, ...]:
        """What :meth:`nanousd` adds up, without what is not there."""
        cached, written, hour = usage.cached_prompt_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens
        counts = {
            Kind.INPUT: max(0, usage.prompt_tokens - cached - written - hour),
            Kind.CACHED_INPUT: cached,
            Kind.CACHE_WRITE: written,
            Kind.CACHE_WRITE_1H: hour,
            Kind.OUTPUT: max(0, usage.completion_tokens - usage.reasoning_tokens),
            Kind.REASONING: usage.reasoning_tokens,
            Kind.REQUEST: int(self.request > 0),
        }
        return tuple(
            Part(kind=kind, tokens=count, units=getattr(self, kind.value)) for kind, count in counts.items() if count
        )


def units(dollars: float | Decimal, per: int = 1) -> int:
    """A rate, from dollars for ``per`` tokens as they were written: 1e-7 is a ten-millionth, not its nearest float."""
    with localcontext(prec=60):
        return int((Decimal(str(dollars)) * _UNITS / per).to_integral_value())


def _decimal(amount: int) -> Decimal:
    with localcontext(prec=80):
        return (Decimal(amount) / _UNITS).normalize()
