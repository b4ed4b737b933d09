"""What do calls count? Latency, tokens and cost by tier and model; no user, no tenant."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from streams.metrics import LATENCY_BUCKETS
from streams.records import UsageEvent


class ModelMetrics:
    """Metrics of model calls."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        labels = ["tier", "model", "purpose"]
        self._calls = Counter(
            "forebay_model_calls", "Calls by outcome.", [*labels, "deployment", "status", "code"], registry=registry
        )
        self._latency = Histogram(
            "forebay_model_latency_seconds", "Time of a call.", labels, buckets=LATENCY_BUCKETS, registry=registry
        )
        self._tokens = Counter("forebay_model_tokens", "Tokens billed.", [*labels, "direction"], registry=registry)
        self._cost = Counter("forebay_model_cost_usd", "Cost in US dollars.", labels, registry=registry)

    def called(self, entry: UsageEvent, seconds: float) -> None:
        """A call ended; ``entry`` is its closed ledger entry."""
        labels = (entry.tier, entry.model, entry.purpose.value)
        self._calls.labels(*labels, entry.deployment, entry.status.value, entry.error_code or "").inc()
        self._latency.labels(*labels).observe(seconds)
        self._tokens.labels(*labels, "input").inc(entry.prompt_tokens)
        self._tokens.labels(*labels, "output").inc(entry.completion_tokens)
        self._cost.labels(*labels).inc(entry.cost_nanousd / 1e9)


METRICS = ModelMetrics()
"""The process's metrics."""
