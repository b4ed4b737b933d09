"""The section ``evaluation``."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from forebay.settings import Others, Section
from forebay_agents.models.settings import missing_tier


class EvaluationSettings(Section):
    """Sampled judging."""

    section: ClassVar[str] = "evaluation"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_EVALUATION_")

    sample_rate: float = Field(0.05, ge=0, le=1, description="Share of answers that are judged.")
    judge_tier: str = Field("", description="Tier whose first deployment judges; empty: the last tier.")
    rubric: str = Field("helpfulness@1", description="Rubric, by name and version.")
    structured: bool = Field(
        True, description="Ask the judge for JSON by schema; off for providers that know no response_format."
    )
    window: int = Field(100, ge=2, description="Verdicts of a model that the rolling mean is over.")
    min_samples: int = Field(20, ge=1, description="Verdicts before the mean is compared with the threshold.")
    alert_below: float = Field(3.0, ge=1, le=5, description="Mean score below which an alert is raised.")
    review_below: float = Field(2.0, ge=0, le=5, description="Score at or below which a person is asked.")
    timeout_s: float = Field(120.0, gt=0, description="Longest time to judge one answer, in seconds.")
    in_flight: int = Field(2, ge=1, description="Answers judged at once, per worker: serving goes first.")

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """A judge that is no tier."""
        yield from missing_tier(settings, "judge_tier", self.judge_tier)
