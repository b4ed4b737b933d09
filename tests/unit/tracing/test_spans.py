"""A request's spans reach a collector with real parents, say nothing of what it says, and hold nobody up."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import CollectorRegistry

from forebay.contract import headers as h
from forebay.contract.failures import Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.records import CallPurpose, Message, RedactedRequest, UsageEvent
from forebay.contract.wire import Delivered, Encoded
from forebay.settings import ConfigurationError, load
from forebay.testing import codecs, delivered
from forebay.tracing.metrics import TracingMetrics
from forebay.tracing.opening import open_tracer
from forebay.tracing.otlp import OtlpTracer
from forebay.tracing.settings import TracingSettings
from forebay.tracing.tracer import current
from forebay.tracing.waiting import Waiting
from tests.unit.runtime.bench import processor

TRACE, PARENT = "a" * 32, "c" * 16
SAID = "Is Ann Kowalski's card 4111 1111 1111 1111 blocked?"
REQUEST = RedactedRequest(request_id="r-1", tenant_id="acme", messages=(Message(content=SAID),))
VALUE = codecs()["requests.redacted"].encode(REQUEST)


@dataclass
class Collector:
    """What came, and how it behaves."""

    url: str = ""
    spans: list[Any] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    bodies: list[bytes] = field(default_factory=list)
    hangs: bool = False

    async def take(self, request: web.Request) -> web.Response:
        if self.hangs:
            await asyncio.sleep(60)
        body = await request.read()
        self.bodies.append(body)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {one.key: one.value.string_value for one in group.resource.attributes}
            self.services.add(names["service.name"])
            self.spans += [span for scope in group.scope_spans for span in scope.spans]
        return web.Response()

    def named(self, name: str) -> Any:
        [found] = [span for span in self.spans if span.name == name]
        return found


@asynccontextmanager
async def collecting(**behaviour: Any) -> AsyncIterator[Collector]:
    collector = Collector(**behaviour)
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()


def tracer_to(collector: Collector, service: str, **fields: Any) -> tuple[OtlpTracer, CollectorRegistry]:
    registry = CollectorRegistry()
    settings = TracingSettings(otlp_url=collector.url, timeout_s=0.5, **fields)
    return OtlpTracer(settings, service, TracingMetrics(registry)), registry


def counted(registry: CollectorRegistry, outcome: str) -> float:
    return registry.get_sample_value("forebay_trace_spans_total", {"outcome": outcome}) or 0.0


def handed_on(topic: str) -> Any:
    async def handle(request: RedactedRequest, _context: Context) -> Sequence[Output]:
        return [Output(topic=topic, key=request.request_id, value=request)]

    return handle


async def called(request: RedactedRequest, _context: Context) -> Sequence[Output]:
    entry = UsageEvent(
        attempt_id="0190a5f2-4111-7111-8111-111111111111", request_id="r-1", tier="small", model="openai/sim-small",
        deployment="small-1", purpose=CallPurpose.COMPLETION, prompt_tokens=12, completion_tokens=7,
        cost_nanousd=1_500, error_code="provider_timeout",
    )  # fmt: skip
    work = current()
    assert work is not None
    work.called(entry, 0.25, 0.1)
    raise Transient("provider_timeout", "the model did not answer")


def record(topic: str, output: Encoded | None = None) -> Delivered:
    headers = dict(output.headers) if output else {h.TRACEPARENT: f"00-{TRACE}-{PARENT}-01".encode()}
    return delivered(topic, VALUE, key=b"r-1", headers=headers | {h.REQUEST_ID: b"r-1"})


async def sent(tracer: OtlpTracer) -> None:
    await asyncio.to_thread(tracer.close)


async def test_each_stage_is_the_child_of_the_one_before_and_a_call_of_its_stage() -> None:
    async with collecting() as collector:
        tracer, registry = tracer_to(collector, "cache-completion")
        first = processor(handed_on("requests.uncached"), stage="cache", tracer=tracer)
        [output] = await first.process(record("requests.redacted"))
        then = processor(called, topic="requests.uncached", stage="completion", tracer=tracer)
        [again] = await then.process(record("requests.uncached", output))
        await sent(tracer)
    cache, completion = (collector.named(f"process requests.{name}") for name in ("redacted", "uncached"))
    call = collector.named("chat openai/sim-small")
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert cache.parent_span_id.hex() == PARENT
    assert completion.parent_span_id == cache.span_id
    assert call.parent_span_id == completion.span_id
    assert dict(again.headers)[h.TRACEPARENT].decode().split("-")[2] == completion.span_id.hex()
    assert completion.status.message == "provider_timeout"
    assert not cache.status.message
    told = {one.key: one.value for one in call.attributes}
    assert told["gen_ai.request.model"].string_value == "sim-small"
    assert told["gen_ai.usage.output_tokens"].int_value == 7
    assert told["forebay.first_token_ms"].int_value == 100
    assert call.end_time_unix_nano - call.start_time_unix_nano == 250_000_000
    assert collector.services == {"forebay-cache-completion"}
    assert counted(registry, "sent") == 3


async def test_nothing_that_anybody_says_is_in_it() -> None:
    async with collecting() as collector:
        tracer, _ = tracer_to(collector, "cache")
        odd = {h.TRACEPARENT: b"Ann Kowalski", h.REQUEST_ID: b"ann@example.com wants it"}
        stage = processor(handed_on("requests.uncached"), stage="cache", tracer=tracer)
        [output] = await stage.process(delivered("requests.redacted", VALUE, key=b"r-1", headers=odd))
        await sent(tracer)
    assert len(collector.spans) == 1
    assert not collector.spans[0].parent_span_id
    assert len(dict(output.headers)[h.TRACEPARENT]) == len(f"00-{TRACE}-{PARENT}-01")
    for body in collector.bodies:
        assert not [word for word in (b"Kowalski", b"4111 1111", b"ann@example") if word in body]


async def test_a_collector_that_hangs_holds_nobody_up_and_what_is_dropped_is_counted() -> None:
    async with collecting(hangs=True) as collector:
        tracer, registry = tracer_to(collector, "cache", queue=64)
        stage = processor(handed_on("requests.uncached"), stage="cache", tracer=tracer)
        for _ in range(1_000):
            assert await stage.process(record("requests.redacted"))
        await sent(tracer)
    assert not collector.spans
    assert counted(registry, "dropped") > 0
    assert counted(registry, "sent") == 0


async def test_what_the_producer_does_not_want_traced_is_not_but_its_trace_goes_on() -> None:
    async with collecting() as collector:
        tracer, _ = tracer_to(collector, "cache")
        stage = processor(handed_on("requests.uncached"), stage="cache", tracer=tracer)
        given = {h.TRACEPARENT: f"00-{TRACE}-{PARENT}-00".encode()}
        [output] = await stage.process(delivered("requests.redacted", VALUE, key=b"r-1", headers=given))
        await sent(tracer)
    assert not collector.spans
    version, trace, _, flags = dict(output.headers)[h.TRACEPARENT].decode().split("-")
    assert (version, trace, flags) == ("00", TRACE, "00")


def test_what_an_exporter_raises_ends_nothing() -> None:
    told: list[tuple[str, int]] = []
    sends: list[int] = []

    def send(batch: Sequence[int]) -> bool:
        sends.extend(batch)
        if len(sends) == 1:
            raise OSError("gone")
        return True

    waiting = Waiting(64, send, lambda outcome, count: told.append((outcome, count)))
    waiting.put(1)
    while not told:
        time.sleep(0.01)
    waiting.put(2)
    waiting.close()
    assert told == [("refused", 1), ("sent", 1)]


def test_off_by_default_and_then_not_imported() -> None:
    assert open_tracer(load(), "cache") is None
    code = "import sys, forebay.runtime.worker, forebay.tracing.opening; print('opentelemetry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


def test_a_collector_without_the_extra_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREBAY_TRACING_OTLP_URL", "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "forebay.tracing.otlp", None)
    with pytest.raises(ConfigurationError, match=r"forebay\[otel\]"):
        open_tracer(load(), "cache")
    monkeypatch.setenv("FOREBAY_TRACING_OTLP_URL", "collector:4318")
    with pytest.raises(ConfigurationError, match="OTLP_URL"):
        load()
