"""How does a stage come to call models? Provider, prices, ledger and guard are put together here, once for all stages.

A deployment that speaks OpenAI's chat format is called straight, all others through litellm. Nothing is imported or
called yet: litellm takes seconds of CPU, so a stage that somebody waits for makes ``provider`` ready while it joins its
group, and one that only judges lets its first call do it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from forebay.contract.records import CallPurpose, Message
from forebay.privacy.egress import EgressGuard
from forebay.settings import ConfigurationError, EgressSettings, Settings
from forebay_agents.models.caller import Caller
from forebay_agents.models.cost_settings import CostSettings
from forebay_agents.models.ledger import Ledger
from forebay_agents.models.metrics import METRICS
from forebay_agents.models.pricing import ListPrice, PriceList
from forebay_agents.models.providers.direct_provider import DirectProvider, speaks_openai
from forebay_agents.models.providers.litellm_provider import LitellmProvider
from forebay_agents.models.providers.provider import Answer, Call, Provider
from forebay_agents.models.settings import Deployment, ModelsSettings, Tier


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenCaller:
    """Calls that the ledger knows, and what they are made of."""

    caller: Caller
    provider: Provider
    prices: PriceList


class BothWays:
    """Calls each deployment the way it can be called.

    Args:
        litellm: for what has to be translated.
        straight: for what speaks OpenAI's chat format.
        models: which way is taken, and whether litellm is needed at all: 4 s of CPU and 200 MB.
        prices: those that nobody wrote are in litellm's list; imported at the first request, it would stop the loop.
    """

    def __init__(self, litellm: Provider, straight: DirectProvider, models: ModelsSettings, prices: PriceList) -> None:
        self._litellm = litellm
        self._straight = straight
        self._direct = models.direct
        deployments = (deployment for tier in models.tiers for deployment in tier.deployments)
        self._needs_litellm = any(self._way(one) is litellm or prices.is_in_list_only(one) for one in deployments)

    async def ready(self) -> None:
        """See :class:`forebay_agents.models.providers.provider.Provider`."""
        await self._straight.ready()
        if self._needs_litellm:
            await self._litellm.ready()

    async def complete(self, deployment: Deployment, call: Call) -> Answer:
        """See :class:`forebay_agents.models.providers.provider.Provider`."""
        return await self._way(deployment).complete(deployment, call)

    def count_tokens(self, deployment: Deployment, messages: tuple[Message, ...]) -> int:
        """See :class:`forebay_agents.models.providers.provider.Provider`."""
        return self._way(deployment).count_tokens(deployment, messages)

    def _way(self, deployment: Deployment) -> Provider:
        return self._straight if self._direct and speaks_openai(deployment) else self._litellm


@asynccontextmanager
async def open_caller(settings: Settings, purpose: CallPurpose) -> AsyncIterator[OpenCaller]:
    """A caller for all tiers, as long as it is needed; its ledger entries are of one ``purpose``."""
    models = settings[ModelsSettings]
    litellm, straight = LitellmProvider(), DirectProvider()
    prices = PriceList(models.prices, litellm.list_price)
    provider = BothWays(litellm, straight, models, prices)
    ledger = Ledger(purpose, labels=settings[CostSettings].labels)
    caller = Caller(provider, prices, ledger, METRICS, EgressGuard(settings[EgressSettings]))
    try:
        yield OpenCaller(caller=caller, provider=provider, prices=prices)
    finally:
        await straight.aclose()


def litellm_prices() -> ListPrice:
    """Looks prices up where no call is made."""
    return LitellmProvider().list_price


def tier_of(settings: Settings, name: str, setting: str) -> Tier:
    """The tier called ``name``, as ``setting`` says. Raises :class:`forebay.settings.ConfigurationError`."""
    tier = settings[ModelsSettings].tier(name)
    if tier is None:
        raise ConfigurationError(f"{setting}: there is no tier {name!r}")
    return tier
