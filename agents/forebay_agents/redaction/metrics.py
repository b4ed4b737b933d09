"""What does redaction count? Findings by entity and action, and its speed; never a value.

Entity types come from recognisers and the configuration, so the label set is closed.
"""

from collections.abc import Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class RedactionMetrics:
    """The metrics of the stage, registered once per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._entities = Counter(
            "forebay_redaction_entities", "Findings by entity and action.", ["entity", "action"], registry=registry
        )
        self._public = Counter(
            "forebay_redaction_public",
            "Names and places that were left since they are public and asked about, by kind and reason.",
            ["kind", "reason"],
            registry=registry,
        )
        self._seconds = Histogram(
            "forebay_redaction_seconds", "Time to redact a request.", buckets=_BUCKETS, registry=registry
        )
        self._characters = Counter(
            "forebay_redaction_characters", "Characters of messages that were read.", registry=registry
        )

        self._together = Histogram(
            "forebay_redaction_batch_requests",
            "Requests that waited and were read together.",
            buckets=(1, 2, 3, 4, 6, 8),
            registry=registry,
        )

        self._expected = Gauge(
            "forebay_answer_expected_seconds",
            "How long a request takes from redaction to its answer now, by what waits at the stages behind it.",
            registry=registry,
        )

    def acted(self, actions: Mapping[tuple[str, str], int]) -> None:
        """Findings of a request, by entity and action."""
        for (entity, action), count in actions.items():
            self._entities.labels(entity, action).inc(count)

    def left_public(self, left: Mapping[tuple[str, str], int]) -> None:
        """Names and places of a request that were left as they are, by kind and reason."""
        for (kind, reason), count in left.items():
            self._public.labels(kind, reason).inc(count)

    def redacted(self, characters: int, seconds: float) -> None:
        """A request was redacted."""
        self._characters.inc(characters)
        self._seconds.observe(seconds)

    def expected(self, ms: int) -> None:
        """How long a request takes from here on."""
        self._expected.set(ms / 1000)

    def read_together(self, requests: int) -> None:
        """So many requests were read at once."""
        self._together.observe(requests)


METRICS = RedactionMetrics()
"""The process's metrics."""
