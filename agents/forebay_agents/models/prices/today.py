"""What would an answer cost if its model were asked for it now? Its own tokens, at the price that counts now.

An answer's model is looked for among the deployments: the one that gave it, else one of its tier, else any. A model
that no tier has any more has the price that ``models.prices`` or litellm's map says.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forebay_agents.models.pricing import Cost, PriceList
from forebay_agents.models.providers.provider import Usage
from forebay_agents.models.settings import Deployment, Tier


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Who gave an answer; empty where that is not known."""

    tier: str = ""
    model: str = ""
    deployment: str = ""


class Today:
    """Prices answers that were given before.

    Args:
        tiers: where models can be called now.
    """

    def __init__(self, prices: PriceList, tiers: Sequence[Tier]) -> None:
        self._prices = prices
        self._tiers = tiers

    async def warm_up(self) -> None:
        """Read what takes long, for the deployments that need it."""
        for tier in self._tiers:
            for deployment in tier.deployments:
                await self._read(deployment)

    async def cost(self, origin: Origin, usage: Usage, at_ms: int) -> Cost:
        """What ``usage`` of a call that begins at ``at_ms`` costs; not priced where nobody knows."""
        if not origin.model:
            return Cost()
        place = self._place(origin)
        await self._read(place)
        return self._prices.priced(place, usage, at_ms)

    async def _read(self, deployment: Deployment) -> None:
        """Litellm's map comes with litellm, 4 s of CPU: not while others wait."""
        if not self._prices.is_at_hand(deployment):
            await asyncio.to_thread(self._prices.sheets, deployment)

    def _place(self, origin: Origin) -> Deployment:
        def near(found: tuple[str, Deployment]) -> tuple[bool, bool]:
            tier, deployment = found
            return deployment.name == origin.deployment, tier == origin.tier

        found = max(self._of_model(origin.model), key=near, default=None)
        return Deployment(name=f"any of {origin.model}", model=origin.model) if found is None else found[1]

    def _of_model(self, model: str) -> Iterable[tuple[str, Deployment]]:
        return ((tier.name, one) for tier in self._tiers for one in tier.deployments if one.model == model)
