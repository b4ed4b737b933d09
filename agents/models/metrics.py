"""What do calls count? Latency, tokens and cost by tier and model; no user, no tenant."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from agents.models.breaker import BreakerState
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


class PoolMetrics:
    """How the deployments are, as this worker sees them."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._open = Gauge(
            "forebay_breaker_open",
            "1 while a deployment is not called; 0.5: a probe decides.",
            ["deployment"],
            registry=registry,
        )
        self._limit = Gauge(
            "forebay_deployment_limit", "Calls that may be out at once, learnt.", ["deployment"], registry=registry
        )
        self._in_flight = Gauge("forebay_deployment_in_flight", "Calls out now.", ["deployment"], registry=registry)

    def shown(self, deployment: str, state: BreakerState, limit: int, in_flight: int) -> None:
        """A deployment's state changed."""
        self._open.labels(deployment).set({BreakerState.OPEN: 1.0, BreakerState.HALF_OPEN: 0.5}.get(state, 0.0))
        self._limit.labels(deployment).set(limit)
        self._in_flight.labels(deployment).set(in_flight)


METRICS = ModelMetrics()
"""The process's metrics."""
POOL_METRICS = PoolMetrics()
