"""Both ways to call a provider that speaks OpenAI's chat format: what one does with an answer, the other has to do."""

from collections.abc import AsyncIterator, Iterator

import pytest

from forebay_agents.models.open_caller import BothWays
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.providers.direct_provider import DirectProvider
from forebay_agents.models.providers.litellm_provider import LitellmProvider
from forebay_agents.models.providers.provider import Provider
from forebay_agents.models.settings import Deployment, ModelsSettings, Tier
from tests.unit.models.odd import Way

_LITELLM = LitellmProvider()


@pytest.fixture(params=["litellm", "straight"])
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    """Each way in turn."""
    if request.param == "litellm":
        yield _LITELLM
        return
    straight = DirectProvider()
    models = ModelsSettings(tiers=(Tier(name="t", deployments=(Deployment(name="d", model="openai/x"),)),))
    yield BothWays(_LITELLM, straight, models, PriceList({}, lambda _model: None))
    await straight.aclose()


@pytest.fixture
def way(provider: Provider) -> Iterator[None]:
    """Have :mod:`tests.unit.models.odd` call deployments each way in turn."""
    before, Way.provider = Way.provider, provider
    yield
    Way.provider = before
