"""What became of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from forebay.contract.records.conversation import RedactedRequest


class ResponseStatus(StrEnum):
    """``ok``: answered; ``rejected``: terminal, for the requester to change; ``failed``: could not be served."""

    OK = "ok"
    REJECTED = "rejected"
    FAILED = "failed"


class AnswerSource(StrEnum):
    """Where an answer came from."""

    NONE = "none"
    MODEL = "model"
    CACHE_EXACT = "cache_exact"
    CACHE_SEMANTIC = "cache_semantic"
    CORRECTION = "correction"


@dataclass(frozen=True, kw_only=True, slots=True)
class Error:
    """Why there is no answer: a stable ``code`` (docs/reference/errors.md) and a message free of prompt text.

    ``retry_at``: from when on the same may be served, in ms since the epoch, if that is known.
    """

    code: str = ""
    message: str = ""
    retry_at: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One provider call made for a request; ``outcome`` is ok, escalated or an error code.

    ``started_at`` in ms since the epoch; ``first_token_ms`` after it, where the answer was streamed. Tokens as in
    :class:`UsageEvent`, 0 in old records.
    """

    attempt_id: str = ""
    tier: str = ""
    model: str = ""
    deployment: str = ""
    outcome: str = ""
    duration_ms: int = 0
    cost_nanousd: int = 0
    started_at: int = 0
    first_token_ms: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_prompt_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    service_tier: str = "standard"


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """The outcome of a request before personal data is restored; ``timings`` are microseconds by stage."""

    request_id: str = ""
    tenant_id: str = "default"
    user_id: str = "anonymous"
    status: ResponseStatus = ResponseStatus.FAILED
    error: Error | None = None
    content: str = ""
    tool_calls: str | None = None
    finish_reason: str | None = None
    source: AnswerSource = AnswerSource.NONE
    tier: str | None = None
    model: str | None = None
    deployment: str | None = None
    attempts: tuple[Attempt, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_nanousd: int = 0
    saved_nanousd: int = 0
    timings: Mapping[str, int] = field(default_factory=dict)
    confidence: float | None = None
    cache_key: str | None = None
    similarity: float | None = None
    degraded: bool = False
    request: RedactedRequest | None = None
    completed_at: int = 0
    cached_prompt_tokens: int = 0


def without_ref(completion: Completion) -> Completion:
    """``completion`` for all but the stage ``response``: without the reference into the vault."""
    if completion.request is None or completion.request.vault_ref is None:
        return completion
    return replace(completion, request=replace(completion.request, vault_ref=None))


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """The terminal answer, personal data restored. May be repeated on its topic with the same ``request_id``."""

    request_id: str = ""
    tenant_id: str = "default"
    user_id: str = "anonymous"
    conversation_id: str | None = None
    status: ResponseStatus = ResponseStatus.FAILED
    content: str = ""
    tool_calls: str | None = None
    finish_reason: str | None = None
    error: Error | None = None
    source: AnswerSource = AnswerSource.NONE
    tier: str | None = None
    model: str | None = None
    attempts: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_nanousd: int = 0
    saved_nanousd: int = 0
    confidence: float | None = None
    redactions: Mapping[str, int] = field(default_factory=dict)
    timings: Mapping[str, int] = field(default_factory=dict)
    degraded: bool = False
    degraded_reason: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    supersedes: str | None = None
    accepted_at: int = 0
    responded_at: int = 0
    cached_prompt_tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Delta:
    """A piece of an answer while a model writes it: a hint, pseudonymous; the truth is the completion.

    ``at`` counts the answer's characters before it. ``user_id`` is the requester as records call it: a vault entry
    opens for its owner alone.
    """

    attempt_id: str = ""
    at: int = 0
    text: str = ""
    user_id: str = "anonymous"
    vault_ref: str | None = None
    tier: str = ""
    model: str = ""
