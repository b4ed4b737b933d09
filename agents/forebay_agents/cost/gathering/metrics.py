"""What does the cost stage count? Entries that it applied, what it wrote of them, and when it could not."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter


class CostMetrics:
    """Metrics of the cost stage, registered once per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.applied = Counter(
            "forebay_cost_entries_applied", "Entries of the ledger that were applied to the tables.", registry=registry
        )
        self.written = Counter(
            "forebay_cost_changelog_records", "Records that the changelogs of the tables took.", registry=registry
        )
        self.unwritten = Counter(
            "forebay_cost_unwritten",
            "Times that the changelogs did not take what was sent; it is sent again.",
            registry=registry,
        )


METRICS = CostMetrics()
"""The process's metrics."""
