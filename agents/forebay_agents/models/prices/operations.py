"""What may people ask about prices? What each deployment costs now, and whether that can be right.

A price of one's own that is far from the one that litellm's map has is a typing error, or a contract: it is said, and
somebody decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from forebay.contract.clock import Clock, now_ms
from forebay_agents.models.prices.book import EVER, Sheet
from forebay_agents.models.prices.rates import Kind, Part, Rates
from forebay_agents.models.pricing import ListPrice, PriceList
from forebay_agents.models.providers.provider import STANDARD
from forebay_agents.models.settings import Deployment, ModelsSettings

APART = Decimal("0.2")
"""Share by which a price may be off litellm's without being told of."""
_COMPARED = (Kind.INPUT, Kind.OUTPUT, Kind.CACHED_INPUT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """What a deployment costs now, for short inputs without a service tier, outside of off-peak hours.

    Attributes:
        source: who says so; ``None``: nobody.
        since: from when on, ISO 8601 in UTC; ``None``: ever.
        until: when the next price that is written down begins; ``None``: there is none.
        prices: kind to US dollars per million.
    """

    deployment: str
    tier: str
    model: str
    source: str | None
    since: str | None
    until: str | None
    prices: dict[str, Decimal]


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """Why a deployment's price is perhaps none: ``unpriced``, or ``differs`` from litellm's map.

    Attributes:
        ours: US dollars per million, as is ``theirs``.
    """

    deployment: str
    model: str
    problem: str
    kind: str | None = None
    ours: Decimal | None = None
    theirs: Decimal | None = None


def listed(settings: ModelsSettings, list_price: ListPrice, clock_ms: Clock = now_ms) -> list[Listed]:
    """All deployments, in the order of the configuration."""
    prices, now = PriceList(settings.prices, list_price, clock_ms), clock_ms()
    return [_listed(tier.name, deployment, prices, now) for tier in settings.tiers for deployment in tier.deployments]


def check(settings: ModelsSettings, list_price: ListPrice, clock_ms: Clock = now_ms) -> list[Doubt]:
    """Each deployment without a price, and each kind whose price is more than :data:`APART` off litellm's."""
    prices, now = PriceList(settings.prices, list_price, clock_ms), clock_ms()
    found: list[Doubt] = []
    for deployment in (one for tier in settings.tiers for one in tier.deployments):
        ours, theirs = prices.sheet(deployment, now), list_price(deployment.model)
        if ours is None:
            found.append(Doubt(deployment=deployment.name, model=deployment.model, problem="unpriced"))
        elif theirs is not None and theirs.source != ours.source:
            found += _apart(deployment, _dollars(ours), _dollars(theirs))
    return found


def _apart(deployment: Deployment, ours: dict[str, Decimal], theirs: dict[str, Decimal]) -> Iterator[Doubt]:
    for kind in _COMPARED:
        own, known = ours[kind.value], theirs[kind.value]
        if abs(own - known) > APART * known:
            yield Doubt(
                deployment=deployment.name,
                model=deployment.model,
                problem="differs",
                kind=kind.value,
                ours=own,
                theirs=known,
            )


def _listed(tier: str, deployment: Deployment, prices: PriceList, now: int) -> Listed:
    sheet = prices.sheet(deployment, now)
    later = [one for one in prices.sheets(deployment) if now < one.since_ms != EVER]
    following = min(later, key=lambda one: one.since_ms, default=None)
    return Listed(
        deployment=deployment.name,
        tier=tier,
        model=deployment.model,
        source=None if sheet is None else sheet.source,
        since=None if sheet is None else sheet.since,
        until=None if following is None else following.since,
        prices=_dollars(sheet) if sheet else {},
    )


def _dollars(sheet: Sheet) -> dict[str, Decimal]:
    rates: Rates = sheet.steps[STANDARD][0].rates
    return {kind.value: Part(kind=kind, tokens=1, units=getattr(rates, kind.value)).usd_per_million for kind in Kind}
