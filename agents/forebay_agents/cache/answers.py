"""What does the cache publish? A completion and a ledger row for a hit, the request itself for a miss."""

from collections.abc import Sequence

from forebay.contract.failures import Failure, Rejected
from forebay.contract.handlers import Output
from forebay.contract.records import (
    AnswerSource,
    Completion,
    Error,
    RedactedRequest,
    ResponseStatus,
    UsageEvent,
    UsageStatus,
)
from forebay_agents.cache.lookup import Found
from forebay_agents.models.ledger import MOST_TEXT, Payer
from forebay_agents.models.pricing import Cost


def hit(
    request: RedactedRequest, found: Found, *, worth: Cost, took_us: int, now_ms: int, labels: Sequence[str] = ()
) -> list[Output]:
    """The stored answer and the ledger's note of the call that it avoided; or the error that is remembered.

    Args:
        worth: what the call would have cost that the answer spared.
        took_us: time in this stage, in microseconds.
        labels: keys of metadata that the ledger takes.
    """
    entry = found.entry
    if entry.error_code is not None:
        return [_completion_of_error(request, entry.error_code, entry.error_message, ResponseStatus.FAILED, now_ms)]
    completion = Completion(
        request_id=request.request_id,
        tenant_id=request.tenant_id,
        user_id=request.user_id,
        status=ResponseStatus.OK,
        content=found.content,
        finish_reason=entry.finish_reason,
        source=found.source,
        tier=entry.tier,
        model=entry.model,
        deployment=entry.deployment,
        saved_nanousd=worth.nanousd,
        timings={"cache": took_us},
        confidence=entry.confidence,
        cache_key=entry.entry_id,
        similarity=found.verdict.similarity if found.verdict else 1.0,
        request=request,
        completed_at=now_ms,
    )
    payer = Payer.of(request)
    avoided = UsageEvent(
        attempt_id=f"avoided-{request.request_id}",
        request_id=request.request_id,
        tenant_id=request.tenant_id,
        user_id=request.user_id,
        key_id=request.key_id,
        tier=entry.tier or "",
        model=entry.model or "",
        deployment=entry.deployment or "",
        status=UsageStatus.AVOIDED,
        saved_nanousd=worth.nanousd,
        price=worth.price,
        task=payer.task and payer.task[:MOST_TEXT],
        labels=payer.labels(labels),
        started_at=now_ms,
        booked_at=now_ms,
        finished_at=now_ms,
    )
    return [
        Output(topic="completions", key=request.request_id, value=completion),
        Output(topic="usage", key=f"{request.tenant_id}|{request.user_id}", value=avoided),
    ]


def miss(request: RedactedRequest) -> list[Output]:
    """The request goes on to the models."""
    return [Output(topic="requests.uncached", key=request.prompt_hash, value=request)]


def failed(request: RedactedRequest, failure: Failure, *, now_ms: int) -> list[Output]:
    """The outcome of a request that ends here."""
    status = ResponseStatus.REJECTED if isinstance(failure, Rejected) else ResponseStatus.FAILED
    return [_completion_of_error(request, failure.code, failure.message, status, now_ms)]


def outcome(found: Found) -> str:
    """Label of a hit in the metrics."""
    return "negative" if found.entry.error_code else found.source.value.removeprefix("cache_")


def _completion_of_error(
    request: RedactedRequest, code: str, message: str, status: ResponseStatus, now_ms: int
) -> Output:
    completion = Completion(
        request_id=request.request_id,
        tenant_id=request.tenant_id,
        user_id=request.user_id,
        status=status,
        error=Error(code=code, message=message),
        source=AnswerSource.NONE,
        request=request,
        completed_at=now_ms,
    )
    return Output(topic="completions", key=request.request_id, value=completion)
