"""How does a stage come to call models? Provider, prices, ledger and guard are put together here, once for all stages.

Nothing is imported or called yet: litellm takes seconds of CPU, so a stage that somebody waits for makes ``provider``
ready while it joins its group, and one that only judges lets its first call do it.
"""

from dataclasses import dataclass

from forebay.contract.records import CallPurpose
from forebay.privacy.egress import EgressGuard
from forebay.settings import ConfigurationError, EgressSettings, Settings
from forebay_agents.models.caller import Caller
from forebay_agents.models.cost_settings import CostSettings
from forebay_agents.models.ledger import Ledger
from forebay_agents.models.metrics import METRICS
from forebay_agents.models.pricing import ListPrice, PriceList
from forebay_agents.models.providers.litellm_provider import LitellmProvider
from forebay_agents.models.providers.provider import Provider
from forebay_agents.models.settings import ModelsSettings, Tier


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenCaller:
    """Calls that the ledger knows, and what they are made of."""

    caller: Caller
    provider: Provider
    prices: PriceList


def open_caller(settings: Settings, purpose: CallPurpose) -> OpenCaller:
    """A caller for all tiers; its ledger entries are of one ``purpose``."""
    provider = LitellmProvider()
    prices = PriceList(settings[ModelsSettings].prices, provider.list_price)
    ledger = Ledger(purpose, labels=settings[CostSettings].labels)
    caller = Caller(provider, prices, ledger, METRICS, EgressGuard(settings[EgressSettings]))
    return OpenCaller(caller=caller, provider=provider, prices=prices)


def litellm_prices() -> ListPrice:
    """Looks prices up where no call is made."""
    return LitellmProvider().list_price


def tier_of(settings: Settings, name: str, setting: str) -> Tier:
    """The tier called ``name``, as ``setting`` says. Raises :class:`forebay.settings.ConfigurationError`."""
    tier = settings[ModelsSettings].tier(name)
    if tier is None:
        raise ConfigurationError(f"{setting}: there is no tier {name!r}")
    return tier
