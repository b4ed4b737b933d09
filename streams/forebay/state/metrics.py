"""What is counted of Redis? By what it keeps; no key, no tenant."""

from prometheus_client import REGISTRY, CollectorRegistry, Gauge


class RedisMetrics:
    """Metrics of the watch, registered once per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.share = Gauge(
            "forebay_redis_memory_share",
            "Share of Redis' maxmemory that is used; 0 without a limit.",
            ["keeps"],
            registry=registry,
        )
        self.unsafe = Gauge(
            "forebay_redis_may_evict",
            "1 if Redis' policy lets it evict what may not be lost.",
            ["keeps"],
            registry=registry,
        )
        self.evicted = Gauge(
            "forebay_redis_evicted_keys", "Keys that Redis evicted since it was started.", ["keeps"], registry=registry
        )


METRICS = RedisMetrics()
"""The process's metrics."""
