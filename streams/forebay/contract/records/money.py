"""The ledger and its projections. Money is nano-dollars: 1e-9 US dollars, so that a token's price is a whole number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class CallPurpose(StrEnum):
    """Why a provider was called."""

    COMPLETION = "completion"
    JUDGE = "judge"
    EMBEDDING = "embedding"
    SHADOW = "shadow"


class UsageStatus(StrEnum):
    """State of an attempt.

    ``started``: written ahead of the call with its worst-case cost; ``settled``: true cost; ``failed``: ended without a
    billable answer; ``unsettled``: outcome unknown, worst-case cost; ``avoided``: no call, a cache answered.
    """

    STARTED = "started"
    SETTLED = "settled"
    FAILED = "failed"
    UNSETTLED = "unsettled"
    AVOIDED = "avoided"


class WindowKind(StrEnum):
    """Length of a spend window, aligned to UTC."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageEvent:
    """One provider call in the ledger; immutable, the newest status of an ``attempt_id`` counts.

    ``estimated``: the provider's token counts were missing or could not be, so tokens and cost are our estimate.
    ``cache_write_tokens`` and ``cache_write_1h_tokens`` are parts of ``prompt_tokens``, without overlap, as cached ones
    are; ``reasoning_tokens`` of ``completion_tokens``. ``priced``: false where no price is known, so that a cost of 0
    is none; ``price``: by which it was priced, source and begin of the period, at most 64 characters.
    ``key_id``: by which key of the HTTP door the request came. ``booked_at``: for when the attempt counts, by the
    brokers' clock; 0 in old entries. ``saved_tier_nanousd``: what its tokens cost at the dearest tier that the request
    allowed, less all that the request cost; below zero after escalations. ``saved_compression_nanousd``: its input that
    was cut. ``labels``: what the configuration takes of the request's metadata.
    """

    attempt_id: str = ""
    request_id: str = ""
    tenant_id: str = "default"
    user_id: str = "anonymous"
    purpose: CallPurpose = CallPurpose.COMPLETION
    tier: str = ""
    model: str = ""
    deployment: str = ""
    status: UsageStatus = UsageStatus.UNSETTLED
    error_code: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_prompt_tokens: int = 0
    cost_nanousd: int = 0
    reserved_nanousd: int = 0
    saved_nanousd: int = 0
    started_at: int = 0
    finished_at: int | None = None
    estimated: bool = False
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    service_tier: str = "standard"
    priced: bool = True
    price: str = ""
    key_id: str | None = None
    booked_at: int = 0
    saved_tier_nanousd: int = 0
    saved_compression_nanousd: int = 0
    task: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spend:
    """Spend of one tenant, user, model, tier and purpose in one window; the newest record of a key counts.

    ``tier`` and ``purpose`` are empty in rows from before they were told apart. ``saved_nanousd`` is what caches saved;
    ``unpriced_calls``: settled without a price.
    """

    tenant_id: str = "default"
    user_id: str = "anonymous"
    model: str = ""
    window: WindowKind = WindowKind.DAY
    window_start: int = 0
    calls: int = 0
    failed: int = 0
    avoided: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_nanousd: int = 0
    pending_nanousd: int = 0
    saved_nanousd: int = 0
    updated_at: int = 0
    revision: int = -1
    tier: str = ""
    purpose: str = ""
    cached_prompt_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    unpriced_calls: int = 0
    saved_tier_nanousd: int = 0
    saved_compression_nanousd: int = 0
