"""What the completion's tests put in place of providers and Redis."""

import asyncio
import time
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry

from forebay.contract.handlers import Output
from forebay.contract.records import CallPurpose, Message, RedactedRequest, UsageEvent
from forebay.privacy.egress import EgressGuard
from forebay.state.rates import Limit
from forebay_agents.completion.attempting import Attempts
from forebay_agents.completion.cascade import Cascade
from forebay_agents.completion.quotas.budgets import NoBudgets
from forebay_agents.completion.quotas.unpriced import all_may
from forebay_agents.models.caller import Caller
from forebay_agents.models.ledger import Ledger
from forebay_agents.models.metrics import ModelMetrics
from forebay_agents.models.pool import DeploymentPool
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.providers import provider as models
from forebay_agents.models.providers.provider import Answer, Call, ProviderError, Usage
from forebay_agents.models.settings import Deployment, Price, Tier

Reply = Answer | ProviderError
PRICE = Price(input=1.0, output=1.0)


def good(content: str = "Paris is the capital of France.") -> Answer:
    return Answer(content=content, finish_reason="stop", usage=Usage(prompt_tokens=10, completion_tokens=5))


def bad() -> Answer:
    return good("I'm sorry, I cannot answer that.")


class Provider:
    """Replies by deployment name after ``pause_s`` seconds; a callable is asked for each call."""

    def __init__(self, replies: dict[str, Reply | Callable[[Call], Reply]], pause_s: float = 0.0) -> None:
        self.replies = replies
        self.pause_s = pause_s
        self.calls: list[tuple[str, Call]] = []

    async def ready(self) -> None: ...

    async def complete(self, deployment: Deployment, call: Call) -> Answer:
        self.calls.append((deployment.name, call))
        await asyncio.sleep(self.pause_s)
        reply = self.replies[deployment.name]
        if callable(reply):
            reply = reply(call)
        if isinstance(reply, ProviderError):
            raise reply
        return reply

    def count_tokens(self, _deployment: Deployment, messages: tuple[Message, ...]) -> int:
        return sum(len(message.content) for message in messages)


class NoLimits:
    """See forebay_agents.completion.quotas.rates.Limiter."""

    async def take(self, _limits: Sequence[Limit]) -> float:
        return 0.0

    async def correct(self, _limits: Sequence[Limit]) -> None: ...


class Written:
    """The ledger as the broker has it before a call."""

    def __init__(self) -> None:
        self.entries: list[UsageEvent] = []

    async def __call__(self, outputs: Sequence[Output]) -> None:
        self.entries += [output.value for output in outputs if output.topic == "usage"]


def tier(name: str, *deployments: str, **fields: object) -> Tier:
    named = deployments or (name,)
    return Tier(
        name=name,
        deployments=tuple(Deployment(name=one, model=one, price=PRICE) for one in named),
        **fields,  # type: ignore[arg-type]  # fields of a tier, by name
    )


def cascade_of(provider: models.Provider, tiers: Sequence[Tier], now_ms: int = 1_000, **parts: object) -> Cascade:
    registry = CollectorRegistry()
    caller = Caller(
        provider, PriceList({}, lambda _: None), Ledger(CallPurpose.COMPLETION), ModelMetrics(registry), EgressGuard()
    )
    pool = parts.get("pool") or DeploymentPool(
        tiers,
        10.0,
        clock=parts.get("clock", time.monotonic),  # type: ignore[arg-type]  # a test's own
    )
    attempts = Attempts(
        pool,  # type: ignore[arg-type]  # a test's own
        caller,
        parts.get("limiter", NoLimits()),  # type: ignore[arg-type]  # a test's own limiter
        parts.get("budgets", NoBudgets()),  # type: ignore[arg-type]  # a test's own budgets
        burst_s=10.0,
        now_ms=lambda: now_ms,
        hedge_share=parts.get("hedge_share", 0.0),  # type: ignore[arg-type]  # by name
        may_call=parts.get("may_call", all_may),  # type: ignore[arg-type]  # a test's own
        shorten=parts.get("shorten"),  # type: ignore[arg-type]  # a test's own
    )
    return Cascade(tiers, attempts, parts.get("router"))  # type: ignore[arg-type]  # a test's own router


def asked(text: str = "What is the capital of France?", **fields: object) -> RedactedRequest:
    return RedactedRequest(request_id="r", messages=(Message(content=text),), **fields)  # type: ignore[arg-type]  # by name
