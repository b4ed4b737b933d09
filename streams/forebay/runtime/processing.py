"""What comes out of one record? Decode, handle, encode, or turn the failure into a retry or a dead letter.

Nothing here knows Kafka: bytes go in, bytes for named topics come out, whatever happens. That every record ends in at
least one delivered output or in a decision to drop it is what :mod:`forebay.runtime.stage` builds its promise on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any

import structlog

from forebay.avro.codec import UndecodableError
from forebay.avro.encoding import Encoding
from forebay.avro.registry import RegistryUnavailableError
from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Expired, Failure, Permanent, Rejected, Transient
from forebay.contract.handlers import Context, Output, Route
from forebay.contract.wire import Delivered, Encoded
from forebay.observability.metrics import StageMetrics
from forebay.privacy.sealing import SealError
from forebay.runtime.dead_letters import Incident, dead_letter, delay_s, retry_record
from forebay.runtime.fair_queue import FairQueue
from forebay.runtime.rules import Rules

log = structlog.get_logger(__name__)


class Processor:
    """Runs the handler of one route; :meth:`process` never raises but for cancellation.

    Args:
        deliver: publishes what a handler writes ahead.
        clock_ms: wall clock, injected so that tests can lie about it.
    """

    def __init__(
        self,
        route: Route,
        rules: Rules,
        metrics: StageMetrics,
        deliver: Callable[[Sequence[Encoded]], Awaitable[None]],
        clock_ms: Clock = now_ms,
    ) -> None:
        self._route = route
        self._rules = rules
        self._metrics = metrics
        self._deliver = deliver
        self._clock_ms = clock_ms
        self._encoding = Encoding(rules.codecs, rules.kafka)
        self._turns = None if route.turns is None else FairQueue(route.turns)
        self._decode = None if route.raw else rules.codecs[route.topic].decode

    async def process(self, source: Delivered) -> list[Encoded]:
        """Everything that has to be delivered before ``source`` may be acknowledged."""
        if self._is_retry_of_another_stage(source):
            return []
        context = Context(
            source=source,
            attempt=h.number(source.headers, h.ATTEMPT) or 1,
            accepted_at=h.number(source.headers, h.ORIGIN_TIMESTAMP) or source.timestamp_ms,
            write_ahead=partial(self._write_ahead, source),
        )
        started = time.perf_counter()
        record: Any = None
        try:
            record = self._read(source)
            self._check_deadline(record, context)
            async with self._turn(record):
                self._check_deadline(record, context)
                async with asyncio.timeout(self._rules.timeout_s):
                    outputs = await self._route.handle(record, context)
            if self._rules.departures is not None:
                self._rules.departures.enforce(outputs)
            return self._encoding.encode(outputs, source.headers)
        except Failure as failure:
            return self._failed(record, context, failure)
        except TimeoutError:
            return self._failed(record, context, self._timed_out())
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled us: something inside the handler was. The record would stand still for ever.
            return self._failed(
                record, context, Permanent("bug", "something that the handler waited for was cancelled")
            )
        except Exception as error:  # noqa: BLE001 - whatever a handler does, its record must end somewhere
            # The type only: an exception's text may quote the request.
            log.error(
                "handler_bug",
                stage=self._rules.stage,
                error=type(error).__name__,
                **_place(source),
                where=_innermost(error),
            )
            return self._failed(record, context, Permanent("bug", f"{type(error).__name__} in {_innermost(error)}"))
        finally:
            self._metrics.handled(self._route.topic, time.perf_counter() - started)

    def _turn(self, record: Any) -> AbstractAsyncContextManager[None]:
        if self._turns is None:
            return nullcontext()
        return self._turns.slot(getattr(record, "tenant_id", ""), getattr(record, "priority", 0))

    def _is_retry_of_another_stage(self, source: Delivered) -> bool:
        """Whether another consumer of the same topic asked for this retry.

        A producer that copies headers of ours into a fresh record must not silence it: a retry names its origin too.
        """
        stage = h.text(source.headers, h.RETRY_STAGE)
        if stage is None or stage == self._rules.stage or self._route.raw:
            return False
        return h.text(source.headers, h.ORIGIN_TOPIC) == source.topic

    async def _write_ahead(self, source: Delivered, outputs: Sequence[Output]) -> None:
        started = time.perf_counter()
        await self._deliver(self._encoding.encode(outputs, source.headers))
        self._metrics.written_ahead(time.perf_counter() - started)

    def _read(self, source: Delivered) -> Any:
        if self._decode is None:
            return source
        value = source.value
        if h.SEALED in source.headers:
            value = self._unseal(source)
        try:
            return self._decode(value)
        except UndecodableError as error:
            raise Permanent(error.code, str(error)) from None
        except RegistryUnavailableError as error:
            raise Transient("registry_unavailable", str(error)) from None

    def _unseal(self, source: Delivered) -> bytes:
        context = h.text(source.headers, h.SEALED) or ""
        if self._rules.keyring is None:
            raise Permanent("unreadable_seal", f"stage {self._rules.stage} has no vault key")
        try:
            return self._rules.keyring.open(source.value or b"", context)
        except SealError as error:
            raise Permanent("unreadable_seal", str(error)) from None

    def _timed_out(self) -> Transient:
        return Transient("handler_timeout", f"{self._rules.stage} took longer than {self._rules.timeout_s:g} s")

    def _failed(self, record: Any, context: Context, failure: Failure) -> list[Encoded]:
        """Outputs for a failure; a failure of the failure handling itself still ends in a dead letter."""
        try:
            return self._outputs_of_failure(record, context, failure)
        except Exception as error:  # noqa: BLE001 - as above
            log.error(
                "failure_handler_bug",
                stage=self._rules.stage,
                error=type(error).__name__,
                **_place(context.source),
                where=_innermost(error),
            )
            return self._dead_letter(context, failure, record)

    def _outputs_of_failure(self, record: Any, context: Context, failure: Failure) -> list[Encoded]:
        source, rules = context.source, self._rules
        if isinstance(failure, Transient) and context.attempt < rules.max_attempts:
            due_at = self._clock_ms() + round(1000 * delay_s(failure, context.attempt, rules.retry.delays_s))
            deadline = deadline_of(record, context)
            if deadline is None or due_at < deadline:
                self._metrics.retried(self._route.topic, failure.code)
                return [retry_record(source, failure, self._incident(context, record), due_at, rules)]
            failure = _given_up(failure, Expired("deadline_exceeded", f"no time for another try after {failure.code}"))
        elif isinstance(failure, Transient):
            tried = f"{context.attempt} attempts, the last: {failure.code}: {failure.message}"
            failure = _given_up(failure, Permanent("retries_exhausted", tried))
        self._metrics.failed(self._route.topic, failure.code)
        log.warning(
            "record_failed",
            stage=rules.stage,
            code=failure.code,
            message=failure.message,
            attempt=context.attempt,
            **_place(source),
        )
        terminal = self._encoding.encode(self._route.on_failure(record, context, failure), source.headers)
        if isinstance(failure, Rejected | Expired):
            return terminal
        return [*terminal, *self._dead_letter(context, failure, record)]

    def _dead_letter(self, context: Context, failure: Failure, record: Any) -> list[Encoded]:
        self._metrics.dead_lettered(self._route.topic, failure.code)
        letter = dead_letter(context.source, failure, self._incident(context, record), self._rules)
        return [self._rules.departures.letter(letter) if self._rules.departures is not None else letter]

    def _incident(self, context: Context, record: Any) -> Incident:
        return Incident(
            stage=self._rules.stage,
            attempt=context.attempt,
            now_ms=self._clock_ms(),
            request_id=getattr(record, "request_id", None) or context.fallback_id,
            tenant_id=getattr(record, "tenant_id", None),
        )

    def _check_deadline(self, record: Any, context: Context) -> None:
        deadline = deadline_of(record, context)
        if deadline is not None and self._clock_ms() >= deadline:
            raise Expired("deadline_exceeded", f"the deadline passed before stage {self._rules.stage}")


def deadline_of(record: Any, context: Context) -> int | None:
    """When ``record`` stops being of use, in ms since the epoch; ``None`` for records without ``deadline_ms``."""
    allowed: int | None = getattr(record, "deadline_ms", None)
    if allowed is None:
        return None
    replayed_at = h.number(context.source.headers, h.REPLAYED_AT)
    return (replayed_at or getattr(record, "accepted_at", 0) or context.accepted_at) + allowed


def _given_up(failure: Transient, final: Failure) -> Failure:
    """``final`` in place of ``failure``, with what the last try left to be known (its cost)."""
    final.carry |= failure.carry
    return final


def _place(source: Delivered) -> dict[str, Any]:
    return {"topic": source.topic, "partition": source.partition, "offset": source.offset}


def _innermost(error: BaseException) -> str:
    trace = error.__traceback__
    if trace is None:
        return "?"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
