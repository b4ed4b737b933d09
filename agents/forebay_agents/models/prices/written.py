"""Which rates does a price in the configuration mean? Compiled to sheets, one for each period.

Where it has no price for cache writes, the multiples of Anthropic count, who bills them most: 1.25 times the input, and
twice for what is kept an hour. Nobody pays less for a write than for plain input, so this is never too cheap.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from forebay_agents.models.prices.book import EVER, Sheet, Step, Window
from forebay_agents.models.prices.rates import Kind, Rates, units
from forebay_agents.models.prices.settings import OffPeak, Price, PriceStep, TierPrice
from forebay_agents.models.providers.provider import STANDARD

_MILLION = 1_000_000
_WRITE, _HOUR = Decimal("1.25"), Decimal("1.6")

Own = dict[Kind, float]


def sheets(source: str, prices: Sequence[Price]) -> tuple[Sheet, ...]:
    """Sheets of ``prices``, the newest period first."""
    found = [_sheet(source, price) for price in prices]
    return tuple(sorted(found, key=lambda sheet: -sheet.since_ms))


def _sheet(source: str, price: Price) -> Sheet:
    since = EVER if price.since is None else round(price.since.timestamp() * 1000)
    base = _own(price)
    hours = price.off_peak
    tiers = {STANDARD: tuple(_steps(base, price.steps, {}, off_peak=_own(hours) if hours else None))}
    for name, tier in price.service_tiers.items():
        # Thresholds of the standard price count here too, with what the tier has of its own.
        thresholds = {step.above: _own(step) for step in price.steps}
        tiers[name] = tuple(_steps(base, tier.steps, thresholds, _own(tier)))
    return Sheet(source=source, since_ms=since, steps=tiers, windows=(_window(hours),) if hours else ())


def _window(hours: OffPeak) -> Window:
    days = None if hours.weekdays is None else frozenset(hours.weekdays)
    return Window(start=hours.start, end=hours.end, weekdays=days)


def _steps(
    base: Own,
    steps: Sequence[PriceStep],
    shared: dict[int, Own],
    tier: Own | None = None,
    off_peak: Own | None = None,
) -> Iterator[Step]:
    def step(above: int, own: Own) -> Step:
        return Step(above=above, rates=_rates(own), off_peak=None if off_peak is None else _rates(own | off_peak))

    own = {step.above: _own(step) for step in steps}
    plain, special = dict(base), dict(tier or {})
    yield step(-1, plain | special)
    for above in sorted({*own, *shared}):
        plain |= shared.get(above, {})
        special |= own.get(above, {})
        yield step(above, plain | special)


def _own(price: Price | PriceStep | TierPrice | OffPeak) -> Own:
    return {kind: value for kind in Kind if (value := getattr(price, kind.value)) is not None}


def _rates(own: Own) -> Rates:
    given = {kind: units(value, _MILLION) for kind, value in own.items()}
    read = given.get(Kind.CACHED_INPUT, given[Kind.INPUT])
    write = given.get(Kind.CACHE_WRITE, int(given[Kind.INPUT] * _WRITE))
    hour = given.get(Kind.CACHE_WRITE_1H, int(write * _HOUR))
    substitutes = {
        Kind.CACHED_INPUT: "input",
        Kind.CACHE_WRITE: "1.25 × input",
        Kind.CACHE_WRITE_1H: "1.6 × cache_write",
        Kind.REASONING: "output",
    }
    return Rates(
        input=given[Kind.INPUT],
        output=given[Kind.OUTPUT],
        cached_input=read,
        cache_write=write,
        cache_write_1h=hour,
        reasoning=given.get(Kind.REASONING, given[Kind.OUTPUT]),
        request=given.get(Kind.REQUEST, 0),
        substitutes={kind: stand_in for kind, stand_in in substitutes.items() if kind not in given},
    )
