"""What does a call of a deployment cost? In nano-dollars (1e-9 US dollars), so that sums are exact.

A call is priced once, by the period in which it began. A deployment without a price is ``unpriced``: its calls cost 0
in the ledger, which says so beside it (``priced: false``); a 0 that somebody wrote is a price.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from forebay.contract.clock import Clock, now_ms
from forebay_agents.models.prices.book import EVER, Sheet
from forebay_agents.models.prices.settings import Price
from forebay_agents.models.prices.written import sheets
from forebay_agents.models.providers.provider import Usage
from forebay_agents.models.settings import Deployment

ListPrice = Callable[[str], Sheet | None]
"""litellm model name to the sheet of litellm's map; ``None`` when unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What a call cost, and by which price.

    Attributes:
        price: source and period; empty: there is no price.
    """

    nanousd: int = 0
    price: str = ""

    @property
    def priced(self) -> bool:
        """Whether somebody wrote a price."""
        return bool(self.price)


class PriceList:
    """Prices of deployments: their own, else the model's configured one, else that of litellm's map.

    Args:
        configured: litellm model name to its price, or to its periods.
        list_price: looks a model up in litellm's map, once for each deployment.
        clock_ms: ms since the epoch, for what is not of a call.
    """

    def __init__(
        self, configured: Mapping[str, Price | Sequence[Price]], list_price: ListPrice, clock_ms: Clock = now_ms
    ) -> None:
        self._configured = configured
        self._list_price = list_price
        self._clock_ms = clock_ms
        self._sheets: dict[str, tuple[Sheet, ...]] = {}

    def sheet(self, deployment: Deployment, at_ms: int | None = None) -> Sheet | None:
        """The price that counts for calls that begin at ``at_ms``; by default now."""
        at = self._clock_ms() if at_ms is None else at_ms
        for sheet in self.sheets(deployment):
            if sheet.since_ms <= at:
                return sheet
        return None

    def sheets(self, deployment: Deployment) -> tuple[Sheet, ...]:
        """All prices of a deployment: the first that has begun counts."""
        known = self._sheets.get(deployment.name)
        if known is None:
            known = self._sheets[deployment.name] = tuple(self._compiled(deployment))
        return known

    def is_at_hand(self, deployment: Deployment) -> bool:
        """Whether its prices are known without a look at litellm's map."""
        return deployment.name in self._sheets or not self.is_in_list_only(deployment)

    def is_priced(self, deployment: Deployment) -> bool:
        """Whether a call that begins now has a price."""
        return self.sheet(deployment) is not None

    def priced(self, deployment: Deployment, usage: Usage, at_ms: int | None = None) -> Cost:
        """Cost of a call that began at ``at_ms``, and the price that says so."""
        at = self._clock_ms() if at_ms is None else at_ms
        sheet = self.sheet(deployment, at)
        if sheet is None:
            return Cost()
        return Cost(nanousd=sheet.find(usage, at).rates.nanousd(usage), price=sheet.label)

    def input_nanousd(self, deployment: Deployment, tokens: int, prompt_tokens: int, at_ms: int) -> int:
        """What ``tokens`` of plain input cost in a call of ``prompt_tokens`` that began at ``at_ms``; 0: no price."""
        sheet = self.sheet(deployment, at_ms)
        if sheet is None:
            return 0
        rates = sheet.find(Usage(prompt_tokens=prompt_tokens), at_ms).rates
        return rates.nanousd(Usage(prompt_tokens=tokens)) - rates.nanousd(Usage())

    def cost(self, deployment: Deployment, usage: Usage, at_ms: int | None = None) -> int:
        """Cost of a call, in nano-dollars; 0 without a price."""
        return self.priced(deployment, usage, at_ms).nanousd

    def worst_case(self, deployment: Deployment, prompt_tokens: int, max_tokens: int) -> Cost:
        """Most that a call may cost that begins now; ``prompt_tokens`` is an estimate from above."""
        usage = Usage(prompt_tokens=prompt_tokens, completion_tokens=max_tokens)
        thinking = replace(usage, reasoning_tokens=max_tokens)
        return max((self.priced(deployment, one) for one in (usage, thinking)), key=lambda cost: cost.nanousd)

    def cached_share(self, deployment: Deployment) -> float:
        """What input that the provider had cached costs, as a share of fresh input; 1: nothing is known."""
        sheet = self.sheet(deployment)
        if sheet is None:
            return 1.0
        rates = sheet.find(Usage(), self._clock_ms()).rates
        return 1.0 if rates.input <= 0 else min(1.0, rates.cached_input / rates.input)

    def _compiled(self, deployment: Deployment) -> Iterator[Sheet]:
        """Sheets in their order of rank, each rank's newest period first."""
        yield from self._written(deployment)
        if self.is_in_list_only(deployment) and (listed := self._list_price(deployment.model)) is not None:
            yield listed

    def is_in_list_only(self, deployment: Deployment) -> bool:
        """Whether a call of some time may have no price but that of litellm's map, which takes 4 s to read."""
        return not any(sheet.since_ms == EVER for sheet in self._written(deployment))

    def _written(self, deployment: Deployment) -> Iterator[Sheet]:
        if deployment.price:
            yield from sheets(f"deployment {deployment.name}", _listed(deployment.price))
        if (configured := self._configured.get(deployment.model)) is not None:
            yield from sheets("models.prices", _listed(configured))


def _listed(prices: Price | Sequence[Price]) -> Sequence[Price]:
    return (prices,) if isinstance(prices, Price) else prices
