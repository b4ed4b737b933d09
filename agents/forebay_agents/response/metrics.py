"""What does the stage count? Personal data that it kept out of addresses."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter


class ResponseMetrics:
    """The metrics of the stage, registered once per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._withheld = Counter(
            "forebay_restore_withheld",
            "Pseudonyms that stayed in answers, since they stood in an address that the model wrote.",
            registry=registry,
        )

    def withheld(self, pseudonyms: int) -> None:
        """So many stayed in an answer."""
        self._withheld.inc(pseudonyms)


METRICS = ResponseMetrics()
"""The process's metrics."""
