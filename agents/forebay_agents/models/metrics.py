"""What do calls count? Latency, tokens and cost by tier and model; no user, no tenant."""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from forebay.contract.records import UsageEvent, UsageStatus
from forebay.observability.metrics import LATENCY_BUCKETS
from forebay_agents.models.breaker import BreakerState


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
        self._first = Histogram(
            "forebay_model_first_token_seconds",
            "Time from a call's begin to the first token of its streamed answer.",
            labels,
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._tokens = Counter("forebay_model_tokens", "Tokens billed.", [*labels, "direction"], registry=registry)
        self._estimated = Counter(
            "forebay_model_usage_estimated",
            "Calls that were paid by an estimate: the provider's counts were missing, or could not be.",
            [*labels, "deployment"],
            registry=registry,
        )
        self._unpriced = Counter(
            "forebay_unpriced_calls", "Paid calls of a model that no price is known of.", ["model"], registry=registry
        )
        self._cost = Counter(
            "forebay_model_cost_usd", "Cost in US dollars.", [*labels, "deployment"], registry=registry
        )

    def called(self, entry: UsageEvent, seconds: float, first_s: float | None = None) -> None:
        """A call ended; ``entry`` is its closed ledger entry, ``first_s`` seconds to a stream's first token."""
        labels = (entry.tier, entry.model, entry.purpose.value)
        self._calls.labels(*labels, entry.deployment, entry.status.value, entry.error_code or "").inc()
        self._latency.labels(*labels).observe(seconds)
        if first_s is not None:
            self._first.labels(*labels).observe(first_s)
        self._tokens.labels(*labels, "input").inc(entry.prompt_tokens)
        self._tokens.labels(*labels, "output").inc(entry.completion_tokens)
        self._estimated.labels(*labels, entry.deployment).inc(int(entry.estimated))
        if entry.status is UsageStatus.SETTLED and not entry.priced:
            self._unpriced.labels(entry.model).inc()
        self._cost.labels(*labels, entry.deployment).inc(entry.cost_nanousd / 1e9)


class PoolMetrics:
    """How the deployments are, as this worker sees them, at the moment of being asked."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        def gauge(name: str, meaning: str) -> Gauge:
            return Gauge(name, meaning, ["deployment"], registry=registry)

        self._open = gauge("forebay_breaker_open", "1 while a deployment is not called; 0.5: a probe decides.")
        self._limit = gauge("forebay_deployment_limit", "Calls that may be out at once, learnt.")
        self._in_flight = gauge("forebay_deployment_in_flight", "Calls out now.")
        self._errors = gauge("forebay_deployment_recent_errors", "Share of the last 20 calls that failed.")
        self._p95 = gauge(
            "forebay_deployment_slow_seconds", "95th percentile of recent answers; NaN while few are known."
        )

    def watch(self, deployment: str, view: Callable[[], "PlaceView"]) -> None:
        """Show what ``view`` says whenever somebody looks."""
        shown = {BreakerState.OPEN: 1.0, BreakerState.HALF_OPEN: 0.5}
        self._open.labels(deployment).set_function(lambda: shown.get(view().breaker, 0.0))
        self._limit.labels(deployment).set_function(lambda: view().limit)
        self._in_flight.labels(deployment).set_function(lambda: view().in_flight)
        self._errors.labels(deployment).set_function(lambda: view().recent_errors)
        self._p95.labels(deployment).set_function(lambda: nan if (p95 := view().p95_s) is None else p95)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceView:
    """What is known about one deployment; ``p95_s`` is ``None`` while few answers are known."""

    breaker: BreakerState
    limit: int
    in_flight: int
    recent_errors: float
    p95_s: float | None


METRICS = ModelMetrics()
"""The process's metrics."""
POOL_METRICS = PoolMetrics()
