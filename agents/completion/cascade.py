"""Which tier answers? The cheapest whose answer is good enough; whatever fails is passed by.

Tiers are tried from the cheapest: each answer is assessed, and one that is probably wrong is escalated to the next tier
(FrugalGPT, arXiv 2305.05176). Within a tier the next deployment takes over when one fails. The best answer so far
serves when everything dearer is out, marked as degraded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from agents.completion.routing.confidence import Assessment, assess
from agents.models.caller import Caller, Outcome
from agents.models.chat_format import parsed
from agents.models.ledger import Payer
from agents.models.pool import DeploymentPool
from agents.models.provider import Answer, Call, ProviderError
from agents.models.settings import Deployment, Tier
from streams.failures import CODES, Expired, Failure, FailureClass, Permanent, Rejected, Transient
from streams.handlers import WriteAhead
from streams.records import Attempt, RedactedRequest, UsageEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """An accepted answer and where it came from."""

    answer: Answer
    assessment: Assessment
    tier: str
    model: str
    deployment: str
    degraded: bool = False


@dataclass(slots=True)
class Trace:
    """All that was tried for a request: closed ledger entries and attempts, in order."""

    entries: list[UsageEvent] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)


class Cascade:
    """Walks the tiers for one request at a time; holds no state of requests.

    Args:
        now_ms: ms since the epoch.
    """

    def __init__(self, tiers: Sequence[Tier], pool: DeploymentPool, caller: Caller, now_ms: Callable[[], int]) -> None:
        self._tiers = tiers
        self._pool = pool
        self._caller = caller
        self._now_ms = now_ms

    async def run(self, request: RedactedRequest, trace: Trace, write_ahead: WriteAhead) -> Served:
        """The answer to ``request``; what was tried is in ``trace``, also when this raises.

        Raises:
            Failure: no tier served it; see :func:`conclusion`.
        """
        errors: list[ProviderError] = []
        best: Served | None = None
        tiers = self._eligible(request)
        for tier in tiers:
            served = await self._try_tier(tier, request, trace, errors, write_ahead)
            if served is None:
                continue
            if served.assessment.probability >= tier.accept or tier is tiers[-1]:
                return _better(served, best)
            _mark_escalated(trace)
            best = _better(served, best)
        if best is not None:
            return replace(best, degraded=True)
        raise conclusion(errors)

    def _eligible(self, request: RedactedRequest) -> list[Tier]:
        """Tiers that may serve ``request``. Raises :class:`Failure` when there is none."""
        tiers = [tier for tier in self._tiers if request.tier in (None, tier.name)]
        if not tiers:
            raise Permanent("no_tier", "there is no tier of the name that the request asks for")
        fitting = [tier for tier in tiers if self._fits(tier, request)]
        if not fitting:
            raise Permanent("context_length", "the request is too long for every tier")
        if request.max_cost_nanousd is None:
            return fitting
        affordable = [tier for tier in fitting if self._worst_case(tier, request) <= request.max_cost_nanousd]
        if not affordable:
            raise Rejected("max_cost", "the cheapest tier may cost more than the request allows")
        return affordable

    async def _try_tier(
        self,
        tier: Tier,
        request: RedactedRequest,
        trace: Trace,
        errors: list[ProviderError],
        write_ahead: WriteAhead,
    ) -> Served | None:
        for deployment in self._pool.candidates(tier):
            payer = Payer(request_id=request.request_id, tenant_id=request.tenant_id, user_id=request.user_id)
            build = self._call_builder(tier, deployment, request)
            outcome = await self._caller.call(payer, tier.name, deployment, build, write_ahead)
            trace.entries.append(outcome.entry)
            trace.attempts.append(outcome.attempt(outcome.error.code if outcome.error else "ok"))
            if outcome.answer is not None:
                self._pool.worked(deployment)
                return _served(request, tier, deployment, outcome, outcome.answer)
            assert outcome.error is not None
            errors.append(outcome.error)
            if not self._pool.failed(deployment, outcome.error):
                break
        return None

    def _call_builder(self, tier: Tier, deployment: Deployment, request: RedactedRequest) -> Callable[[str], Call]:
        timeout_s = self._timeout_s(deployment, request)
        max_tokens = min(request.params.max_tokens or tier.max_answer_tokens, tier.max_answer_tokens)

        def build(attempt_id: str) -> Call:
            return Call(
                attempt_id=attempt_id,
                request_id=request.request_id,
                messages=request.messages,
                params=request.params,
                max_tokens=max_tokens,
                timeout_s=timeout_s,
                tools=parsed(request.tools),
                response_format=parsed(request.response_format),
            )

        return build

    def _timeout_s(self, deployment: Deployment, request: RedactedRequest) -> float:
        """The deployment's, or what the request's deadline leaves."""
        if request.deadline_ms is None:
            return deployment.timeout_s
        left_s = (request.accepted_at + request.deadline_ms - self._now_ms()) / 1000
        if left_s <= 0:
            raise Expired("deadline_exceeded", "the deadline passed while models were tried")
        return min(deployment.timeout_s, left_s)

    def _fits(self, tier: Tier, request: RedactedRequest) -> bool:
        answer = min(request.params.max_tokens or tier.max_answer_tokens, tier.max_answer_tokens)
        return self._caller.prompt_tokens(tier.deployments[0], request.messages) + answer <= tier.context_tokens

    def _worst_case(self, tier: Tier, request: RedactedRequest) -> int:
        return min(
            self._caller.worst_case(deployment, self._call_builder(tier, deployment, request)(""))
            for deployment in tier.deployments
        )


def conclusion(errors: Sequence[ProviderError]) -> Failure:
    """What to raise when every tier failed: the error that is worth most to the requester.

    As long as one tier might work later the request is retried; otherwise the last tier's error is final.
    """
    transient = [error for error in errors if CODES[error.code].failure_class is FailureClass.TRANSIENT]
    if transient:
        waits = [error.retry_after_s for error in transient if error.retry_after_s is not None]
        return Transient(transient[-1].code, transient[-1].message, retry_after_s=min(waits) if waits else None)
    last = errors[-1]
    if last.code in {"provider_bad_request", "content_policy"}:
        return Rejected(last.code, last.message)
    return Permanent(last.code, last.message)


def _served(request: RedactedRequest, tier: Tier, deployment: Deployment, outcome: Outcome, answer: Answer) -> Served:
    assessment = assess(request, answer.content, answer.finish_reason, answer.logprobs, tool_calls=answer.tool_calls)
    return Served(
        answer=answer,
        assessment=assessment,
        tier=tier.name,
        model=outcome.entry.model,
        deployment=deployment.name,
    )


def _better(served: Served, best: Served | None) -> Served:
    """The dearer tier's answer, unless it is clearly worse than what a cheaper one gave."""
    if best is not None and served.assessment.probability < best.assessment.probability - 0.2:
        return replace(best, degraded=True)
    return served


def _mark_escalated(trace: Trace) -> None:
    trace.attempts[-1] = replace(trace.attempts[-1], outcome="escalated")
