"""How does a record end that did not succeed? In a retry, in an answer, in a dead letter; always in something.

Each step that could fail has one behind it that needs less: without a terminal output as the handler would make it, one
as for a record that cannot be read; without the record's bytes, a dead letter of a few headers.
"""

from dataclasses import replace
from typing import Any

import structlog

from forebay.avro.encoding import Encoding, fits, message_limit, record_limit
from forebay.contract import headers as h
from forebay.contract.clock import Clock
from forebay.contract.failures import Expired, Failure, Permanent, Rejected, Transient
from forebay.contract.handlers import Context, Route
from forebay.contract.records.addressed import Addressed, Handled, addressed
from forebay.contract.wire import Delivered, Encoded, Unread
from forebay.observability.metrics import StageMetrics
from forebay.observability.spans import Span, added
from forebay.runtime.dead_letters import DLQ, Incident, bare_letter, dead_letter, delay_s, retry_record
from forebay.runtime.rules import Rules

log = structlog.get_logger(__name__)


class Endings:
    """Outputs of the failures of one route."""

    def __init__(self, route: Route, rules: Rules, metrics: StageMetrics, encoding: Encoding, clock_ms: Clock) -> None:
        self._route = route
        self._rules = rules
        self._metrics = metrics
        self._encoding = encoding
        self._clock_ms = clock_ms

    def failed(self, record: Handled, context: Context, failure: Failure, span: Span | None = None) -> list[Encoded]:
        """Outputs for a failure; ``record`` is ``None`` if it could not be read; ``span``: what the stage did."""
        try:
            return self._outputs(record, context, failure, span)
        except Exception as error:  # noqa: BLE001 - a failure of the failure handling itself still ends somewhere
            self._log_bug("failure_handler_bug", context.source, error)
            return [*self._answer_at_least(context, failure), *self._dead_letter(context, failure, record)]

    def bare(self, context: Context, failure: Failure, without: str, record: Handled = None) -> list[Encoded]:
        """A dead letter without bytes; ``without`` says why (:data:`forebay.contract.headers.WITHOUT_BYTES`)."""
        self._metrics.dead_lettered(self._route.topic, failure.code)
        incident = self._incident(context, record)
        return [bare_letter(context.source, failure, incident, self._rules, without=without)]

    def forged(self, context: Context) -> list[Encoded]:
        """What is made of a record that nobody sent back: a dead letter. It answers nobody: who would be told?"""
        failure = Permanent("forged_retry", "it says that it comes back, and no stage and no operator sent it")
        self._fail(context, failure)
        return self._dead_letter(context, failure, None)

    def _outputs(self, record: Handled, context: Context, failure: Failure, span: Span | None) -> list[Encoded]:
        source, rules = context.source, self._rules
        if isinstance(failure, Transient) and context.attempt < rules.max_attempts:
            due_at = self._clock_ms() + round(1000 * delay_s(failure, context.attempt, rules.retry.delays_s))
            deadline = deadline_of(addressed(record), context)
            if deadline is None or due_at < deadline:
                self._metrics.retried(self._route.topic, failure.code)
                source = _told(source, span, f"retry:{failure.code}")
                return [retry_record(source, failure, self._incident(context, record), due_at, rules)]
            failure = _given_up(failure, Expired("deadline_exceeded", f"no time for another try after {failure.code}"))
        elif isinstance(failure, Transient):
            tried = f"{context.attempt} attempts, the last: {failure.code}: {failure.message}"
            failure = _given_up(failure, Permanent("retries_exhausted", tried))
        self._fail(context, failure)
        context = replace(context, source=_told(source, span, failure.code))
        terminal = self._encoding.encode(self._route.on_failure(record, context, failure), context.source.headers)
        if isinstance(failure, Rejected | Expired):
            return terminal
        return [*terminal, *self._dead_letter(context, failure, record)]

    def _fail(self, context: Context, failure: Failure) -> None:
        self._metrics.failed(self._route.topic, failure.code)
        log.warning(
            "record_failed",
            stage=self._rules.stage,
            code=failure.code,
            message=failure.message,
            attempt=context.attempt,
            **place(context.source),
        )

    def _answer_at_least(self, context: Context, failure: Failure) -> list[Encoded]:
        """The terminal outputs as for a record that cannot be read, if those can be made: somebody may wait."""
        try:
            return self._encoding.encode(self._route.on_failure(None, context, failure), context.source.headers)
        except Exception:  # noqa: BLE001 - then the dead letter goes out without an answer
            return []

    def _dead_letter(self, context: Context, failure: Failure, record: Handled) -> list[Encoded]:
        source, rules = context.source, self._rules
        if isinstance(source.value, Unread):
            return self.bare(context, failure, "unreadable", record)
        if len(source.value or b"") > record_limit(DLQ, rules.kafka):  # not even looked at: that would take long
            return self.bare(context, failure, "too_large", record)
        try:
            letter = dead_letter(source, failure, self._incident(context, record), rules)
            if rules.departures is not None:
                letter = rules.departures.letter(letter)
        except Exception as error:  # noqa: BLE001 - no key to seal with, headers that are no text, and what else
            self._log_bug("dead_letter_not_sealable", source, error)
            return self.bare(context, failure, "not_sealable", record)
        if not fits(letter, message_limit(letter.topic, rules.kafka)):
            return self.bare(context, failure, "too_large", record)
        self._metrics.dead_lettered(self._route.topic, failure.code)
        return [letter]

    def _incident(self, context: Context, record: Handled) -> Incident:
        address = addressed(record)
        return Incident(
            stage=self._rules.stage,
            attempt=context.attempt,
            now_ms=self._clock_ms(),
            request_id=address.request_id or context.fallback_id,
            tenant_id=address.tenant_id if context.tenant_id is None else context.tenant_id,
        )

    def _log_bug(self, event: str, source: Delivered, error: Exception) -> None:
        kind, where = type(error).__name__, innermost(error)
        log.error(event, stage=self._rules.stage, error=kind, **place(source), where=where)


def deadline_of(address: Addressed, context: Context) -> int | None:
    """When a record stops being of use, in ms since the epoch; ``None`` for records without ``deadline_ms``."""
    if address.deadline_ms is None:
        return None
    replayed_at = h.number(context.source.headers, h.REPLAYED_AT)
    return (replayed_at or address.accepted_at or context.accepted_at) + address.deadline_ms


def place(source: Delivered) -> dict[str, Any]:
    """Where a record is, for a line of the log."""
    return {"topic": source.topic, "partition": source.partition, "offset": source.offset}


def innermost(error: BaseException) -> str:
    """Function and line where ``error`` was raised."""
    trace = error.__traceback__
    if trace is None:
        return "?"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"


def _told(source: Delivered, span: Span | None, outcome: str) -> Delivered:
    """``source`` with what the stage did to it, which goes on with whatever is made of it."""
    if span is None:
        return source
    entry = replace(span, outcome=outcome)
    return replace(source, headers={**source.headers, h.SPANS: added(source.headers.get(h.SPANS, b""), entry)})


def _given_up(failure: Transient, final: Failure) -> Failure:
    """``final`` in place of ``failure``, with what the last try left to be known (its cost)."""
    final.carry |= failure.carry
    return final
