"""What becomes a task for a person?"""

from dataclasses import replace

import pytest

from forebay.contract.failures import Rejected, Transient
from forebay.contract.handlers import Route
from forebay.contract.names import review_id
from forebay.contract.records import (
    Completion,
    Feedback,
    FeedbackRating,
    RedactedRequest,
    ResponseStatus,
    ReviewReason,
    ReviewTask,
)
from forebay.runtime.stage import Stage
from forebay.settings import StageSettings
from forebay.testing import StageRunner, context
from forebay_agents.review.handler import ReviewHandler
from forebay_agents.review.recent import AnswerPlace

CONTEXT = context("feedback")


class Remembered:
    """See forebay_agents.review.recent.RecentOutcomes."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Completion] = {}

    async def put(self, completion: Completion, at: AnswerPlace) -> None:
        self.kept[completion.tenant_id, completion.request_id] = completion

    async def get(self, tenant_id: str, request_id: str) -> Completion | None:
        return self.kept.get((tenant_id, request_id))


@pytest.fixture
async def handler() -> ReviewHandler:
    found = ReviewHandler(Remembered(), lambda: 7)
    for request_id, status in (("r-1", ResponseStatus.OK), ("r-2", ResponseStatus.FAILED)):
        completion = Completion(request_id=request_id, tenant_id="acme", status=status, content="No.")
        await found.remember(completion, CONTEXT)
    return found


def said(request_id: str = "r-1", tenant_id: str = "acme", rating: FeedbackRating = FeedbackRating.DOWN) -> Feedback:
    return Feedback(feedback_id="f", request_id=request_id, tenant_id=tenant_id, rating=rating)


async def test_a_thumb_down_is_a_task_with_the_answer_it_is_about(handler: ReviewHandler) -> None:
    [output] = await handler.feedback(said(), CONTEXT)
    task = output.value
    assert isinstance(task, ReviewTask)
    assert (task.review_id, task.reason, task.created_at) == (
        review_id("acme", "r-1"),
        ReviewReason.NEGATIVE_FEEDBACK,
        7,
    )
    assert task.completion is not None
    assert task.completion.content == "No."


async def test_the_task_does_not_hold_a_reference_into_the_vault() -> None:
    remembered = Remembered()
    handler = ReviewHandler(remembered)
    request = RedactedRequest(request_id="r-3", tenant_id="acme", vault_ref="REF")
    answer = Completion(request_id="r-3", tenant_id="acme", status=ResponseStatus.OK, request=request)
    await handler.remember(answer, CONTEXT)
    assert "REF" not in repr(await handler.feedback(said("r-3"), CONTEXT))


async def test_two_tenants_with_the_same_request_id_have_a_task_each(handler: ReviewHandler) -> None:
    await handler.remember(Completion(request_id="r-1", tenant_id="globex", status=ResponseStatus.OK), CONTEXT)
    tasks = [(await handler.feedback(said(tenant_id=tenant), CONTEXT))[0].value for tenant in ("acme", "globex")]
    assert len({task.review_id for task in tasks if isinstance(task, ReviewTask)}) == 2
    assert review_id("a", "bc") != review_id("ab", "c")


async def test_a_thumb_up_is_none(handler: ReviewHandler) -> None:
    assert await handler.feedback(said(rating=FeedbackRating.UP), CONTEXT) == ()


@pytest.mark.parametrize("feedback", [said("unknown"), said(tenant_id="other"), said("r-2")])
async def test_nobody_speaks_of_what_was_not_answered_to_him(handler: ReviewHandler, feedback: Feedback) -> None:
    for attempt in (1, 2):
        with pytest.raises(Transient) as later:
            await handler.feedback(feedback, replace(CONTEXT, attempt=attempt))
        assert later.value.code == "unknown_answer"
    with pytest.raises(Rejected) as refused:
        await handler.feedback(feedback, replace(CONTEXT, attempt=3))
    assert refused.value.code == "unknown_request"


async def test_feedback_that_comes_before_its_answer_was_read_waits_for_it() -> None:
    handler = ReviewHandler(Remembered(), lambda: 7)
    runner = StageRunner(
        Stage(
            name="review",
            routes=[
                Route(topic="completions", handle=handler.remember),
                Route(topic="feedback", handle=handler.feedback),
            ],
            limits=StageSettings(),
        )
    )
    early = await runner.send("feedback", said(), key="r-1")
    assert (early.code, early.outputs) == ("unknown_answer", ())
    answer = Completion(request_id="r-1", tenant_id="acme", status=ResponseStatus.OK, content="No.")
    await runner.send("completions", answer, key="r-1")
    done = await runner.advance(15)
    assert [task.completion.content for one in done for task in one.records("reviews")] == ["No."]
