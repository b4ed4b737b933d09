"""A correction counts for a task that was opened, and for nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from forebay.contract.failures import Permanent, Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.names import review_id
from forebay.contract.records import CachePolicy, Completion, Correction, ReviewTask
from forebay.testing import context
from forebay_agents.cache.tasks import RedisQuestions, Tasks
from tests.unit.cache.memory import completion, request
from tests.unit.state.recorded import RecordingRedis

ANSWER = completion(request("Who runs the plant?", request_id="r-1", tenant="acme", user="u-1"))
FIRST = context("corrections")
LAST = replace(FIRST, attempt=3)


class Desk:
    """Tasks, and the corrections that got through."""

    def __init__(self) -> None:
        self.tasks = Tasks(RedisQuestions(RecordingRedis(), "t:"))
        self.done: list[Correction] = []

    async def open(self, answer: Completion = ANSWER) -> None:
        name = review_id(answer.tenant_id, answer.request_id)
        task = ReviewTask(review_id=name, request_id=answer.request_id, tenant_id=answer.tenant_id, completion=answer)
        await self.tasks.opened(task, context("reviews"))

    async def correct(self, correction: Correction, at: Context = LAST) -> str:
        async def keep(said: Correction, _context: Context) -> list[Output]:
            self.done.append(said)
            return []

        try:
            await self.tasks.only_asked_for(keep)(correction, at)
        except Transient as failure:
            return f"later: {failure.code}"
        except Permanent as failure:
            return failure.code
        return "done"


def said(answer: Completion = ANSWER, **changes: Any) -> Correction:
    known: dict[str, Any] = {
        "review_id": review_id(answer.tenant_id, answer.request_id),
        "request_id": answer.request_id,
        "tenant_id": answer.tenant_id,
        "content": "A clerk.",
        "completion": answer,
    }
    return Correction(**(known | changes))


def other(**changes: Any) -> Completion:
    assert ANSWER.request is not None
    return replace(ANSWER, request=replace(ANSWER.request, **changes))


async def test_what_a_task_asks_for_is_done() -> None:
    desk = Desk()
    await desk.open()
    assert await desk.correct(said(), FIRST) == "done"
    assert [one.content for one in desk.done] == ["A clerk."]


async def test_without_a_task_it_waits_a_little_and_is_a_forgery_then() -> None:
    desk = Desk()
    assert await desk.correct(said(), FIRST) == "later: unknown_review"
    assert await desk.correct(said(), LAST) == "forged_correction"
    await desk.open()
    assert await desk.correct(said(), LAST) == "done"


@pytest.mark.parametrize(
    "forged",
    [
        said(tenant_id="globex"),
        said(request_id="r-2"),
        said(review_id=None),
        said(review_id="review-0"),
        said(completion=replace(ANSWER, tenant_id="globex")),
        said(completion=replace(ANSWER, request_id="r-2")),
        said(completion=other(tenant_id="globex")),
        said(completion=other(user_id="u-2")),
        said(completion=other(cache=CachePolicy(scope="global"))),
        said(completion=other(task="another")),
        said(completion=other(messages=request("Who runs the bank?").messages)),
        said(completion(request("Who runs the plant?", request_id="r-1", tenant="globex", user="u-1"))),
    ],
)
async def test_words_are_put_into_no_other_answer(forged: Correction) -> None:
    desk = Desk()
    await desk.open()
    assert await desk.correct(forged) == "forged_correction"
    assert desk.done == []
