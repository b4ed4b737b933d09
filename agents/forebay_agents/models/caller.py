"""How is one call made so that the ledger knows it, whatever happens? Entry first, then the call, then the outcome."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import structlog

from forebay.contract.handlers import WriteAhead, aside
from forebay.contract.records import Attempt, Message, UsageEvent
from forebay.privacy.egress import EgressGuard
from forebay.tracing.tracer import current
from forebay_agents.models.ledger import Ledger, Payer, usage_output
from forebay_agents.models.metrics import ModelMetrics
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.providers.provider import Answer, Call, Provider, ProviderError, Usage
from forebay_agents.models.settings import Deployment

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one call: its closed ledger entry, and the answer or the error.

    ``first_token_ms`` from the call's begin, of a streamed answer.
    """

    entry: UsageEvent
    answer: Answer | None
    error: ProviderError | None
    duration_ms: int
    first_token_ms: int | None = None

    def attempt(self, outcome: str) -> Attempt:
        """The attempt as a completion lists it."""
        return Attempt(
            attempt_id=self.entry.attempt_id,
            tier=self.entry.tier,
            model=self.entry.model,
            deployment=self.entry.deployment,
            outcome=outcome,
            duration_ms=self.duration_ms,
            cost_nanousd=self.entry.cost_nanousd,
            started_at=self.entry.started_at,
            first_token_ms=self.first_token_ms,
            prompt_tokens=self.entry.prompt_tokens,
            completion_tokens=self.entry.completion_tokens,
            cached_prompt_tokens=self.entry.cached_prompt_tokens,
            cache_write_tokens=self.entry.cache_write_tokens,
            cache_write_1h_tokens=self.entry.cache_write_1h_tokens,
            reasoning_tokens=self.entry.reasoning_tokens,
            service_tier=self.entry.service_tier,
        )


class Caller:
    """Makes single calls with their ledger entries.

    Args:
        make_call: builds the call once its attempt id is known.
    """

    def __init__(
        self,
        provider: Provider,
        prices: PriceList,
        ledger: Ledger,
        metrics: ModelMetrics,
        guard: EgressGuard,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._prices = prices
        self._ledger = ledger
        self._metrics = metrics
        self._guard = guard
        self._clock = clock

    async def call(
        self,
        payer: Payer,
        tier: str,
        deployment: Deployment,
        make_call: Callable[[str], Call],
        write_ahead: WriteAhead,
        *,
        lost: asyncio.Event | None = None,
    ) -> Outcome:
        """Enter the attempt, call, close the entry (which the caller of this publishes with its other outputs).

        When ``lost`` is set the call is given up, with the error ``hedge_lost``: it may be billed all the same.

        A process that dies in between leaves a ``started`` entry behind, which is known by its worst-case cost.

        Raises:
            Permanent: ``pii_egress``, an identifier of a person was about to leave; nothing was called.
        """
        texts = list(_texts(make_call("")))
        await aside(sum(map(len, texts)), partial(self._guard.enforce, sink="provider"), texts)
        await self._provider.ready()
        asked = make_call("")
        sent = self._provider.count_tokens(deployment, asked.messages)
        worst_case = self._prices.worst_case(deployment, sent, asked.max_tokens)
        entry = self._ledger.open(payer, tier, deployment, worst_case)
        await write_ahead([usage_output(entry)])
        first: list[float] = []
        call = replace(make_call(entry.attempt_id), begun=lambda: first.append(self._clock()))
        started = self._clock()
        answer: Answer | None = None
        failure: ProviderError | None = None
        try:
            answer = await self._answer(deployment, call, lost)
            closed = self._settled(entry, deployment, answer.usage)
        except ProviderError as error:
            failure = error
            closed = self._failed(entry, deployment, error)
        seconds = self._clock() - started
        first_s = first[0] - started if first else None
        self._metrics.called(closed, seconds, first_s)
        if (work := current()) is not None:
            work.called(closed, seconds, first_s)
        return Outcome(
            entry=closed,
            answer=answer,
            error=failure,
            duration_ms=round(1000 * seconds),
            first_token_ms=None if first_s is None else round(1000 * first_s),
        )

    def _failed(self, entry: UsageEvent, deployment: Deployment, error: ProviderError) -> UsageEvent:
        if error.usage is None:
            return self._ledger.fail(entry, error)
        return self._settled(entry, deployment, error.usage, error.code)

    def _settled(self, entry: UsageEvent, deployment: Deployment, usage: Usage, code: str | None = None) -> UsageEvent:
        """By the price of the moment in which the call began; a call without one is told of."""
        cost = self._prices.priced(deployment, usage, entry.started_at)
        if not cost.priced:
            log.warning("unpriced_call", model=deployment.model, deployment=deployment.name)
        return self._ledger.settle(entry, usage, cost, code)

    async def _answer(self, deployment: Deployment, call: Call, lost: asyncio.Event | None) -> Answer:
        if lost is None:
            return await self._provider.complete(deployment, call)
        answering = asyncio.ensure_future(self._provider.complete(deployment, call))
        losing = asyncio.ensure_future(lost.wait())
        try:
            await asyncio.wait({answering, losing}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                return answering.result()
            raise ProviderError("hedge_lost", f"{deployment.name}: another answered first", may_be_billed=True)
        finally:
            answering.cancel()
            losing.cancel()
            await asyncio.gather(answering, losing, return_exceptions=True)

    def prompt_tokens(self, deployment: Deployment, messages: tuple[Message, ...]) -> int:
        """Estimate of the tokens of ``messages``."""
        return self._provider.count_tokens(deployment, messages)

    def worst_case(self, deployment: Deployment, call: Call) -> int:
        """Most that ``call`` may cost, in nano-dollars."""
        return self.price(deployment, call.messages, call.max_tokens)

    def price(self, deployment: Deployment, messages: tuple[Message, ...], answer_tokens: int) -> int:
        """What ``messages`` and an answer cost, in nano-dollars."""
        sent = self._provider.count_tokens(deployment, messages)
        return self._prices.worst_case(deployment, sent, answer_tokens).nanousd


def _texts(call: Call) -> Iterator[str]:
    """All that a call sends and a person may have written."""
    for message in call.messages:
        yield message.content
        yield message.name or ""
        yield message.tool_calls or ""
    if call.tools is not None:
        yield json.dumps(call.tools, ensure_ascii=False)
