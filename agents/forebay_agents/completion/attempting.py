"""How is one tier tried for a request? Its deployments in turn, each within its limits and the payer's money.

Order of one call: the deployment's rate, the budget's reservation, room among the calls that are out, the ledger's
entry, the call; then all of them learn what it really took.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from forebay.contract.clock import Clock
from forebay.contract.failures import Expired, Transient
from forebay.contract.handlers import WriteAhead
from forebay.contract.json_lines import new_id
from forebay.contract.records import Message, RedactedRequest
from forebay.state.conditions import Conditions, MemoryConditions
from forebay.state.idempotency import ClaimLostError
from forebay.state.rates import Limiter
from forebay_agents.completion.deadline import left_s, timeout_s
from forebay_agents.completion.hedging import HedgeBudget, race
from forebay_agents.completion.quotas.budgets import Budgets, Reservation, Room
from forebay_agents.completion.quotas.rates import corrections, of_deployment
from forebay_agents.completion.quotas.unpriced import MayCall, all_may
from forebay_agents.completion.trace import Trace, tell
from forebay_agents.models.caller import Caller, Outcome
from forebay_agents.models.ledger import Payer
from forebay_agents.models.placeholders import noted
from forebay_agents.models.pool import LOST, TRY_ANOTHER, DeploymentPool, NoRoomError
from forebay_agents.models.providers.chat_format import parsed
from forebay_agents.models.providers.provider import Answer, Call, ProviderError
from forebay_agents.models.settings import Deployment, Tier

Shorten = Callable[[RedactedRequest, float], Awaitable[RedactedRequest | None]]
"""Cuts a request to a share of its tokens; ``None`` when that cannot be done."""

log = structlog.get_logger(__name__)

_KEPT_TO_FIT = 0.5
"""Share of a prompt that is sent to a model that said it was too long."""

_PROBE_S = 1.0
"""Seconds to wait while a probe decides whether a deployment works again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """An answer and the call that brought it."""

    answer: Answer
    deployment: Deployment
    outcome: Outcome


