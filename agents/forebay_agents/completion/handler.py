"""What does the completion stage do with a request? Claim it, let the cascade answer, enter each call."""

import time
from collections.abc import Sequence

from forebay.contract import headers as h
from forebay.contract.clock import Clock
from forebay.contract.failures import Failure, Held, Rejected, Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.records import AnswerSource, Completion, Error, RedactedRequest, ResponseStatus
from forebay.contract.topics import DELTA_PARTITIONS
from forebay.runtime.fair_queue import FairQueue
from forebay.state.conditions import alert_output
from forebay.state.idempotency import Claim, ClaimLostError, Claims
from forebay.state.keys import Key, Owned, owned
from forebay_agents.completion.admission import Admission
from forebay_agents.completion.cascade import Cascade, Served
from forebay_agents.completion.deadline import is_late
from forebay_agents.completion.quotas.budgets import Room
from forebay_agents.completion.routing import savings
from forebay_agents.completion.routing.signals import wants_json
from forebay_agents.completion.shortening import Shortener
from forebay_agents.completion.trace import Trace
from forebay_agents.models.fencing import fenced
from forebay_agents.models.ledger import usage_output
from forebay_agents.models.pieces import Pieces
from forebay_agents.models.providers.chat_format import fault
from forebay_agents.models.providers.provider import OUTAGES


