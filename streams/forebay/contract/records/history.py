"""What became of a request, without a word of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from forebay.contract.records.outcome import AnswerSource, Attempt, ResponseStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One terminal response, for whoever asks where a request is: ids, codes, counts and times, no text.

    Tenants and users as the ledger calls them. ``spans`` as in the header (docs/reference/records.md), that of the
    response included; ``completions_partition`` and ``completions_offset`` say where the answer stood. ``metadata``
    holds the keys that ``history.metadata_keys`` names. A replay is a further outcome with the same ``request_id``:
    ``supersedes`` is the code that it makes good, ``replayed_letter`` the dead letter that was sent back.
    """

    request_id: str = ""
    tenant_id: str = "default"
    user_id: str = "anonymous"
    conversation_id: str | None = None
    key_id: str | None = None
    task: str | None = None
    status: ResponseStatus = ResponseStatus.FAILED
    error_code: str | None = None
    source: AnswerSource = AnswerSource.NONE
    tier: str | None = None
    model: str | None = None
    deployment: str | None = None
    attempts: tuple[Attempt, ...] = ()
    escalated: bool = False
    degraded: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_prompt_tokens: int = 0
    cost_nanousd: int = 0
    saved_nanousd: int = 0
    confidence: float | None = None
    similarity: float | None = None
    cache: str = "miss"
    compression: str | None = None
    redactions: Mapping[str, int] = field(default_factory=dict)
    supersedes: str | None = None
    replayed_letter: str | None = None
    trace_id: str = ""
    accepted_at: int = 0
    responded_at: int = 0
    spans: str = ""
    completions_partition: int = 0
    completions_offset: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)
