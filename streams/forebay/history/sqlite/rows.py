"""What is kept of a record? Numbers, codes and ids; of what could hold a text nothing.

A time is the record's own where it is within a day of when the brokers or the producer stamped it, else the stamp: a
clock that is off puts no request into another year.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

from forebay.contract.records import Outcome, UsageEvent, UsageStatus
from forebay.contract.topics import DAY_MS
from forebay.history.packing import Packed, numbers, packed_hex, packed_id
from forebay.history.sqlite import spans
from forebay.history.sqlite.names import Kind, Names

ESCALATED, DEGRADED, TIMES_OFF = 1, 2, 4
"""Bits of ``flags`` of a request; the last: it was answered before it was accepted, so a clock was off."""
ESTIMATED, UNPRICED = 1, 2
"""Bits of ``flags`` of a call."""

PARTS = 10_000
"""Of a confidence or similarity of 1."""

_LARGEST = (1 << 63) - 1


class RequestRow(NamedTuple):
    """A row of ``requests``. ``at``: when it was answered, ms; ``total_ms``: since it was accepted; ``part`` and
    ``place``: its completion's; ``seen_part`` and ``seen_place``: its outcome's; ``seen``: how many there were."""

    id: Packed
    at: int
    tenant: int
    user: int
    conversation: Packed | None
    key: int | None
    task: int | None
    status: int
    error: int | None
    source: int
    tier: int | None
    model: int | None
    deployment: int | None
    attempts: int
    flags: int
    prompt: int
    completion: int
    cached: int
    cost: int
    saved: int
    confidence: int | None
    similarity: int | None
    cache: int | None
    compression: int | None
    redactions: bytes | None
    supersedes: int | None
    letter: str | None
    trace: bytes | None
    total_ms: int | None
    spans: bytes | None
    part: int
    place: int
    seen_part: int
    seen_place: int
    seen: int
    metadata: str | None

    @property
    def newest(self) -> tuple[int, int, int]:
        """Of two rows of one request the one with the greater counts."""
        return self.at, self.seen_place, self.seen_part


class CallRow(NamedTuple):
    """A row of ``calls``, as ``usage`` says: an attempt at which a provider was called, or a call that was avoided."""

    request: Packed
    attempt: Packed
    at: int
    tenant: int
    user: int
    purpose: int
    tier: int
    model: int
    deployment: int | None
    phase: int
    status: int
    error: int | None
    prompt: int
    completion: int
    cached: int
    written: int
    written_1h: int
    reasoning: int
    cost: int
    saved: int
    saved_tier: int
    saved_compression: int
    started: int
    took_ms: int | None
    flags: int
    price: int | None
    service_tier: int | None


OPEN, UNSETTLED, CLOSED = 1, 2, 3
"""Phases of a call: :func:`phase_of`."""


def sane(at_ms: int, stamped_ms: int) -> int:
    """A record's own time, or its stamp where that is more than a day away."""
    return at_ms if abs(at_ms - stamped_ms) < DAY_MS else stamped_ms


def request_row(outcome: Outcome, stamped_ms: int, part: int, place: int, names: Names) -> RequestRow:
    """What is kept of an outcome that lies at ``place`` of the partition ``part`` and was stamped then."""
    number, optional = names.number, names.optional
    at = sane(outcome.responded_at, stamped_ms)
    total = None if outcome.accepted_at <= 0 or at != outcome.responded_at else at - outcome.accepted_at
    off = total is not None and total < 0
    tenant = number(Kind.TENANT, outcome.tenant_id)
    flags = ESCALATED * outcome.escalated | DEGRADED * outcome.degraded | TIMES_OFF * off
    return RequestRow(
        packed_id(outcome.request_id),
        at,
        tenant,
        names.user(tenant, outcome.user_id),
        packed_id(outcome.conversation_id) if outcome.conversation_id else None,
        optional(Kind.KEY, outcome.key_id),
        optional(Kind.CODE, outcome.task),
        number(Kind.CODE, outcome.status.value),
        optional(Kind.CODE, outcome.error_code),
        number(Kind.CODE, outcome.source.value),
        optional(Kind.MODEL, outcome.tier),
        optional(Kind.MODEL, outcome.model),
        optional(Kind.MODEL, outcome.deployment),
        len(outcome.attempts),
        flags,
        max(0, outcome.prompt_tokens),
        max(0, outcome.completion_tokens),
        max(0, outcome.cached_prompt_tokens),
        outcome.cost_nanousd,
        outcome.saved_nanousd,
        parts(outcome.confidence),
        parts(outcome.similarity),
        optional(Kind.CODE, outcome.cache),
        optional(Kind.CODE, outcome.compression),
        _redactions(outcome, number) if outcome.redactions else None,
        optional(Kind.CODE, outcome.supersedes),
        outcome.replayed_letter or None,
        packed_hex(outcome.trace_id),
        None if total is None else max(0, total),
        spans.packed(outcome.spans, outcome.accepted_at, names),
        outcome.completions_partition,
        outcome.completions_offset,
        part,
        place,
        1,
        json.dumps(dict(outcome.metadata), ensure_ascii=False) if outcome.metadata else None,
    )


def accepted_at(row: RequestRow) -> int:
    """When the request was accepted, ms since the epoch; 0 where nobody knows."""
    return 0 if row.total_ms is None else row.at - row.total_ms


def parts(share: float | None) -> int | None:
    """A share of 1 in ten-thousandths; ``None`` of what is none."""
    return round(share * PARTS) if share is not None and -1.0 <= share <= 1.0 else None


def _redactions(outcome: Outcome, number: Callable[[int, str], int]) -> bytes:
    named = [(number(Kind.CODE, label), max(0, count)) for label, count in outcome.redactions.items()]
    return numbers(one for pair in named for one in pair)


def phase_of(status: UsageStatus) -> int:
    """How far an attempt is; a later phase replaces an earlier one, and of two closing entries the first counts."""
    return OPEN if status is UsageStatus.STARTED else UNSETTLED if status is UsageStatus.UNSETTLED else CLOSED


def call_row(entry: UsageEvent, phase: int, at: int, names: Names) -> CallRow:
    """What is kept of an entry of the ledger; ``at``: for when its attempt is booked."""
    number, optional = names.number, names.optional
    tenant = number(Kind.TENANT, entry.tenant_id)
    settled = entry.status is UsageStatus.SETTLED
    took = None if entry.finished_at is None else min(max(0, entry.finished_at - entry.started_at), _LARGEST)
    return CallRow(
        packed_id(entry.request_id),
        packed_id(entry.attempt_id),
        at,
        tenant,
        names.user(tenant, entry.user_id),
        number(Kind.CODE, entry.purpose.value),
        number(Kind.MODEL, entry.tier),
        number(Kind.MODEL, entry.model),
        optional(Kind.MODEL, entry.deployment),
        phase,
        number(Kind.CODE, entry.status.value),
        optional(Kind.CODE, entry.error_code),
        entry.prompt_tokens,
        entry.completion_tokens,
        entry.cached_prompt_tokens,
        entry.cache_write_tokens,
        entry.cache_write_1h_tokens,
        entry.reasoning_tokens,
        entry.cost_nanousd,
        entry.saved_nanousd,
        entry.saved_tier_nanousd,
        entry.saved_compression_nanousd,
        entry.started_at - at,
        took,
        ESTIMATED * entry.estimated | UNPRICED * (settled and not entry.priced),
        optional(Kind.MODEL, entry.price),
        None if entry.service_tier == "standard" else optional(Kind.CODE, entry.service_tier),
    )
