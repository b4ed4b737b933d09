"""How does OpenTelemetry see a request? By the conventions for messaging and for generative AI; never what it says.

Sent are names of stages, topics, models and codes, counts, times, and the request's id where it is a plain one.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from forebay import __version__
from forebay.contract import headers as h
from forebay.contract.ids import plain_id
from forebay.contract.records import UsageEvent
from forebay.contract.wire import Delivered
from forebay.tracing.metrics import METRICS, TracingMetrics
from forebay.tracing.settings import TracingSettings
from forebay.tracing.waiting import Waiting

_PROPAGATOR = TraceContextTextMapPropagator()
_NS = 1_000_000_000
_PROVIDERS = {"openai": "openai", "azure": "azure.ai.openai", "anthropic": "anthropic", "bedrock": "aws.bedrock",
              "gemini": "gcp.gemini", "vertex_ai": "gcp.vertex_ai", "mistral": "mistral_ai", "groq": "groq",
              "cohere": "cohere", "deepseek": "deepseek", "perplexity": "perplexity", "xai": "x_ai"}  # fmt: skip
"""litellm's prefix to ``gen_ai.provider.name``."""


class OtlpTracer:
    """Spans for a collector.

    Args:
        service: name of the worker: its stages.
    """

    def __init__(self, settings: TracingSettings, service: str, metrics: TracingMetrics | None = None) -> None:
        metrics = metrics or METRICS
        exporter = OTLPSpanExporter(
            endpoint=f"{settings.otlp_url.rstrip('/')}/v1/traces", timeout=settings.timeout_s, headers={}
        )
        self._sender = _Sender(settings.queue, exporter, metrics)
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.share)),
            resource=Resource.create({"service.name": f"forebay-{service}", "service.version": __version__}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(self._sender)
        self._tracer = self._provider.get_tracer("forebay", __version__)

    def begin(self, stage: str, source: Delivered) -> "OtlpWork":
        """See :class:`forebay.tracing.tracer.Tracer`."""
        given = h.text(source.headers, h.TRACEPARENT)
        context = _PROPAGATOR.extract({"traceparent": given} if given else {})
        attributes: dict[str, Any] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": source.topic,
            "messaging.destination.partition.id": str(source.partition),
            "messaging.kafka.offset": source.offset,
            "forebay.stage": stage,
        }
        request = h.text(source.headers, h.REQUEST_ID) or ""
        if plain_id(request):
            attributes["messaging.message.conversation_id"] = request
        span = self._tracer.start_span(
            f"process {source.topic}", context=context, kind=trace.SpanKind.CONSUMER, attributes=attributes
        )
        return OtlpWork(self._tracer, span)

    def close(self) -> None:
        """Send what is left, for a few seconds."""
        self._sender.shutdown()


class OtlpWork:
    """A record in the hands of a stage, as a span with a child for each call."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span

    @property
    def traceparent(self) -> bytes:
        """See :class:`forebay.tracing.tracer.Work`."""
        place = self._span.get_span_context()
        return b"00-%032x-%016x-%02x" % (place.trace_id, place.span_id, place.trace_flags)

    def called(self, entry: UsageEvent, seconds: float, first_s: float | None) -> None:
        """See :class:`forebay.tracing.tracer.Work`."""
        end = time.time_ns()
        span = self._tracer.start_span(
            f"chat {entry.model}",
            context=trace.set_span_in_context(self._span),
            kind=trace.SpanKind.CLIENT,
            attributes=_of_call(entry, first_s),
            start_time=end - round(seconds * _NS),
        )
        if entry.error_code:
            span.set_attribute("error.type", entry.error_code)
            span.set_status(trace.StatusCode.ERROR, entry.error_code)
        span.end(end)

    def end(self, failed: str) -> None:
        """See :class:`forebay.tracing.tracer.Work`."""
        if failed:
            self._span.set_attribute("error.type", failed)
            self._span.set_status(trace.StatusCode.ERROR, failed)
        self._span.end()


def _of_call(entry: UsageEvent, first_s: float | None) -> Mapping[str, Any]:
    prefix, _, name = entry.model.partition("/")
    found: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(prefix, prefix if name else "openai"),
        "gen_ai.request.model": name or entry.model,
        "gen_ai.usage.input_tokens": entry.prompt_tokens,
        "gen_ai.usage.output_tokens": entry.completion_tokens,
        "forebay.tier": entry.tier,
        "forebay.deployment": entry.deployment,
        "forebay.purpose": entry.purpose.value,
        "forebay.attempt_id": entry.attempt_id,
        "forebay.cost_usd": entry.cost_nanousd / 1e9,
    }
    if first_s is not None:
        found["forebay.first_token_ms"] = round(1_000 * first_s)
    return found


class _Sender(SpanProcessor):
    """Hands ended spans to a queue that never holds anybody up."""

    def __init__(self, size: int, exporter: OTLPSpanExporter, metrics: TracingMetrics) -> None:
        self._exporter = exporter
        self._waiting: Waiting[ReadableSpan] = Waiting(size, self._send, metrics.spans)

    def on_end(self, span: ReadableSpan) -> None:
        """Of what is sampled."""
        if span.context is not None and span.context.trace_flags.sampled:
            self._waiting.put(span)

    def _send(self, batch: Sequence[ReadableSpan]) -> bool:
        return self._exporter.export(batch) is SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """What is left goes out, for a few seconds."""
        self._waiting.close()
        self._exporter.shutdown()  # type: ignore[no-untyped-call]
