"""What does a call cost? In nano-dollars (1e-9 US dollars), so that sums are exact."""

from collections.abc import Callable, Mapping

from forebay_agents.models.providers.provider import Usage
from forebay_agents.models.settings import Deployment, Price

NANO = 1_000_000_000

ListPrice = Callable[[str], Price | None]
"""litellm model name to price; ``None`` when unknown."""

_FREE = Price(input=0.0, output=0.0)


class PriceList:
    """Prices of deployments: their own, else the model's configured one, else litellm's list, else free.

    Args:
        configured: litellm model name to price.
        list_price: looks a model up in litellm's list.
    """

    def __init__(self, configured: Mapping[str, Price], list_price: ListPrice) -> None:
        self._configured = configured
        self._list_price = list_price
        self._prices: dict[str, Price] = {}

    def cost(self, deployment: Deployment, usage: Usage) -> int:
        """Cost of a settled call, in nano-dollars."""
        price = self._price(deployment)
        fresh = usage.prompt_tokens - usage.cached_prompt_tokens
        cached = price.input if price.cached_input is None else price.cached_input
        # Dollars per million tokens are 1,000 nano-dollars per token.
        return round(
            1000 * (fresh * price.input + usage.cached_prompt_tokens * cached + usage.completion_tokens * price.output)
        )

    def worst_case(self, deployment: Deployment, prompt_tokens: int, max_tokens: int) -> int:
        """Most that a call may cost, in nano-dollars; ``prompt_tokens`` is an estimate from above."""
        return self.cost(deployment, Usage(prompt_tokens=prompt_tokens, completion_tokens=max_tokens))

    def cached_share(self, deployment: Deployment) -> float:
        """What input that the provider had cached costs, as a share of fresh input; 1: nothing is known."""
        price = self._price(deployment)
        return 1.0 if price.cached_input is None or price.input <= 0 else min(1.0, price.cached_input / price.input)

    def _price(self, deployment: Deployment) -> Price:
        known = self._prices.get(deployment.name)
        if known is None:
            known = deployment.price or self._configured.get(deployment.model)
            if known is None:
                known = self._list_price(deployment.model) or _FREE
            self._prices[deployment.name] = known
        return known
