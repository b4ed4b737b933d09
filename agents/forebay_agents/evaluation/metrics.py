"""What do judged answers to shortened prompts score, beside those to prompts that were held out?"""

from prometheus_client import REGISTRY, CollectorRegistry, Summary

_ARMS = frozenset({"cut", "holdout"})


class EvaluationMetrics:
    """Scores by what compression did to the prompt."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._scores = Summary(
            "forebay_judge_score",
            "Judges' scores, 1 to 5, by what was done to a long prompt: `cut`, `holdout` (sent whole to compare), "
            "or `whole`. The means of the first two tell what compression costs in quality.",
            ["compression"],
            registry=registry,
        )

    def judged(self, score: float, compression: str | None) -> None:
        """An answer got ``score``; ``compression`` is what the completion stage said of its prompt."""
        self._scores.labels(compression if compression in _ARMS else "whole").observe(score)


METRICS = EvaluationMetrics()
"""The process's metrics."""
