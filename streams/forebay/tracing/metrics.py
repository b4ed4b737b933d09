"""What became of the spans?"""

from prometheus_client import REGISTRY, CollectorRegistry, Counter


class TracingMetrics:
    """Counts of this process."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._spans = Counter(
            "forebay_trace_spans",
            "Spans by what became of them: sent, refused by the collector (or it did not answer), dropped since too "
            "many waited.",
            ["outcome"],
            registry=registry,
        )

    def spans(self, outcome: str, count: int) -> None:
        """So many more."""
        self._spans.labels(outcome).inc(count)


METRICS = TracingMetrics()
"""The process's metrics."""
