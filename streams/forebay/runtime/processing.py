"""What comes out of one record? Decode, handle, encode, or turn the failure into a retry or a dead letter.

Nothing here knows Kafka: bytes go in, bytes for named topics come out, whatever happens. That every record ends in at
least one delivered output or in a decision to drop it is what :mod:`forebay.runtime.stage` builds its promise on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import structlog

from forebay.avro.codec import UndecodableError
from forebay.avro.encoding import Encoding
from forebay.avro.registry import RegistryUnavailableError
from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Expired, Failure, Held, Permanent, Transient
from forebay.contract.handlers import Context, Output, Route, Urgency
from forebay.contract.records import Feedback, Request
from forebay.contract.records.addressed import Addressed, Handled, addressed
from forebay.contract.topics import topic_named
from forebay.contract.wire import Delivered, Encoded, Unread
from forebay.kafka.producer import RefusedError
from forebay.observability.metrics import StageMetrics
from forebay.observability.spans import Span
from forebay.privacy.sealing import SealError
from forebay.runtime.dead_letters import DLQ
from forebay.runtime.endings import Endings, deadline_of, innermost, place
from forebay.runtime.fair_queue import FairQueue
from forebay.runtime.flight_recorder import DEADLY
from forebay.runtime.ingress import Ingress, Standing
from forebay.runtime.reading.stepping import go_on
from forebay.runtime.rules import Rules
from forebay.tracing.tracer import traced

log = structlog.get_logger(__name__)

_TOLD = (Request, Feedback)
"""What applications write."""
_OF_A_REQUEST = frozenset({"requests", "requests.redacted", "requests.uncached", "completions"})
"""Topics on which a request is on its way, and so tells where its time went."""
_HOLD_S = 1.0
"""Between two tries of a held record: with 64 in flight, 64 refused commands a second ask whether there is room."""


def queue_of(route: Route) -> FairQueue | None:
    """In which tenants take turns, if the route says so."""
    return None if route.turns is None else FairQueue(route.turns)


class Processor:
    """Runs the handler of one route; :meth:`process` never raises but for cancellation.

    Args:
        deliver: publishes what a handler writes ahead.
        clock_ms: wall clock, injected so that tests can lie about it.
        sleep: waits, in seconds.
        turns: shared by the routes of one kind: each tenant's own topic; by default the route's own.
        hint: publishes what may be lost; by default it is.
    """

    def __init__(
        self,
        route: Route,
        rules: Rules,
        metrics: StageMetrics,
        deliver: Callable[[Sequence[Encoded]], Awaitable[None]],
        clock_ms: Clock = now_ms,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        turns: FairQueue | None = None,
        hint: Callable[[Sequence[Encoded]], None] | None = None,
    ) -> None:
        self._publish_hints = hint
        self._sleep = sleep
        self._route = route
        self._rules = rules
        self._metrics = metrics
        self._deliver = deliver
        self._clock_ms = clock_ms
        self._encoding = Encoding(rules.codecs, rules.kafka)
        self._ingress = Ingress(route, rules, metrics, clock_ms, sleep)
        self._endings = Endings(route, rules, metrics, self._encoding, clock_ms)
        self._turns = turns if turns is not None else queue_of(route)
        topic = topic_named(route.topic)
        self._decode = None if route.raw else rules.codecs[topic.kind if topic else route.topic].decode
        self._outside = topic is not None and topic.outside and not route.raw
        self._of_a_request = topic is not None and topic.kind in _OF_A_REQUEST

    async def process(self, source: Delivered) -> list[Encoded]:
        """Everything that has to be delivered before ``source`` may be acknowledged."""
        tracer = self._rules.tracer if self._of_a_request else None
        try:
            if tracer is None:
                return await self._process(source)
            return await traced(tracer, self._rules.stage, source, self._process)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the stage: it would at each start
            failure = self._bug("processing_bug", source, error)
            return self._endings.bare(self._context(self._believed(source)), failure, "not_sealable")

    def instead(self, source: Delivered, refused: RefusedError, *, again: bool) -> list[Encoded]:
        """What is delivered in place of outputs of which one was refused; ``again``: these were in place of others."""
        log.warning(
            "output_refused", stage=self._rules.stage, output=refused.output.topic, why=refused.why, **place(source)
        )
        source = self._believed(source)
        context = self._context(source)
        failure = Permanent("output_too_large", f"{refused.why}: an output for {refused.output.topic}")
        if refused.output.topic == DLQ:
            code = h.text(dict(refused.output.headers), "forebay-dlq-code")
            return self._endings.bare(context, Permanent(code or failure.code, failure.message), "refused")
        if again:
            return self._endings.bare(context, failure, "refused")
        try:
            record = self._read(source)
        except Failure:
            record = None
        return self._endings.failed(record, context, failure)

    def ended_worker(self, source: Delivered, times: int) -> list[Encoded]:
        """Outputs of a record that ended its worker so many times: it is not even decoded, nor, once more, sealed."""
        source = self._believed(source)
        failure = Permanent("ended_worker", f"{times} workers ended while its code was running")
        log.error("record_passed", stage=self._rules.stage, code=failure.code, times=times, **place(source))
        if times > DEADLY:
            return self._endings.bare(self._context(source), failure, "unreadable")
        return self._endings.failed(None, self._context(source), failure)

    def _believed(self, source: Delivered) -> Delivered:
        try:
            return self._ingress.admit(source).source
        except Exception:  # noqa: BLE001 - a fault of ours must not end the stage, and nothing is believed then
            return replace(source, headers={})

    async def _process(self, source: Delivered) -> list[Encoded]:
        admitted = self._ingress.admit(source)
        source, standing = admitted.source, admitted.standing
        if standing is Standing.OTHERS:
            return []
        context = self._context(source)
        if standing is Standing.FORGED or (standing is Standing.REPLAY and not await self._ingress.is_first(source)):
            return self._endings.forged(context)
        started = time.perf_counter()
        record: Handled = None
        try:
            record = self._read(source)
            if self._outside and isinstance(record, _TOLD):
                record = self._rules.tenants.own(record, context.tenant_id)
            outputs = await self._handle(record, context)
            await self._checked(outputs)
            return self._encoding.encode(outputs, source.headers, self._span(context, started))
        except Failure as failure:
            return self._failed(record, context, failure, started)
        except TimeoutError:
            return self._failed(record, context, self._timed_out(), started)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled us: something inside the handler was. The record would stand still for ever.
            cancelled = Permanent("bug", "something that the handler waited for was cancelled")
            return self._failed(record, context, cancelled, started)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a handler does, its record must end somewhere
            return self._failed(record, context, self._bug("handler_bug", source, error), started)
        finally:
            self._metrics.handled(self._route.topic, time.perf_counter() - started)

    def _failed(self, record: Handled, context: Context, failure: Failure, started: float) -> list[Encoded]:
        return self._endings.failed(record, context, failure, self._span(context, started))

    def _span(self, context: Context, started: float) -> Span | None:
        """What this stage did with a record of a request; nobody asks it of others."""
        if not self._of_a_request:
            return None
        return context.span(self._rules.stage, time.perf_counter() - started)

    async def _handle(self, record: Handled, context: Context) -> Sequence[Output]:
        address = addressed(record)
        while True:
            self._check_deadline(address, context)
            try:
                if self._turns is None:
                    return await self._timed(record, context)
                async with self._turns.slot(address.tenant_id or "", address.priority):
                    self._check_deadline(address, context)
                    return await self._timed(record, context)
            except Held as held:
                self._metrics.held(self._route.topic, held.code)
            await self._sleep(_HOLD_S)

    async def _timed(self, record: Handled, context: Context) -> Sequence[Output]:
        work = self._route.handle(record, context)
        if not asyncio.iscoroutine(work):
            async with asyncio.timeout(self._rules.timeout_s):
                return await work
        try:
            waiting_for = work.send(None)
        except StopIteration as end:  # it never waited, so nothing could have ended it: a timer is 7 µs for nothing
            return cast("Sequence[Output]", end.value)
        async with asyncio.timeout(self._rules.timeout_s):
            return cast("Sequence[Output]", await go_on(work, waiting_for))

    def _bug(self, event: str, source: Delivered, error: BaseException) -> Permanent:
        # The type only: an exception's text may quote the request.
        kind, where = type(error).__name__, innermost(error)
        log.error(event, stage=self._rules.stage, error=kind, **place(source), where=where)
        return Permanent("bug", f"{kind} in {where}")

    def _context(self, source: Delivered) -> Context:
        # Where a topic's timestamps are its producers', one may be of any time; it was not accepted later than now.
        now = self._clock_ms()
        headers = source.headers
        accepted_at = min((headers and h.number(headers, h.ORIGIN_TIMESTAMP)) or source.timestamp_ms, now)
        return Context(
            source=source,
            attempt=(headers and h.number(headers, h.ATTEMPT)) or 1,
            accepted_at=accepted_at if accepted_at > 0 else now,
            taken_at=now,
            write_ahead=partial(self._write_ahead, source),
            tenant_id=self._rules.tenants.proved(source.headers) if self._outside else None,
            hint=self._hint,
        )

    async def _write_ahead(self, source: Delivered, outputs: Sequence[Output]) -> None:
        started = time.perf_counter()
        await self._checked(outputs)
        try:
            await self._deliver(self._encoding.encode(outputs, source.headers))
        except RefusedError as refused:
            raise Permanent("output_too_large", f"{refused.why}: written ahead for {refused.output.topic}") from None
        self._metrics.written_ahead(time.perf_counter() - started)

    def _hint(self, outputs: Sequence[Output]) -> None:
        if self._publish_hints is None:
            return
        try:
            hints = self._encoding.hints(outputs)
        except Permanent:
            self._metrics.hints_lost("invalid", len(outputs))
        else:
            self._publish_hints(hints)

    async def _checked(self, outputs: Sequence[Output]) -> None:
        if self._rules.departures is not None:
            await self._rules.departures.enforce_aside(outputs)

    def _read(self, source: Delivered) -> Any:
        if isinstance(source.value, Unread):
            raise Permanent(source.value.code, source.value.message)
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

    def _check_deadline(self, address: Addressed, context: Context) -> None:
        deadline = deadline_of(address, context)
        if deadline is None:
            return
        now = self._clock_ms()
        if now >= deadline:
            raise Expired("deadline_exceeded", f"the deadline passed before stage {self._rules.stage}")
        if self._route.in_time is not None:
            waited_ms = max(0, now - context.source.timestamp_ms)
            self._route.in_time(Urgency(waited_ms=waited_ms, left_ms=deadline - now))
