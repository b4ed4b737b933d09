"""What does the stage say of dead letters?"""

from prometheus_client import REGISTRY, CollectorRegistry, Gauge


class OldestMetric:
    """The age of the oldest letter with which nothing was done."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._age = Gauge(
            "forebay_dead_letter_oldest_seconds",
            "Age of the oldest dead letter with which nothing was done; 0: there is none. From workers of retry.",
            registry=registry,
        )

    def set(self, seconds: float) -> None:
        """As of now."""
        self._age.set(seconds)


METRIC = OldestMetric()
