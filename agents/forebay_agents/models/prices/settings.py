"""How are prices written down? US dollars per million tokens, as providers' price pages have them.

Bounds refuse what is no price: a negative one, NaN, an infinite one, or one above a dollar a token.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WrapValidator

Dollars = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class PriceStep(BaseModel):
    """What of a price is another one for long inputs; it is then valid for all tokens of the call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    above: int = Field(gt=0, description="More input tokens than this, cached and written ones too.")
    input: Dollars | None = Field(None, description="As in Price; what is left out is as in the step before.")
    output: Dollars | None = Field(None, description="As in Price.")
    cached_input: Dollars | None = Field(None, description="As in Price.")
    cache_write: Dollars | None = Field(None, description="As in Price.")
    cache_write_1h: Dollars | None = Field(None, description="As in Price.")
    reasoning: Dollars | None = Field(None, description="As in Price.")
    request: Dollars | None = Field(None, description="As in Price.")


class OffPeak(BaseModel):
    """What of a price is another one at some hours, by the time at which a call began."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: time = Field(description="From this time of a day on, UTC: 16:30.")
    end: time = Field(description="Until this one, of the next day if it is earlier; the same: all day.")
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] | None = Field(
        None, description="On these days only, 1 (Monday) to 7, UTC."
    )
    input: Dollars | None = Field(None, description="As in Price; what is left out is as at other hours.")
    output: Dollars | None = Field(None, description="As in Price.")
    cached_input: Dollars | None = Field(None, description="As in Price.")
    cache_write: Dollars | None = Field(None, description="As in Price.")
    cache_write_1h: Dollars | None = Field(None, description="As in Price.")
    reasoning: Dollars | None = Field(None, description="As in Price.")
    request: Dollars | None = Field(None, description="As in Price.")


class TierPrice(BaseModel):
    """What of a price is another one in a service tier: batch, flex, priority."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Dollars | None = Field(None, description="As in Price; what is left out is as without a service tier.")
    output: Dollars | None = Field(None, description="As in Price.")
    cached_input: Dollars | None = Field(None, description="As in Price.")
    cache_write: Dollars | None = Field(None, description="As in Price.")
    cache_write_1h: Dollars | None = Field(None, description="As in Price.")
    reasoning: Dollars | None = Field(None, description="As in Price.")
    request: Dollars | None = Field(None, description="As in Price.")
    steps: tuple[PriceStep, ...] = Field((), description="Prices of long inputs in this service tier.")


def _moment(value: Any) -> Any:
    """A date is its first moment, in UTC; so is what names no zone."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    if value is not None:
        raise ValueError("must be a date, such as 2026-11-01")
    return None


class Price(BaseModel):
    """US dollars per million tokens; overrides litellm's price list."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    since: Annotated[datetime | None, BeforeValidator(_moment)] = Field(
        None,
        alias="from",
        description="A date or a time, UTC: calls that begin then or later have this price; without it, all calls.",
    )
    input: Dollars = Field(description="US dollars per million input tokens.")
    output: Dollars = Field(description="US dollars per million output tokens.")
    cached_input: Dollars | None = Field(
        None, description="The same for input that the provider had cached; without it, as input."
    )
    cache_write: Dollars | None = Field(
        None, description="The same for input that the provider wrote to its cache; without it, 1.25 times input."
    )
    cache_write_1h: Dollars | None = Field(
        None, description="The same for what it keeps there for an hour; without it, 1.6 times cache_write."
    )
    reasoning: Dollars | None = Field(None, description="The same for reasoning; without it, as output.")
    request: Dollars = Field(0.0, description="US dollars per million calls, beside their tokens.")
    steps: tuple[PriceStep, ...] = Field((), description="Prices of long inputs.")
    off_peak: OffPeak | None = Field(None, description="What is another price at some hours, without a service tier.")
    service_tiers: dict[str, TierPrice] = Field(
        default_factory=dict, description="Service tier, such as batch, flex or priority, to what costs another price."
    )


def _periods(value: Any, listed: Callable[[Any], tuple[Price, ...]]) -> tuple[Price, ...]:
    """One price stands for a list of one; what is wrong with it has no number in its place then."""
    return (Price.model_validate(value),) if isinstance(value, Mapping | Price) else listed(value)


def fault_of(model: str, prices: Sequence[Price]) -> str | None:
    """Why these prices are no periods, if they are none."""
    if not prices:
        return f"{model}: there is no price in the list"
    begins = [price.since for price in prices]
    if len(begins) > 1 and None in begins:
        return f"{model}: of several prices each needs its `from`, a date"
    twice = next((one for one in begins if begins.count(one) > 1), None)
    if twice is not None:
        return f"{model}: two prices begin at {twice.isoformat()}"
    for price in prices:
        for listed in (price.steps, *(tier.steps for tier in price.service_tiers.values())):
            steps = [step.above for step in listed]
            if len(set(steps)) < len(steps):
                return f"{model}: two steps begin above the same number of tokens"
    return None


Periods = Annotated[tuple[Price, ...], WrapValidator(_periods)]
