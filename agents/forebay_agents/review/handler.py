"""What becomes a task for a person? Here: what users disliked. (What a judge disliked comes from the evaluation.)"""

from collections.abc import Sequence

from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Rejected, Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.names import review_id
from forebay.contract.records import (
    Completion,
    Feedback,
    FeedbackRating,
    ResponseStatus,
    ReviewReason,
    ReviewTask,
    without_ref,
)
from forebay_agents.review.recent import AnswerPlace, RecentOutcomes

_PATIENT = 2
"""Tries at which feedback waits for its answer to be read: ten seconds and a minute by default."""


class ReviewHandler:
    """Handlers of the stage; ``now_ms`` in ms since the epoch."""

    def __init__(self, recent: RecentOutcomes, now_ms: Clock = now_ms) -> None:
        self._recent = recent
        self._now_ms = now_ms

    async def remember(self, completion: Completion, context: Context) -> Sequence[Output]:
        """Keep in mind where an answer stands, for feedback that may come."""
        if completion.status is ResponseStatus.OK:
            await self._recent.put(completion, AnswerPlace(context.source.partition, context.source.offset))
        return ()

    async def feedback(self, feedback: Feedback, context: Context) -> Sequence[Output]:
        """A review task for a negative verdict.

        Raises:
            Transient: the answer is not known yet: answers are read half a second at a time, and by other workers too,
                so that feedback of that moment may be here first.
            Rejected: nor is it after two more tries.
        """
        if feedback.rating is FeedbackRating.UP:
            return ()
        completion = await self._recent.get(feedback.tenant_id, feedback.request_id)
        if completion is None and context.attempt <= _PATIENT:
            raise Transient("unknown_answer", "feedback on a request whose answer was not read yet")
        if completion is None:
            raise Rejected("unknown_request", "feedback on a request that is unknown or too old")
        task = ReviewTask(
            review_id=review_id(feedback.tenant_id, feedback.request_id),
            request_id=feedback.request_id,
            tenant_id=feedback.tenant_id,
            reason=ReviewReason.NEGATIVE_FEEDBACK,
            completion=without_ref(completion),
            created_at=self._now_ms(),
        )
        return [Output(topic="reviews", key=task.review_id, value=task)]
