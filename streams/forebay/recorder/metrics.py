"""What the recorder counts."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class RecorderMetrics:
    """Metrics of the recorder; labels are closed sets."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.batch = Histogram(
            "forebay_recorder_batch_seconds",
            "Time until a batch was read, decoded and written.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.prune = Histogram(
            "forebay_recorder_prune_seconds",
            "Time for which a delete of what is too old held the history's lock.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.skipped = Counter(
            "forebay_recorder_skipped",
            "Records of which nothing is in the history, by why: undecodable or unusable.",
            ["topic", "reason"],
            registry=registry,
        )
        self.times_off = Counter(
            "forebay_recorder_times_off",
            "Requests that were answered before they were accepted: a clock was off, and 0 is shown.",
            registry=registry,
        )
        self.made_anew = Counter(
            "forebay_recorder_made_anew",
            "Times that the history was moved aside and made anew from the topics.",
            registry=registry,
        )
        self.size = Gauge("forebay_recorder_bytes", "Size of the history's file.", registry=registry)
        self.ledger_drift = Gauge(
            "forebay_ledger_drift",
            "US dollars by which the history's own sums differ from spend, hour by hour, at two looks a minute apart.",
            registry=registry,
        )


METRICS = RecorderMetrics()
"""The process's metrics of the recorder."""
