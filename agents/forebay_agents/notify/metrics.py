"""What does the stage count?"""

from prometheus_client import REGISTRY, CollectorRegistry, Counter


class NotifyMetrics:
    """Counters by channel, as the configuration names them."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._sent = Counter(
            "forebay_notifications_sent", "Messages that a channel took.", ["channel"], registry=registry
        )
        self._failed = Counter(
            "forebay_notifications_failed", "Tries that a channel did not take.", ["channel"], registry=registry
        )

    def sent(self, channel: str) -> None:
        """A message went out."""
        self._sent.labels(channel).inc()

    def failed(self, channel: str) -> None:
        """One did not."""
        self._failed.labels(channel).inc()


METRICS = NotifyMetrics()
