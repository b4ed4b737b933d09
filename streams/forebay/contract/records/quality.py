"""Judging, and people's decisions. Redacted text only."""

from dataclasses import dataclass
from enum import StrEnum

from forebay.contract.records.outcome import AnswerSource, Completion


class CorrectionAction(StrEnum):
    """``approve``: the answer stands; ``correct``: replaced; ``reject``: must not be given again."""

    APPROVE = "approve"
    CORRECT = "correct"
    REJECT = "reject"


class ReviewReason(StrEnum):
    """Why a person is asked."""

    LOW_SCORE = "low_score"
    NEGATIVE_FEEDBACK = "negative_feedback"
    SAMPLE = "sample"


class FeedbackRating(StrEnum):
    """The end user's verdict."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """A judge's verdict on a sampled answer; ``score`` 1 to 5, 0 when no verdict could be read."""

    evaluation_id: str = ""
    request_id: str = ""
    tenant_id: str = "default"
    task: str | None = None
    tier: str | None = None
    model: str | None = None
    source: AnswerSource = AnswerSource.NONE
    judge_model: str = ""
    rubric: str = ""
    score: float = 0.0
    reason: str = ""
    rolling_mean: float = 0.0
    sample_rate: float = 1.0
    cost_nanousd: int = 0
    created_at: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewTask:
    """An answer that a person should look at; ``review_id`` is derived from the request: one open task each."""

    review_id: str = ""
    request_id: str = ""
    tenant_id: str = "default"
    reason: ReviewReason = ReviewReason.SAMPLE
    score: float | None = None
    completion: Completion | None = None
    created_at: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheCheck:
    """A stored answer beside a question that it was, or might have been, given to: does it serve? Texts are canonical.

    ``hit`` tells a sample of the hits, which estimates the share of wrong ones, from near misses, which teach.
    """

    check_id: str = ""
    request_id: str = ""
    tenant_id: str = "default"
    user_id: str = "anonymous"
    wall: str = ""
    entry_id: str = ""
    question: str = ""
    stored_question: str = ""
    answer: str = ""
    stored_answer: str = ""
    score: float = 0.0
    similarity: float = 0.0
    hit: bool = False
    completion: Completion | None = None
    created_at: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Feedback:
    """An end user's verdict. No free text: the topic is not redacted; ``reason`` is a code ``[a-z_]{1,32}``."""

    feedback_id: str = ""
    request_id: str = ""
    tenant_id: str = "default"
    user_id: str = "anonymous"
    rating: FeedbackRating = FeedbackRating.UP
    reason: str | None = None
    created_at: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """A person's decision on an answer; for ``correct``, ``content`` is the answer to give, with pseudonyms."""

    correction_id: str = ""
    review_id: str | None = None
    request_id: str = ""
    tenant_id: str = "default"
    action: CorrectionAction = CorrectionAction.APPROVE
    content: str = ""
    reviewer: str = ""
    reason: str | None = None
    completion: Completion | None = None
    created_at: int = 0
