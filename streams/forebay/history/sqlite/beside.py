"""What is kept of records about requests: money, verdicts, alerts, letters, and what people did?

Codes, ids and numbers. Of a letter the headers that say why, never a byte of it; of a correction or an act who and
what, neither its answer nor its reason; of a verdict the scores. An alert's words are Forebay's own, made for pagers.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from forebay.contract import headers as h
from forebay.contract.records import Alert, AlertState, AuditEvent, Correction, DeadLetterState, Evaluation, Spend
from forebay.history.packing import packed_hex, packed_id
from forebay.history.sqlite import schema
from forebay.history.sqlite.names import Kind, Names
from forebay.history.sqlite.rows import parts, sane
from forebay.kafka.decoding import ReadRecord

_LONGEST = 500
"""Characters of an alert's words."""
_LARGEST_PART = 1 << 31


def _spend(record: ReadRecord, row: Spend, names: Names) -> tuple[Any, ...]:
    tenant = names.number(Kind.TENANT, row.tenant_id)
    return (
        row.window.value,
        row.window_start,
        tenant,
        names.user(tenant, row.user_id),
        names.number(Kind.MODEL, row.model),
        names.number(Kind.MODEL, row.tier),
        names.number(Kind.CODE, row.purpose),
        row.calls,
        row.failed,
        row.avoided,
        row.prompt_tokens,
        row.completion_tokens,
        row.cost_nanousd,
        row.pending_nanousd,
        row.saved_nanousd,
        row.cached_prompt_tokens,
        row.cache_write_tokens,
        row.cache_write_1h_tokens,
        row.reasoning_tokens,
        row.unpriced_calls,
        row.saved_tier_nanousd,
        row.saved_compression_nanousd,
        row.updated_at,
        row.revision,
    )


def _evaluation(record: ReadRecord, one: Evaluation, names: Names) -> tuple[Any, ...]:
    return (
        packed_id(one.request_id),
        packed_id(one.evaluation_id),
        sane(one.created_at, record.source.timestamp_ms),
        names.number(Kind.TENANT, one.tenant_id),
        names.optional(Kind.CODE, one.task),
        names.optional(Kind.MODEL, one.tier),
        names.optional(Kind.MODEL, one.model),
        names.number(Kind.CODE, one.source.value),
        names.optional(Kind.MODEL, one.judge_model),
        names.optional(Kind.CODE, one.rubric),
        round(100 * one.score),
        round(100 * one.rolling_mean),
        parts(one.sample_rate),
        one.cost_nanousd,
    )


def _alert(record: ReadRecord, one: Alert, names: Names) -> tuple[Any, ...]:
    texts = [text[:_LONGEST] for text in (one.subject, one.summary, one.message, one.action)]
    return (
        packed_hex(one.fingerprint) or one.fingerprint[:_LONGEST],
        one.starts_at or one.created_at,
        sane(one.created_at, record.source.timestamp_ms),
        names.number(Kind.CODE, one.kind),
        names.number(Kind.CODE, one.severity.value),
        names.optional(Kind.TENANT, one.tenant_id),
        *texts,
        one.value,
        one.threshold,
        one.state.value,
        one.ends_at,
    )


def _letter(record: ReadRecord, _value: Any, names: Names) -> tuple[Any, ...]:
    source = record.source

    def text(name: str) -> str | None:
        return h.text(source.headers, name)

    request = text("forebay-dlq-request-id")
    failed_at = h.number(source.headers, "forebay-dlq-failed-at") or source.timestamp_ms
    return (
        source.partition,
        source.offset,
        sane(failed_at, source.timestamp_ms),
        names.optional(Kind.STAGE, text("forebay-dlq-stage")),
        names.optional(Kind.CODE, text("forebay-dlq-code")),
        names.optional(Kind.CODE, text("forebay-dlq-class")),
        names.optional(Kind.CODE, text(h.ORIGIN_TOPIC)),
        h.number(source.headers, h.ORIGIN_PARTITION, high=_LARGEST_PART),
        h.number(source.headers, h.ORIGIN_OFFSET),
        packed_id(request) if request else None,
        names.optional(Kind.TENANT, text("forebay-dlq-tenant")),
        h.number(source.headers, "forebay-dlq-attempts", high=_LARGEST_PART),
        len(source.value or b""),
    )


