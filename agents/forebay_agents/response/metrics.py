"""What does the stage count? Promises that were kept, and personal data that it kept out of addresses."""

from collections.abc import Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from forebay_agents.response.goals import Goal


class ResponseMetrics:
    """The metrics of the stage, registered once per registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._withheld = Counter(
            "forebay_restore_withheld",
            "Pseudonyms that stayed in answers, since they stood in an address that the model wrote.",
            registry=registry,
        )

        self._goals = Counter(
            "forebay_goal_requests",
            "Requests by whether what is promised was kept: fast (answered within goals.answer_s), ok (answered).",
            ["goal", "kept"],
            registry=registry,
        )
        self._objectives = Gauge(
            "forebay_goal_objective", "Share of the requests that are to keep it.", ["goal"], registry=registry
        )

    def objectives(self, of: Mapping[Goal, float]) -> None:
        """What is promised; each goal's counts begin with zero, so that the first failure is an increase."""
        for goal, share in of.items():
            self._objectives.labels(goal.value).set(share)
            for kept in ("yes", "no"):
                self._goals.labels(goal.value, kept)

    def responded(self, kept: Mapping[Goal, bool]) -> None:
        """A response went out."""
        for goal, done in kept.items():
            self._goals.labels(goal.value, "yes" if done else "no").inc()

    def withheld(self, pseudonyms: int) -> None:
        """So many stayed in an answer."""
        self._withheld.inc(pseudonyms)


METRICS = ResponseMetrics()
"""The process's metrics."""
