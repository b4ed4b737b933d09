"""A deployment whose answers are odd, over real HTTP, and what becomes of a request that it is asked for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from forebay.contract.failures import Failure
from forebay.contract.records import UsageEvent, UsageStatus
from forebay_agents.completion.trace import Trace
from forebay_agents.models.pool import DeploymentPool
from forebay_agents.models.providers.litellm_provider import LitellmProvider
from forebay_agents.models.providers.provider import Answer, Provider
from forebay_agents.models.settings import Deployment, Price, Tier
from loadtest.provider import ProviderSimulator
from tests.unit.completion.fakes import Written, asked, cascade_of


class Way:
    """How the deployment is called: the fixture ``way`` has each test go both."""

    provider: Provider = LitellmProvider()


MOST = 200
"""Tokens that an answer may have."""
TRUE = (12, 10)
"""Tokens of question and answer as the simulator bills them."""
_SURE = {"quality": {"floor": 1.0}, "answer_tokens": 10, "answer_sigma": 0}
_PRICE = Price(input=1.0, output=2.0)


@dataclass(kw_only=True)
class Became:
    """What became of one request."""

    answer: Answer | None = None
    failure: Failure | None = None
    trace: Trace = field(default_factory=Trace)
    calls: int = 0

    @property
    def entry(self) -> UsageEvent:
        """The entry of the only call."""
        [entry] = self.trace.entries
        assert self.calls == 1
        return entry

    @property
    def tokens(self) -> tuple[int, int, int, bool]:
        """What was entered: input, output, cached input, whether it is an estimate."""
        entry = self.entry
        assert entry.status is UsageStatus.SETTLED
        assert entry.cost_nanousd == 1000 * (entry.prompt_tokens + 2 * entry.completion_tokens)
        return entry.prompt_tokens, entry.completion_tokens, entry.cached_prompt_tokens, entry.estimated


@asynccontextmanager
async def provider_with(stream: bool = True, **model: Any) -> AsyncIterator[tuple[ProviderSimulator, Deployment]]:
    """A simulator whose model is ``model``, and a deployment of it."""
    await Way.provider.ready()
    async with ProviderSimulator({"models": {"x": _SURE | model}}) as simulator:
        place = Deployment(
            name="d", model="openai/x", api_base=simulator.base_url, price=_PRICE, stream=stream, stall_timeout_s=5.0
        )
        yield simulator, place


async def ask(place: Deployment, simulator: ProviderSimulator, *, pool: DeploymentPool | None = None) -> Became:
    """Have the cascade answer a request by ``place`` alone."""
    only = Tier(name="only", deployments=(place,), accept=0.0, max_answer_tokens=MOST)
    became = Became()
    before = simulator.simulator.stats.calls["x"]
    try:
        cascade = cascade_of(Way.provider, [only], pool=pool or DeploymentPool([only], 10.0))
        served = await cascade.run(asked("What is 12 + 7?"), became.trace, Written(), cheapest=False)
        became.answer = served.answer
    except Failure as failure:
        became.failure = failure
    became.calls = simulator.simulator.stats.calls["x"] - before
    return became


async def became_of(stream: bool = True, **model: Any) -> Became:
    """What becomes of one request to a provider whose model is ``model``."""
    async with provider_with(stream, **model) as (simulator, place):
        return await ask(place, simulator)
