"""How is one tier tried for a request? Its deployments in turn, each within its limits and the payer's money.

Order of one call: the deployment's rate, the budget's reservation, room among the calls that are out, the ledger's
entry, the call; then all of them learn what it really took.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from agents.completion.hedging import HedgeBudget, race
from agents.completion.quotas.budgets import Budgets, Room
from agents.completion.quotas.rates import Limiter, corrections, of_deployment
from agents.models.caller import Caller, Outcome
from agents.models.chat_format import parsed
from agents.models.ledger import Payer
from agents.models.pool import LOST, TRY_ANOTHER, DeploymentPool
from agents.models.provider import Answer, Call, ProviderError
from agents.models.settings import Deployment, Tier
from streams.failures import Expired
from streams.handlers import WriteAhead
from streams.json_lines import new_id
from streams.records import Alert, Attempt, Message, RedactedRequest, Severity, UsageEvent

Shorten = Callable[[RedactedRequest], Awaitable[RedactedRequest | None]]
"""Cuts a request; ``None`` when that cannot be done."""

_PROBE_S = 1.0
"""Seconds to wait while a probe decides whether a deployment works again."""


@dataclass(slots=True)
class Trace:
    """All that was tried for a request: closed ledger entries and attempts, in order; and what people should hear of.

    Attributes:
        errors: of the calls that brought no answer.
        broke: whether a budget stopped a call.
    """

    entries: list[UsageEvent] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    errors: list[ProviderError] = field(default_factory=list)
    broke: bool = False


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
        hedge_share: see :mod:`agents.completion.hedging`.
        shorten: cuts a request that a model is too small for; by default none is.
    """

    def __init__(
        self,
        pool: DeploymentPool,
        caller: Caller,
        limiter: Limiter,
        budgets: Budgets,
        *,
        burst_s: float,
        now_ms: Callable[[], int],
        hedge_share: float = 0.0,
        shorten: Shorten | None = None,
    ) -> None:
        self._hedges = HedgeBudget(hedge_share)
        self._shorten = shorten
        self._pool = pool
        self._caller = caller
        self._limiter = limiter
        self._budgets = budgets
        self._burst_s = burst_s
        self._now_ms = now_ms

    async def on(self, tier: Tier, request: RedactedRequest, trace: Trace, write_ahead: WriteAhead) -> Answered | None:
        """The first answer of ``tier``, or ``None``; what happened is added to ``trace``.

        Raises:
            Expired: the request's deadline passed.
        """
        candidates = deque(self._pool.candidates(tier))
        tried = bool(candidates)
        while candidates:
            outcomes = await self._outcomes(tier, candidates, request, trace, write_ahead)
            for outcome in outcomes:
                self._record(outcome, trace)
            if trace.broke:
                return None
            if outcomes and outcomes[-1].answer is not None:
                winner = outcomes[-1]
                deployment = next(one for one in tier.deployments if one.name == winner.entry.deployment)
                return Answered(answer=outcomes[-1].answer, deployment=deployment, outcome=winner)
            if any(one.error is not None and one.error.code not in TRY_ANOTHER for one in outcomes):
                break
        if not tried:
            wait_s = max(_PROBE_S, self._pool.rest_s(tier))
            message = f"{tier.name}: every deployment rests"
            trace.errors.append(ProviderError("provider_unavailable", message, retry_after_s=wait_s))
        return None

    async def probed(self, tiers: Sequence[Tier], request: RedactedRequest) -> bool:
        """Whether one of ``tiers`` works now that a probe of it is back, for which this waits until the deadline."""
        left_s = self._left_s(request)
        try:
            async with asyncio.timeout(left_s):
                return await self._pool.works_after_probes(tiers)
        except TimeoutError:
            return False

    async def _outcomes(
        self, tier: Tier, candidates: deque[Deployment], request: RedactedRequest, trace: Trace, write_ahead: WriteAhead
    ) -> list[Outcome]:
        """Of the next candidate, and of what follows from it; an answer is the last."""
        deployment = candidates.popleft()
        late_s = None if self._hedges.off or not candidates else self._pool.p95_s(deployment)
        self._hedges.called()
        if late_s is None:
            made: Sequence[Outcome | None] = [await self._attempt(tier, deployment, request, trace, write_ahead)]
        else:
            made = await race(
                partial(self._attempt, tier, deployment, request, trace, write_ahead),
                # What keeps a second call from being made is nothing that the first need know of.
                lambda lost: self._attempt(tier, candidates.popleft(), request, Trace(), write_ahead, lost),
                late_s,
                lambda: self._pool.has_room(candidates[0]) and self._hedges.take(),
            )
        outcomes = [outcome for outcome in made if outcome is not None]
        if self._shorten is not None and _codes(outcomes) == ["context_length"]:
            shorter = await self._shorten(request)
            again = shorter and await self._attempt(tier, deployment, shorter, trace, write_ahead)
            outcomes += [again] if again else []
        return outcomes

    def _record(self, outcome: Outcome, trace: Trace) -> None:
        trace.entries.append(outcome.entry)
        trace.attempts.append(outcome.attempt(outcome.error.code if outcome.error else "ok"))
        if outcome.error is None or outcome.error.code == LOST:
            return
        trace.errors.append(outcome.error)
        if outcome.error.code == "provider_auth":
            deployment = outcome.entry.deployment
            trace.alerts.append(self._refused(deployment))

    async def _attempt(
        self,
        tier: Tier,
        deployment: Deployment,
        request: RedactedRequest,
        trace: Trace,
        write_ahead: WriteAhead,
        lost: asyncio.Event | None = None,
    ) -> Outcome | None:
        """One call; ``None`` when its deployment or a budget does not allow it now."""
        build = self._builder(tier, deployment, request)
        tokens = self.prompt_tokens(tier, request) + answer_bound(tier, request)
        limits = of_deployment(deployment, tokens, self._burst_s)
        if (wait_s := await self._limiter.take(limits)) > 0:
            message = f"{deployment.name}: its rate is used up"
            trace.errors.append(ProviderError("provider_rate_limited", message, retry_after_s=wait_s))
            return None
        worst_case = self._caller.worst_case(deployment, build(""))
        reservation = await self._budgets.reserve(request.tenant_id, request.user_id, new_id(), worst_case)
        if reservation.room is Room.HARD:
            trace.broke = True
            return None
        cost = 0
        try:
            async with self._pool.calling(deployment):
                payer = Payer(request_id=request.request_id, tenant_id=request.tenant_id, user_id=request.user_id)
                outcome = await self._caller.call(payer, tier.name, deployment, build, write_ahead, lost=lost)
                if outcome.error is None:
                    self._pool.worked(deployment, outcome.duration_ms / 1000)
                elif outcome.error.code != LOST:
                    self._pool.failed(deployment, outcome.error)
            cost = outcome.entry.cost_nanousd
        finally:
            await self._budgets.settle(reservation, cost)
        used = outcome.entry.prompt_tokens + outcome.entry.completion_tokens
        await self._limiter.correct(corrections(limits, tokens, used))
        return outcome

    def prompt_tokens(self, tier: Tier, request: RedactedRequest) -> int:
        """Estimate of the prompt's tokens."""
        return self._caller.prompt_tokens(tier.deployments[0], request.messages)

    def worst_case(self, tier: Tier, request: RedactedRequest) -> int:
        """Most that the tier's cheapest deployment may cost, in nano-dollars."""
        return min(
            self._caller.worst_case(deployment, self._builder(tier, deployment, request)(""))
            for deployment in tier.deployments
        )

    def least(self, tier: Tier, request: RedactedRequest, messages: tuple[Message, ...]) -> int:
        """What ``messages`` and the longest answer cost at the tier's cheapest deployment, in nano-dollars."""
        bound = answer_bound(tier, request)
        return min(self._caller.price(deployment, messages, bound) for deployment in tier.deployments)

    def _builder(self, tier: Tier, deployment: Deployment, request: RedactedRequest) -> Callable[[str], Call]:
        timeout_s = self._timeout_s(deployment, request)

        def build(attempt_id: str) -> Call:
            return Call(
                attempt_id=attempt_id,
                request_id=request.request_id,
                messages=request.messages,
                params=request.params,
                max_tokens=answer_bound(tier, request),
                timeout_s=timeout_s,
                tools=parsed(request.tools),
                response_format=parsed(request.response_format),
            )

        return build

    def _timeout_s(self, deployment: Deployment, request: RedactedRequest) -> float:
        """The deployment's, or what the request's deadline leaves."""
        left_s = self._left_s(request)
        if left_s is None:
            return deployment.timeout_s
        if left_s <= 0:
            raise Expired("deadline_exceeded", "the deadline passed while models were tried")
        return min(deployment.timeout_s, left_s)

    def _left_s(self, request: RedactedRequest) -> float | None:
        if request.deadline_ms is None:
            return None
        return (request.accepted_at + request.deadline_ms - self._now_ms()) / 1000

    def _refused(self, deployment: str) -> Alert:
        return Alert(
            alert_id=new_id(),
            kind="provider_auth",
            severity=Severity.CRITICAL,
            subject=deployment,
            message=f"{deployment} refuses our credentials: renew its key",
            created_at=self._now_ms(),
        )


def _codes(outcomes: Sequence[Outcome]) -> list[str | None]:
    return [outcome.error.code if outcome.error else None for outcome in outcomes]


def answer_bound(tier: Tier, request: RedactedRequest) -> int:
    """Tokens that an answer may have."""
    return min(request.params.max_tokens or tier.max_answer_tokens, tier.max_answer_tokens)
