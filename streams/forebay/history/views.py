"""What does the history say of a request? Frozen values, with names in place of numbers.

Times are ms, money is nano-dollars. ``None``: nobody knows, or there is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forebay.observability.spans import Span


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call of a provider, or one that was avoided; ``outcome``: ``ok``, ``escalated`` or a code."""

    attempt_id: str
    purpose: str | None
    tier: str | None
    model: str | None
    deployment: str | None
    status: str | None
    outcome: str | None
    started_at: int | None
    took_ms: int | None
    first_token_ms: int | None
    prompt_tokens: int
    completion_tokens: int
    cached_prompt_tokens: int
    cost_nanousd: int
    saved_nanousd: int
    price: str | None
    estimated: bool = False
    priced: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A dead letter; ``state``: what was done with it."""

    letter_id: str
    failed_at: int
    stage: str | None
    code: str | None
    topic: str | None
    tries: int | None
    state: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a judge said, of 5."""

    at: int
    judge_model: str | None
    rubric: str | None
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptRequest:
    """One line of a list of requests."""

    request_id: str
    tenant_id: str
    user_id: str
    status: str
    error_code: str | None
    source: str
    tier: str | None
    model: str | None
    total_ms: int | None
    cost_nanousd: int
    responded_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """All that is kept of one request.

    Attributes:
        spans: what each stage did, oldest first; ``spans_left_out``: entries that gave way behind the first.
        seen: how many outcomes it had; the newest is told.
    """

    request: KeptRequest
    conversation_id: str | None
    key_id: str | None
    task: str | None
    deployment: str | None
    escalated: bool
    degraded: bool
    prompt_tokens: int
    completion_tokens: int
    cached_prompt_tokens: int
    saved_nanousd: int
    confidence: float | None
    similarity: float | None
    cache: str | None
    compression: str | None
    redactions: Mapping[str, int]
    supersedes: str | None
    replayed_letter: str | None
    trace_id: str | None
    accepted_at: int | None
    completions_partition: int
    completions_offset: int
    seen: int
    spans: Sequence[Span] = ()
    spans_left_out: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)
    calls: Sequence[Call] = ()
    letters: Sequence[Letter] = ()
    verdicts: Sequence[Verdict] = ()
    corrections: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which requests: all that is given has to be so. ``since_ms`` is included, ``until_ms`` is not."""

    tenant_id: str | None = None
    user_id: str | None = None
    conversation_id: str | None = None
    status: str | None = None
    error_code: str | None = None
    source: str | None = None
    tier: str | None = None
    slower_than_ms: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some requests, newest first.

    Attributes:
        older: where the next page begins; ``None``: there is none.
        cut: it took too long: there may be more among those that were not looked at, older than the last.
    """

    requests: Sequence[KeptRequest]
    older: tuple[int, int] | None = None
    cut: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """Sums of a minute or an hour, of what is the same in all that ``by`` names; ``latency``: bucket to count."""

    at_ms: int
    by: Mapping[str, str | None]
    n: int
    slow: int
    cost_nanousd: int
    saved_nanousd: int
    total_ms: int
    latency: Mapping[int, int]
