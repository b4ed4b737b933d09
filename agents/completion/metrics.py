"""What does the completion stage count beside its calls? Tokens that were not sent."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter


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


METRICS = CompressionMetrics()
"""The process's metrics."""
