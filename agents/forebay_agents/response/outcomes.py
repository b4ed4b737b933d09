"""What may be kept of a request for thirty days? Who, which, how long, how much: no text of it or of its answer.

Whatever could hold a text (an answer, a message, metadata that nobody asked for, an error's words) is not copied; what
comes of another stage's record and should be a code or a name is left out where it is none.
"""

import re
from collections.abc import Mapping, Sequence

from forebay.contract import headers as h
from forebay.contract.handlers import Context
from forebay.contract.records import AnswerSource, CacheMode, Completion, Outcome, RedactedRequest, Response
from forebay.observability.spans import added

_CODE = re.compile(r"[a-z0-9_]{1,64}")
_NAME = re.compile(r"[\w.:/@+-]{1,128}")
_TRACE = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_LONGEST_VALUE = 64
"""Characters of a value of metadata, as of a label of the ledger."""
_CACHE = {
    AnswerSource.CACHE_EXACT: "exact",
    AnswerSource.CACHE_SEMANTIC: "similar",
    AnswerSource.CORRECTION: "correction",
}


def outcome_of(
    completion: Completion, response: Response, context: Context, worked_s: float, metadata_keys: Sequence[str] = ()
) -> Outcome:
    """The outcome beside ``response``.

    Args:
        worked_s: how long the stage has worked at the response.
        metadata_keys: those of a request's metadata that are kept.
    """
    headers, source = context.source.headers, context.source
    request = completion.request or RedactedRequest()
    code = response.error.code if response.error is not None else None
    spans = added(headers.get(h.SPANS, b""), context.span("response", worked_s, code or "ok"))
    trace = _TRACE.fullmatch(h.text(headers, h.TRACEPARENT) or "")
    return Outcome(
        request_id=completion.request_id or context.fallback_id,
        tenant_id=completion.tenant_id,
        user_id=completion.user_id,
        conversation_id=request.conversation_id,
        key_id=_name(request.key_id),
        task=_name(request.task),
        status=response.status,
        error_code=None if code is None else _code(code) or "other",
        source=completion.source,
        tier=_name(completion.tier),
        model=_name(completion.model),
        deployment=_name(completion.deployment),
        attempts=completion.attempts,
        escalated=any(attempt.outcome == "escalated" for attempt in completion.attempts),
        degraded=response.degraded,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        cached_prompt_tokens=completion.cached_prompt_tokens,
        cost_nanousd=completion.cost_nanousd,
        saved_nanousd=completion.saved_nanousd,
        confidence=completion.confidence,
        similarity=completion.similarity,
        cache=_cache(completion, request),
        compression=_code(h.text(headers, h.COMPRESSION)),
        redactions={label: count for label, count in request.entities.items() if _NAME.fullmatch(label)},
        supersedes=_code(response.supersedes),
        replayed_letter=_name(h.text(headers, h.REPLAYED_LETTER)),
        trace_id=trace[1] if trace else "",
        accepted_at=response.accepted_at,
        responded_at=response.responded_at,
        spans=spans.decode(),
        completions_partition=source.partition,
        completions_offset=source.offset,
        metadata=_kept(request.metadata, metadata_keys),
    )


def _cache(completion: Completion, request: RedactedRequest) -> str:
    if completion.source in _CACHE:
        return _CACHE[completion.source]
    return "miss" if request.cache.mode is CacheMode.DEFAULT else request.cache.mode.value


def _kept(metadata: Mapping[str, str], keys: Sequence[str]) -> dict[str, str]:
    return {key: metadata[key][:_LONGEST_VALUE] for key in keys if key in metadata}


def _code(text: str | None) -> str | None:
    return text if text is not None and _CODE.fullmatch(text) else None


def _name(text: str | None) -> str | None:
    return text if text is not None and _NAME.fullmatch(text) else None
