"""What does the cache count? Closed label sets only: no tenant, no user, no text."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge


class CacheMetrics:
    """Metrics of the cache stage, registered once per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.lookups = Counter(
            "forebay_cache_lookups",
            "Requests by what the cache made of them: exact, semantic, correction, miss, bypass, refresh, degraded.",
            ["outcome"],
            registry=registry,
        )
        self.writes = Counter(
            "forebay_cache_writes", "Completions by whether they were kept, or why not.", ["outcome"], registry=registry
        )
        self.guarded = Counter(
            "forebay_cache_guarded", "Near misses by the guard that forbade the hit.", ["reason"], registry=registry
        )
        self.skipped = Counter(
            "forebay_cache_skipped",
            "Requests that were matched exactly only, because too many waited.",
            registry=registry,
        )
        self.flights = Counter(
            "forebay_cache_flights",
            "Misses by their part in a single flight: led, answered, unshareable, timed_out.",
            ["part"],
            registry=registry,
        )
        self.checks = Counter(
            "forebay_cache_checks",
            "Verified pairs: of sampled hits or of near misses, right or wrong.",
            ["of", "outcome"],
            registry=registry,
        )
        self.wrong_share = Gauge(
            "forebay_cache_wrong_hit_share",
            "Share of wrong ones among sampled hits by meaning: estimate, and the ends of its 95 % interval.",
            ["bound"],
            registry=registry,
        )
        self.saved = Counter(
            "forebay_cache_saved_nanousd", "What the answers that were given again would have cost.", registry=registry
        )
        self.store_errors = Counter(
            "forebay_cache_store_errors", "Operations that the store did not answer.", ["operation"], registry=registry
        )


METRICS = CacheMetrics()
"""The process's metrics."""
