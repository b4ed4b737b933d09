"""How is one tier tried for a request? Its deployments in turn, each within its limits and the payer's money.

Order of one call: the deployment's rate, the budget's reservation, room among the calls that are out, the ledger's
entry, the call; then all of them learn what it really took.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agents.completion.quotas.budgets import Budgets, Room
from agents.completion.quotas.rates import Limiter, corrections, of_deployment
from agents.models.caller import Caller, Outcome
from agents.models.chat_format import parsed
from agents.models.ledger import Payer
from agents.models.pool import TRY_ANOTHER, DeploymentPool
from agents.models.provider import Answer, Call, ProviderError
from agents.models.settings import Deployment, Tier
from streams.failures import Expired
from streams.handlers import WriteAhead
from streams.json_lines import new_id
from streams.records import Alert, Attempt, RedactedRequest, Severity, UsageEvent

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
    ) -> None:
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
        tried = False
        for deployment in self._pool.candidates(tier):
            tried = True
            outcome = await self._attempt(tier, deployment, request, trace, write_ahead)
            if trace.broke:
                return None
            if outcome is None:
                continue
            if outcome.answer is not None:
                return Answered(answer=outcome.answer, deployment=deployment, outcome=outcome)
            assert outcome.error is not None
            trace.errors.append(outcome.error)
            if outcome.error.code == "provider_auth":
                trace.alerts.append(self._refused(deployment))
            if outcome.error.code not in TRY_ANOTHER:
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

    async def _attempt(
        self, tier: Tier, deployment: Deployment, request: RedactedRequest, trace: Trace, write_ahead: WriteAhead
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
                outcome = await self._caller.call(payer, tier.name, deployment, build, write_ahead)
                if outcome.error is None:
                    self._pool.worked(deployment, outcome.duration_ms / 1000)
                else:
                    self._pool.failed(deployment, outcome.error)
            cost = outcome.entry.cost_nanousd
        finally:
            await self._budgets.settle(reservation, cost)
        used = outcome.entry.prompt_tokens + outcome.entry.completion_tokens
        await self._limiter.correct(corrections(limits, tokens, used))
        trace.entries.append(outcome.entry)
        trace.attempts.append(outcome.attempt(outcome.error.code if outcome.error else "ok"))
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

    def _refused(self, deployment: Deployment) -> Alert:
        return Alert(
            alert_id=new_id(),
            kind="provider_auth",
            severity=Severity.CRITICAL,
            subject=deployment.name,
            message=f"{deployment.name} refuses our credentials: renew its key",
            created_at=self._now_ms(),
        )


def answer_bound(tier: Tier, request: RedactedRequest) -> int:
    """Tokens that an answer may have."""
    return min(request.params.max_tokens or tier.max_answer_tokens, tier.max_answer_tokens)