class Attempts:
    """Makes the calls of a tier.

    Args:
        burst_s: seconds' worth of a deployment's rate that may be used at once.
        now_ms: ms since the epoch.
        hedge_share: see :mod:`forebay_agents.completion.hedging`.
        shorten: cuts a request that a model is too small for; by default none is.
        may_call: see :mod:`forebay_agents.completion.quotas.unpriced`.
        conditions: what people were told of already.
    """

    def __init__(
        self,
        pool: DeploymentPool,
        caller: Caller,
        limiter: Limiter,
        budgets: Budgets,
        *,
        burst_s: float,
        now_ms: Clock,
        hedge_share: float = 0.0,
        shorten: Shorten | None = None,
        may_call: MayCall = all_may,
        conditions: Conditions | None = None,
    ) -> None:
        self._conditions = conditions or Conditions(MemoryConditions(), now_ms)
        self._may_call = may_call
        self._hedges = HedgeBudget(hedge_share)
        self._shorten = shorten
        self._pool = pool
        self._caller = caller
        self._limiter = limiter
        self._budgets = budgets
        self._burst_s = burst_s
        self._now_ms = now_ms

    async def on(
        self, tier: Tier, request: RedactedRequest, trace: Trace, write_ahead: WriteAhead, *, others: bool = False
    ) -> Answered | None:
        """The first answer of ``tier``, or ``None``; what happened is added to ``trace``.

        Args:
            others: whether other tiers may be asked after it, for which time has to be left.

        Raises:
            Expired: the request's deadline passed.
        """
        working = list(self._pool.candidates(tier))
        candidates = deque(one for one in working if self._may_call(one, request))
        trace.unpriced |= len(candidates) < len(working)
        while candidates:
            if self._too_dear(tier, candidates[0], request, trace):
                candidates.popleft()
                continue
            outcomes = await self._outcomes(tier, candidates, request, trace, write_ahead, others)
            for outcome in outcomes:
                trace.record(outcome)
                await tell(outcome, trace, self._conditions, self._now_ms())
            if trace.broke:
                return None
            if outcomes and outcomes[-1].answer is not None:
                winner = outcomes[-1]
                deployment = next(one for one in tier.deployments if one.name == winner.entry.deployment)
                return Answered(answer=outcomes[-1].answer, deployment=deployment, outcome=winner)
            if any(one.error is not None and one.error.code not in TRY_ANOTHER for one in outcomes):
                break
        if not working:
            wait_s = max(_PROBE_S, self._pool.rest_s(tier))
            message = f"{tier.name}: every deployment rests ({self._pool.why_rests(tier)})"
            trace.errors.append(ProviderError("provider_unavailable", message, retry_after_s=wait_s))
        return None

    async def probed(self, tiers: Sequence[Tier], request: RedactedRequest) -> bool:
        """Whether one of ``tiers`` works now that a probe of it is back, for which this waits until the deadline."""
        try:
            async with asyncio.timeout(left_s(request, self._now_ms())):
                return await self._pool.works_after_probes(tiers)
        except TimeoutError:
            return False

    async def _outcomes(
        self,
        tier: Tier,
        candidates: deque[Deployment],
        request: RedactedRequest,
        trace: Trace,
        write_ahead: WriteAhead,
        others: bool,
    ) -> list[Outcome]:
        """Of the next candidate, and of what follows from it; an answer is the last."""
        deployment = candidates.popleft()
        others = others or bool(candidates)
        # Who hears one call cannot be given the other's answer.
        single = self._hedges.off or not candidates or request.max_cost_nanousd is not None or trace.heard
        late_s = None if single else self._pool.p95_s(deployment)
        self._hedges.called()
        if late_s is None:
            made: Sequence[Outcome | None] = [
                await self._attempt(tier, deployment, request, trace, write_ahead, others)
            ]
        else:
            made = await race(
                partial(self._attempt, tier, deployment, request, trace, write_ahead, others),
                # What keeps a second call from being made is nothing that the first need know of.
                lambda lost: self._second(tier, candidates.popleft(), request, write_ahead, others, lost),
                late_s,
                lambda: self._pool.has_room(candidates[0]) and self._hedges.take(),
            )
        outcomes = [outcome for outcome in made if outcome is not None]
        if self._shorten is not None and _codes(outcomes) == ["context_length"]:
            shorter = await self._shorten(request, _KEPT_TO_FIT)
            again = shorter and await self._attempt(tier, deployment, shorter, trace, write_ahead, others)
            outcomes += [again] if again else []
        return outcomes

    async def _second(
        self,
        tier: Tier,
        deployment: Deployment,
        request: RedactedRequest,
        write_ahead: WriteAhead,
        others: bool,
        lost: asyncio.Event,
    ) -> Outcome | None:
        """A hedged call. It is not made if the request is another worker's by now; the first goes on."""
        try:
            return await self._attempt(tier, deployment, request, Trace(), write_ahead, others, lost)
        except ClaimLostError:
            return None

    async def _attempt(
        self,
        tier: Tier,
        deployment: Deployment,
        request: RedactedRequest,
        trace: Trace,
        write_ahead: WriteAhead,
        others: bool,
        lost: asyncio.Event | None = None,
    ) -> Outcome | None:
        """One call; ``None`` when its deployment or a budget does not allow it now."""
        tokens = self.prompt_tokens(tier, request) + answer_bound(tier, request)
        limits = of_deployment(deployment, tokens, self._burst_s)
        if (wait_s := await self._limiter.take(limits)) > 0:
            message = f"{deployment.name}: its rate is used up"
            trace.errors.append(ProviderError("provider_rate_limited", message, retry_after_s=wait_s))
            return None
        worst, payer = self._worst_case(tier, deployment, request), Payer.of(request)
        reservation = await self._budgets.reserve(payer.tenant_id, payer.user_id, new_id(), worst, key_id=payer.key_id)
        if reservation.room is Room.HARD:
            trace.broke = reservation.refusal()
            return None
        cost = 0
        try:
            async with self._pool.calling(deployment, left_s(request, self._now_ms())):
                # Time may have passed until there was room.
                build = self._builder(tier, deployment, request, others, trace)
                outcome = await self._caller.call(payer, tier.name, deployment, build, write_ahead, lost=lost)
                if outcome.error is None:
                    self._pool.worked(deployment, outcome.duration_ms / 1000)
                elif outcome.error.code != LOST:
                    self._pool.failed(deployment, outcome.error)
            cost = outcome.entry.cost_nanousd
        except NoRoomError:
            raise Expired("deadline_exceeded", f"the deadline passed while {deployment.name} had no room") from None
        finally:
            await self._settle(reservation, cost)
        used = outcome.entry.prompt_tokens + outcome.entry.completion_tokens
        await self._limiter.correct(corrections(limits, tokens, used))
        return outcome

    async def _settle(self, reservation: Reservation, cost: int) -> None:
        """Never raises: the answer is there and paid. What is not settled ends with its reservation."""
        try:
            await self._budgets.settle(reservation, cost)
        except Transient as failure:
            log.warning("budget_not_settled", code=failure.code, message=failure.message)

    def prompt_tokens(self, tier: Tier, request: RedactedRequest) -> int:
        """Estimate of the prompt's tokens."""
        return self._caller.prompt_tokens(tier.deployments[0], noted(request, request.messages))

    def worst_case(self, tier: Tier, request: RedactedRequest) -> int:
        """Most that the tier's cheapest deployment may cost, in nano-dollars."""
        return self.least(tier, request, request.messages)

    def least(self, tier: Tier, request: RedactedRequest, messages: tuple[Message, ...]) -> int:
        """What ``messages`` and the longest answer cost at the tier's cheapest deployment, in nano-dollars."""
        bound = answer_bound(tier, request)
        messages = noted(request, messages)
        return min(self._caller.price(deployment, messages, bound) for deployment in tier.deployments)

    async def fitted(self, tiers: Sequence[Tier], request: RedactedRequest) -> RedactedRequest | None:
        """``request``, cut so that it fits the longest of ``tiers``; ``None`` when that cannot be done."""
        longest = max(tiers, key=lambda tier: tier.context_tokens)
        room = longest.context_tokens - answer_bound(longest, request)
        if self._shorten is None or room <= 0:
            return None
        return await self._shorten(request, 0.95 * room / self.prompt_tokens(longest, request))

    def _worst_case(self, tier: Tier, deployment: Deployment, request: RedactedRequest) -> int:
        return self._caller.price(deployment, noted(request, request.messages), answer_bound(tier, request))

    def _too_dear(self, tier: Tier, deployment: Deployment, request: RedactedRequest, trace: Trace) -> bool:
        """Whether what was spent and this call may together exceed what the request allows."""
        most = request.max_cost_nanousd
        return most is not None and trace.spent + self._worst_case(tier, deployment, request) > most

    def _builder(
        self, tier: Tier, deployment: Deployment, request: RedactedRequest, others: bool, trace: Trace
    ) -> Callable[[str], Call]:
        seconds = timeout_s(deployment, request, self._now_ms(), others=others)

        def build(attempt_id: str) -> Call:
            return Call(
                attempt_id=attempt_id,
                request_id=request.request_id,
                messages=noted(request, request.messages),
                params=request.params,
                max_tokens=answer_bound(tier, request),
                timeout_s=seconds,
                tools=parsed(request.tools),
                response_format=parsed(request.response_format),
                said=trace.hears(attempt_id, tier.name, deployment.model),
            )

        return build


def _codes(outcomes: Sequence[Outcome]) -> list[str | None]:
    return [outcome.error.code if outcome.error else None for outcome in outcomes]


def answer_bound(tier: Tier, request: RedactedRequest) -> int:
    """Tokens that an answer may have."""
    return min(request.params.max_tokens or tier.max_answer_tokens, tier.max_answer_tokens)