def _state(record: ReadRecord, one: DeadLetterState, names: Names) -> tuple[Any, ...] | None:
    part, _, place = one.dead_letter_id.partition("-")
    if not (part.isdecimal() and place.isdecimal() and len(part) < 10 and len(place) < 19):
        return None  # no letter has such an id
    at = sane(one.at, record.source.timestamp_ms)
    action, by = names.number(Kind.CODE, one.action.value), names.optional(Kind.PERSON, one.by)
    return int(part), int(place), at, action, at, by, one.replay_id and one.replay_id[:_LONGEST]


def _audit(record: ReadRecord, one: AuditEvent, names: Names) -> tuple[Any, ...]:
    by = names.optional(Kind.PERSON, one.by)
    at = sane(one.at, record.source.timestamp_ms)
    return at, packed_id(one.audit_id), names.number(Kind.CODE, one.action), by, one.subject[:_LONGEST], one.count


def _correction(record: ReadRecord, one: Correction, names: Names) -> tuple[Any, ...]:
    return (
        packed_id(one.request_id),
        packed_id(one.correction_id),
        sane(one.created_at, record.source.timestamp_ms),
        names.number(Kind.TENANT, one.tenant_id),
        names.number(Kind.CODE, one.action.value),
        names.optional(Kind.PERSON, one.reviewer),
        packed_id(one.review_id) if one.review_id else None,
    )


def _marks(count: int) -> str:
    return ", ".join("?" * count)


_LETTER = (
    *("part", "place", "at", "stage", "code", "class", "topic", "from_part", "from_place", "request", "tenant"),
    *("tries", "size"),
)
_DONE = ("state", "state_at", "by", "replay")
_SPEND = (*schema.SPEND_KEY, *schema.SPEND)

Row = Callable[[ReadRecord, Any, Names], tuple[Any, ...] | None]

_OF: Mapping[str, tuple[type | None, Row, str]] = {
    "spend": (
        Spend,
        _spend,
        (
            f"INSERT INTO spend ({', '.join(_SPEND)}) VALUES ({_marks(len(_SPEND))}) "
            f"ON CONFLICT ({', '.join(schema.SPEND_KEY)}) DO UPDATE SET "
            f"{', '.join(f'{c} = excluded.{c}' for c in schema.SPEND)} WHERE excluded.revision >= revision"
        ),
    ),
    "evaluations": (Evaluation, _evaluation, f"REPLACE INTO evaluations VALUES ({_marks(14)})"),
    "alerts": (
        Alert,
        _alert,
        (
            f"INSERT INTO alerts VALUES ({_marks(14)}) ON CONFLICT (fingerprint, starts_at) DO UPDATE SET "
            "at = excluded.at, severity = excluded.severity, subject = excluded.subject, summary = excluded.summary, "
            "message = excluded.message, action = excluded.action, value = excluded.value, "
            "threshold = excluded.threshold, state = excluded.state, ends_at = excluded.ends_at WHERE excluded.at >= at"
        ),
    ),
    "dlq": (
        None,
        _letter,
        (
            f"INSERT INTO letters ({', '.join(_LETTER)}) VALUES ({_marks(len(_LETTER))}) "
            f"ON CONFLICT (part, place) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _LETTER[2:])}"
        ),
    ),
    "dlq.state": (
        DeadLetterState,
        _state,
        (
            f"INSERT INTO letters (part, place, at, {', '.join(_DONE)}) VALUES ({_marks(7)}) "
            f"ON CONFLICT (part, place) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _DONE)} "
            "WHERE state_at IS NULL OR excluded.state_at >= state_at"
        ),
    ),
    "audit": (AuditEvent, _audit, f"REPLACE INTO audit VALUES ({_marks(6)})"),
    "corrections": (Correction, _correction, f"REPLACE INTO corrections VALUES ({_marks(7)})"),
}


def take(database: sqlite3.Connection, names: Names, topic: str, records: Iterable[ReadRecord]) -> None:
    """Take records of one topic in, within the transaction that is open."""
    kind, row_of, statement = _OF[topic]
    rows = [
        row
        for record in records
        if (kind is None or isinstance(record.value, kind)) and (row := row_of(record, record.value, names)) is not None
    ]
    database.executemany(statement, rows)
    if topic == "alerts":
        ended = [(row[2], row[13], row[0], row[1]) for row in rows if row[12] == AlertState.RESOLVED.value]
        database.executemany(
            "UPDATE alerts SET at = ?, state = 'resolved', ends_at = ? "
            "WHERE fingerprint = ? AND starts_at <= ? AND state = 'firing'",
            ended,
        )