class CompletionHandler:
    """Handlers of the stage.

    Args:
        claims: see :mod:`forebay.state.idempotency`.
        claim_required: whether a request waits when claims are not available.
        waits_s: shortest and longest wait of a request that no provider served, from its second try on.
        now_ms: ms since the epoch.
        flush_s: seconds between two pieces of an answer, for doors that want it while it is written.
        early_accept: how probably a tier has to suffice that is chosen before it writes.
        saved: enters what was saved; without it nobody does.
    """

    def __init__(
        self,
        cascade: Cascade,
        admission: Admission,
        queue: FairQueue,
        shortener: Shortener,
        claims: Claims,
        *,
        claim_required: bool,
        waits_s: tuple[float, float],
        now_ms: Clock,
        flush_s: float = 0.04,
        early_accept: float = 0.9,
        saved: savings.Savings | None = None,
    ) -> None:
        self._savings = saved
        self._flush_s = flush_s
        self._early_accept = early_accept
        self._cascade = cascade
        self._admission = admission
        self._queue = queue
        self._shortener = shortener
        self._claims = claims
        self._claim_required = claim_required
        self._waits_s = waits_s
        self._now_ms = now_ms

    async def handle(self, request: RedactedRequest, context: Context) -> Sequence[Output]:
        """The completion and the closed ledger entries of every call that it took."""
        if (unfit := fault(request)) is not None:
            raise Rejected("invalid_request", unfit)
        key = owned(Owned.ANSWER_CLAIM, request.tenant_id, request.request_id)
        try:
            # First of all: what is paid already is published again, whatever budgets and limits say by now.
            if (kept := await self._claims.kept(key)) is not None:
                return kept
        except Transient:
            if self._claim_required:
                raise
        least = self._cascade.least_nanousd(request, whole=self._shortener.leaves_whole(request))
        room, alerts = await self._admission.admit(request, least, context.write_ahead)
        async with self._queue.slot(request.tenant_id, request.priority):
            outputs = await self._claimed(key, request, context, cheapest=room is Room.SOFT)
        return [*(alert_output(alert) for alert in alerts), *outputs]

    async def _claimed(
        self, key: Key, request: RedactedRequest, context: Context, *, cheapest: bool
    ) -> Sequence[Output]:
        async def work(claim: Claim | None) -> Sequence[Output]:
            return await self._complete(request, context, claim, cheapest=cheapest)

        return await self._claims.once(key, work, required=self._claim_required)

    def on_failure(self, request: RedactedRequest | None, context: Context, failure: Failure) -> Sequence[Output]:
        """A completion without an answer, so that the requester hears of it."""
        request_id = (request.request_id if request else "") or context.fallback_id
        cost = h.number(failure.carry, h.SPENT)
        completion = Completion(
            request_id=request_id,
            tenant_id=request.tenant_id if request else "default",
            user_id=request.user_id if request else "anonymous",
            status=ResponseStatus.REJECTED if isinstance(failure, Rejected) else ResponseStatus.FAILED,
            error=Error(
                code=failure.code,
                message=failure.message,
                retry_at=failure.retry_at if isinstance(failure, Rejected) else None,
            ),
            finish_reason=h.text(failure.carry, h.FINISH),
            cost_nanousd=_spent(context) if cost is None else cost,
            request=request,
            completed_at=self._now_ms(),
        )
        return [Output(topic="completions", key=request_id, value=completion)]

    async def _complete(
        self, request: RedactedRequest, context: Context, claim: Claim | None, *, cheapest: bool
    ) -> list[Output]:
        trace = Trace(spent_before=_spent(context), pieces=self._pieces(request, context))
        try:
            outputs = await self._answered(request, context, claim, trace, cheapest=cheapest)
        except Exception:
            await self._admission.used(request, trace.tokens)
            raise
        await self._admission.used(request, trace.tokens)
        return outputs

    async def _answered(
        self, request: RedactedRequest, context: Context, claim: Claim | None, trace: Trace, *, cheapest: bool
    ) -> list[Output]:
        started, spent = time.perf_counter(), trace.spent_before
        if not request.messages:
            raise Rejected("invalid_request", "messages must not be empty")
        try:
            sent, compression, cut = await self._shortener.shorten(request)
            write_ahead = fenced(context.write_ahead, claim, required=self._claim_required)
            served = await self._cascade.run(
                sent,
                trace,
                write_ahead,
                cheapest=cheapest,
                late=is_late(request, self._now_ms()),
                early=self._early(context, trace),
            )
        except ClaimLostError:
            if records := _records(trace):
                await context.write_ahead(records)
            raise
        except Failure as caught:
            # Held in its place it would begin anew, and nothing would say what the calls so far have cost.
            called = isinstance(caught, Held) and bool(trace.entries)
            failure = Transient(caught.code, caught.message) if called else caught
            # The calls that were made are in the ledger and in the response, whatever becomes of the request.
            failure.carry[h.SPENT] = str(spent + _cost(trace)).encode()
            if trace.errors and (finish := trace.errors[-1].finish):
                failure.carry[h.FINISH] = finish.encode()
            if isinstance(failure, Transient) and failure.code in OUTAGES:
                failure.retry_after_s = wait_s(context.attempt, failure.retry_after_s, *self._waits_s)
            await _enter(trace, context)
            raise failure from None
        except Exception:
            await _enter(trace, context)  # also by a mistake of ours: what was paid is no secret
            raise
        self._enter_savings(trace, served, cut)
        completed = self._completed(request, served, trace, spent, started)
        if compression is not None:
            completed.headers[h.COMPRESSION] = compression.encode()
        return [*_records(trace), completed]

    def _early(self, context: Context, trace: Trace) -> float | None:
        """How probably the tier has to suffice that is heard, where somebody wants to hear one at any rate."""
        wanted = trace.pieces is not None and context.source.headers.get(h.STREAM) == h.EARLY
        return self._early_accept if wanted else None

    def _pieces(self, request: RedactedRequest, context: Context) -> Pieces | None:
        """Where the answer goes while it is written; JSON is checked and repaired, so that it goes nowhere before."""
        partition = h.number(context.source.headers, h.REPLY_TO, high=DELTA_PARTITIONS - 1)
        if partition is None or wants_json(request.response_format):
            return None
        return Pieces(hint=context.hint, partition=partition, request=request, flush_s=self._flush_s)

    def _enter_savings(self, trace: Trace, served: Served, cut: int) -> None:
        if self._savings is not None and trace.dearest is not None:
            how = savings.Served(attempt_id=served.attempt_id, dearest=trace.dearest, spent=trace.spent, cut=cut)
            trace.entries[:] = self._savings.entered(trace.entries, how)

    def _completed(self, request: RedactedRequest, served: Served, trace: Trace, spent: int, started: float) -> Output:
        entries = trace.entries
        completion = Completion(
            request_id=request.request_id,
            tenant_id=request.tenant_id,
            user_id=request.user_id,
            status=ResponseStatus.OK,
            content=served.answer.content,
            tool_calls=served.answer.tool_calls,
            finish_reason=served.answer.finish_reason,
            source=AnswerSource.MODEL,
            tier=served.tier,
            model=served.model,
            deployment=served.deployment,
            attempts=tuple(trace.attempts),
            prompt_tokens=sum(entry.prompt_tokens for entry in entries),
            completion_tokens=sum(entry.completion_tokens for entry in entries),
            cached_prompt_tokens=sum(entry.cached_prompt_tokens for entry in entries),
            cost_nanousd=spent + _cost(trace),
            timings={"completion": round(1e6 * (time.perf_counter() - started))},
            confidence=served.assessment.probability,
            degraded=served.degraded,
            request=request,
            completed_at=self._now_ms(),
        )
        return Output(topic="completions", key=request.request_id, value=completion)


def wait_s(attempt: int, asked_s: float | None, shortest_s: float, longest_s: float) -> float | None:
    """Seconds until a request is tried again that no provider served; ``None``: the retry topics' own first delay.

    The first wait is as long as a provider asks, or as its breaker rests. Those after it double, up to ``longest_s``: a
    short outage is followed closely, and in a long one a request does not run out of tries.
    """
    if attempt <= 1:
        return asked_s
    return max(asked_s or 0.0, min(longest_s, shortest_s * 2.0 ** (attempt - 2)))


def _records(trace: Trace) -> list[Output]:
    return [*(usage_output(entry) for entry in trace.entries), *(alert_output(alert) for alert in trace.alerts)]


async def _enter(trace: Trace, context: Context) -> None:
    if records := _records(trace):
        await context.write_ahead(records)


def _cost(trace: Trace) -> int:
    return sum(entry.cost_nanousd for entry in trace.entries)


def _spent(context: Context) -> int:
    """What earlier tries of this request cost, in nano-dollars."""
    return h.number(context.source.headers, h.SPENT) or 0
