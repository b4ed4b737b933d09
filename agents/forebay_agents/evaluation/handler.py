"""What does the evaluation stage do with an outcome? If it is in the sample: judge it, and tell those concerned."""

from collections.abc import Sequence

from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.error_codes import CODES, FailureClass
from forebay.contract.failures import Permanent, Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.json_lines import new_id
from forebay.contract.names import review_id
from forebay.contract.records import (
    Alert,
    Completion,
    Evaluation,
    Message,
    Params,
    RedactedRequest,
    ResponseStatus,
    ReviewReason,
    ReviewTask,
    Severity,
    without_ref,
)
from forebay.state.conditions import Conditions, MemoryConditions, alert_output
from forebay.state.idempotency import Claim, Claims
from forebay.state.keys import Owned, owned
from forebay_agents.evaluation.metrics import METRICS, EvaluationMetrics
from forebay_agents.evaluation.rolling import Rolling, ScoreStore, add_score
from forebay_agents.evaluation.rubrics import RUBRICS
from forebay_agents.evaluation.sampling import sampled
from forebay_agents.evaluation.settings import EvaluationSettings
from forebay_agents.evaluation.verdict import VERDICT_FORMAT, Verdict, read_verdict
from forebay_agents.models.caller import Caller, Outcome
from forebay_agents.models.fencing import fenced
from forebay_agents.models.ledger import Payer, usage_output
from forebay_agents.models.providers.provider import Call
from forebay_agents.models.settings import Tier

JUDGE = "forebay:judge"
"""User to whom judging is charged: it is no end user's spend."""

_QUESTION_CHARS, _ANSWER_CHARS = 6_000, 4_000  # a judge needs the gist; long contexts would cost more than the answer
_VERDICT_TOKENS = 80


class EvaluationHandler:
    """Judges sampled outcomes.

    Args:
        tier: whose first deployment is the judge.
        claims: so that a redelivered outcome is not judged, and paid, twice.
        now_ms: ms since the epoch.
        conditions: what people were told of already.
    """

    def __init__(
        self,
        settings: EvaluationSettings,
        tier: Tier,
        caller: Caller,
        claims: Claims,
        scores: ScoreStore,
        now_ms: Clock = now_ms,
        metrics: EvaluationMetrics = METRICS,
        conditions: Conditions | None = None,
    ) -> None:
        self._metrics = metrics
        self._settings = settings
        self._tier = tier
        self._caller = caller
        self._claims = claims
        self._scores = scores
        self._now_ms = now_ms
        self._conditions = conditions or Conditions(MemoryConditions(), now_ms)

    async def handle(self, completion: Completion, context: Context) -> Sequence[Output]:
        """An evaluation, and where it calls for them a review task and an alert; nothing outside the sample."""
        request = completion.request
        if completion.status is not ResponseStatus.OK or request is None:
            return ()
        if not sampled(completion.request_id, self._settings.sample_rate):
            return ()
        key = owned(Owned.JUDGE_CLAIM, completion.tenant_id, completion.request_id)

        async def work(claim: Claim | None) -> Sequence[Output]:
            return await self._judge(completion, request, context, claim)

        return await self._claims.once(key, work)

    async def _judge(
        self, completion: Completion, request: RedactedRequest, context: Context, claim: Claim | None
    ) -> list[Output]:
        judge = self._tier.deployments[0]
        payer = Payer(request_id=completion.request_id, tenant_id=completion.tenant_id, user_id=JUDGE)
        outcome = await self._caller.call(
            payer,
            self._tier.name,
            judge,
            lambda attempt: self._call(attempt, completion, request),
            fenced(context.write_ahead, claim),
        )
        if outcome.answer is None:
            await context.write_ahead([usage_output(outcome.entry)])
            raise _unjudged(outcome)
        verdict = read_verdict(outcome.answer.content, outcome.answer.logprobs)
        model = completion.model or "unknown"
        rolling = None
        if verdict.score:
            self._metrics.judged(verdict.score, h.text(context.source.headers, h.COMPRESSION))
            rolling = await add_score(self._scores, model, verdict.score, self._settings.window)
        outputs = [
            usage_output(outcome.entry),
            self._evaluation(completion, outcome, verdict, rolling),
        ]
        if verdict.score and verdict.score <= self._settings.review_below:
            outputs.append(self._review(completion, verdict))
        if rolling is not None and rolling.samples >= self._settings.min_samples:
            low = rolling.mean < self._settings.alert_below
            alerts = await self._conditions.note(self._alert(model, rolling), holds=low)
            outputs += [alert_output(alert) for alert in alerts]
        return outputs

    def _call(self, attempt_id: str, completion: Completion, request: RedactedRequest) -> Call:
        question = "\n".join(f"{message.role.value}: {message.content}" for message in request.messages)
        prompt = RUBRICS[self._settings.rubric].format(
            question=question[-_QUESTION_CHARS:], answer=completion.content[:_ANSWER_CHARS]
        )
        deployment = self._tier.deployments[0]
        return Call(
            attempt_id=attempt_id,
            request_id=completion.request_id,
            messages=(Message(content=prompt),),
            params=Params(temperature=0.0),
            max_tokens=_VERDICT_TOKENS,
            timeout_s=min(deployment.timeout_s, self._settings.timeout_s),
            top_logprobs=10 if deployment.logprobs else 0,
            response_format=VERDICT_FORMAT if self._settings.structured else None,
        )

    def _evaluation(
        self, completion: Completion, outcome: Outcome, verdict: Verdict, rolling: Rolling | None
    ) -> Output:
        evaluation = Evaluation(
            evaluation_id=new_id(),
            request_id=completion.request_id,
            tenant_id=completion.tenant_id,
            task=completion.request.task if completion.request else None,
            tier=completion.tier,
            model=completion.model,
            source=completion.source,
            judge_model=outcome.entry.model,
            rubric=self._settings.rubric,
            score=verdict.score,
            reason=verdict.reason,
            rolling_mean=rolling.mean if rolling else 0.0,
            sample_rate=self._settings.sample_rate,
            cost_nanousd=outcome.entry.cost_nanousd,
            created_at=self._now_ms(),
        )
        return Output(topic="evaluations", key=completion.request_id, value=evaluation)

    def _review(self, completion: Completion, verdict: Verdict) -> Output:
        task = ReviewTask(
            review_id=review_id(completion.tenant_id, completion.request_id),
            request_id=completion.request_id,
            tenant_id=completion.tenant_id,
            reason=ReviewReason.LOW_SCORE,
            score=verdict.score,
            completion=without_ref(completion),
            created_at=self._now_ms(),
        )
        return Output(topic="reviews", key=task.review_id, value=task)

    def _alert(self, model: str, rolling: Rolling) -> Alert:
        return Alert(
            alert_id=new_id(),
            kind="quality_drop",
            severity=Severity.WARNING,
            subject=model,
            message=f"the mean judge score of {model} over its latest {rolling.samples} verdicts is {rolling.mean:.2f}",
            value=rolling.mean,
            threshold=self._settings.alert_below,
            created_at=self._now_ms(),
            summary=f"answers of {model} have become worse",
            action="Read the low scores (`forebay review list`); see whether provider, prompts or judge changed.",
        )


def _unjudged(outcome: Outcome) -> Transient | Permanent:
    """Judge down: the sample waits. Judge refuses, or is paid for nothing: a dead letter that no requester notices."""
    assert outcome.error is not None
    error = outcome.error
    if CODES[error.code].failure_class is FailureClass.TRANSIENT and error.usage is None:
        return Transient(error.code, error.message, retry_after_s=error.retry_after_s)
    return Permanent(error.code, error.message)
