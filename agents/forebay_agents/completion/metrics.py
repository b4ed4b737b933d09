"""What does the completion stage count beside its calls? Tokens that were not sent, and who was asked first."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge


class CompressionMetrics:
    """What became of long prompts; their tokens are counted by the compressor, not by the provider."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._prompts = Counter(
            "forebay_compression_prompts",
            "Long prompts by why nothing was cut of them, or `cut`.",
            ["outcome"],
            registry=registry,
        )
        self._tokens = Counter(
            "forebay_compression_tokens",
            "Tokens of prompts that were cut, by `before` and `after`.",
            ["when"],
            registry=registry,
        )

    def compressed(self, reason: str | None, before: int, after: int) -> None:
        """A long prompt was looked at."""
        self._prompts.labels(reason or "cut").inc()
        if reason is None:
            self._tokens.labels("before").inc(before)
            self._tokens.labels("after").inc(after)


class RouterMetrics:
    """Which version of the router chooses, and what it chooses."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._version = Gauge(
            "forebay_router_info",
            "1 for the version of the router in use; `heuristic` until one is trained.",
            ["version"],
            registry=registry,
        )
        self._first = Counter(
            "forebay_router_first_tier", "Requests by the tier asked first.", ["tier"], registry=registry
        )

    def using(self, version: str) -> None:
        """``version`` replaces the one before."""
        self._version.clear()
        self._version.labels(version).set(1)

    def began(self, tier: str) -> None:
        """``tier`` is asked first."""
        self._first.labels(tier).inc()


METRICS = CompressionMetrics()
"""The process's metrics."""
ROUTER_METRICS = RouterMetrics()
