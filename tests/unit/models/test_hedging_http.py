"""A deployment that stalls, over real HTTP: the other one serves, and both calls are on the books."""

import asyncio

import pytest

from forebay.contract.records import UsageStatus
from forebay_agents.completion.trace import Trace
from forebay_agents.models.latency import FEWEST
from forebay_agents.models.pool import DeploymentPool
from forebay_agents.models.providers.litellm_provider import LitellmProvider
from forebay_agents.models.settings import Deployment, Price, Tier
from loadtest.provider import ProviderSimulator
from tests.unit.completion.fakes import Written, asked, cascade_of

pytestmark = pytest.mark.filterwarnings("ignore")  # litellm's own

LATE_S = 0.05
STALLS = {"models": {"*": {"latency": {"first_token_ms": 60_000}}}}


async def test_the_hedge_serves_while_the_first_call_stalls() -> None:
    provider = LitellmProvider()
    await provider.ready()
    async with ProviderSimulator(STALLS) as stalling, ProviderSimulator() as sound:
        price = Price(input=1.0, output=1.0)
        places = (
            # Weights make it sure that the one that stalls is asked first.
            Deployment(name="slow", model="openai/x", api_base=stalling.base_url, price=price, weight=1e6),
            Deployment(name="fast", model="openai/x", api_base=sound.base_url, price=price, weight=1e-6),
        )
        only = Tier(name="only", deployments=places, accept=0.0)
        pool = DeploymentPool([only], 10.0)
        for place in places:
            for _ in range(FEWEST):
                pool.worked(place, LATE_S)
        cascade = cascade_of(provider, [only], pool=pool, hedge_share=1.0)
        trace, written = Trace(), Written()
        async with asyncio.timeout(30):  # the stalled answer alone would take a minute
            served = await cascade.run(asked("What is 12 + 7?"), trace, written, cheapest=False)
        assert served.deployment == "fast"
        assert len(sound.invoice) == 1
    lost, won = trace.entries
    assert (lost.deployment, lost.status, lost.error_code) == ("slow", UsageStatus.UNSETTLED, "hedge_lost")
    assert (won.deployment, won.status) == ("fast", UsageStatus.SETTLED)
    assert {entry.attempt_id for entry in written.entries} == {lost.attempt_id, won.attempt_id}
