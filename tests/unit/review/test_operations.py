"""What a reviewer may do, called as a console calls it: nothing printed, nothing asked."""

import pytest

from forebay.contract.handlers import Output
from forebay.contract.records import Completion, Correction, CorrectionAction, RedactedRequest, ReviewTask
from forebay.kafka.transactions import NotAllowedError
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.seen_writes import OutdatedError
from forebay.operations.topic_view import Position, TopicView
from forebay_agents.review.operations import Decision, ReviewDesk
from tests.unit.operations.topic import FakeReader, FakeTopic
from tests.unit.operations.trail import MemoryTrail

APPROVE, CORRECT, REJECT = CorrectionAction.APPROVE, CorrectionAction.CORRECT, CorrectionAction.REJECT


class Reviews:
    """The two topics, and a desk for each reviewer."""

    def __init__(self) -> None:
        self.reviews, self.corrections = FakeTopic("reviews"), FakeTopic("corrections")
        self.trail = MemoryTrail()

    def ask(self, review_id: str, answer: str = "No.", **fields: object) -> None:
        """A task, or a newer one of that id."""
        request_id = review_id.removeprefix("review-")
        task = ReviewTask(
            review_id=review_id,
            request_id=request_id,
            tenant_id="acme",
            completion=Completion(request_id=request_id, content=answer, request=RedactedRequest(vault_ref="REF")),
            **fields,  # type: ignore[arg-type]  # any field of the record
        )
        self.reviews.add(review_id, task)

    def desk(self) -> ReviewDesk:
        tasks = TopicView[ReviewTask](FakeReader(self.reviews), key=lambda record: record.value.review_id)
        decisions = TopicView[Correction](FakeReader(self.corrections), key=lambda record: record.value.review_id)
        tasks.refresh()
        decisions.refresh()
        return ReviewDesk(tasks, decisions, self.corrections.writer, self.trail.record, clock=lambda: 7)

    def said(self) -> list[tuple[str | None, str, str]]:
        decisions = TopicView[Correction](FakeReader(self.corrections))
        decisions.refresh()
        return [(one.review_id, one.action.value, one.reviewer) for one in decisions.values()]


@pytest.fixture
def reviews() -> Reviews:
    found = Reviews()
    found.ask("review-a", score=2.0, created_at=1)
    found.ask("review-b", score=1.0, created_at=3)
    found.ask("review-c", score=1.0, created_at=2)
    return found


def by(reviewer: str, action: CorrectionAction = APPROVE, review_id: str = "review-a", **more: object) -> Decision:
    return Decision(review_id=review_id, action=action, reviewer=reviewer, **more)  # type: ignore[arg-type]  # as above


def ids(desk: ReviewDesk) -> list[str]:
    return [one.task.review_id for one in desk.open_tasks()]


def test_open_is_what_nobody_decided_the_worst_and_oldest_first(reviews: Reviews) -> None:
    desk = reviews.desk()
    assert ids(desk) == ["review-c", "review-b", "review-a"]
    desk.decide(by("ann", review_id="review-c"))
    reviews.ask("review-a", score=0.5)  # said again: the newest counts
    desk.tasks.refresh()
    assert ids(desk) == ["review-a", "review-b"]


def test_a_decision_says_who_what_and_on_which_answer(reviews: Reviews) -> None:
    done = reviews.desk().decide(by("ann", CORRECT, "a", content="Yes, <PERSON_1>.", reason="outdated"))
    said = done.correction
    assert (said.review_id, said.request_id, said.tenant_id) == ("review-a", "a", "acme")
    assert (said.content, said.reason, said.reviewer, said.created_at) == ("Yes, <PERSON_1>.", "outdated", "ann", 7)
    assert said.completion is not None
    assert said.completion.content == "No."
    assert "REF" not in repr(said)  # also where the task is of a version that kept it
    assert done.exclusive
    assert reviews.said() == [("review-a", "correct", "ann")]


@pytest.mark.parametrize(
    "decision",
    [by("ann", review_id="nobody"), by("ann", review_id=""), by("ann", CORRECT), by("ann", CORRECT, content=" ")],
)
def test_what_says_nothing_is_refused(reviews: Reviews, decision: Decision) -> None:
    with pytest.raises(InvalidChoiceError):
        reviews.desk().decide(decision)
    assert reviews.said() == []


def test_of_two_reviewers_the_second_sees_what_the_first_said(reviews: Reviews) -> None:
    ann, bob = reviews.desk(), reviews.desk()
    ann.decide(by("ann", REJECT))
    assert ids(bob) == ["review-c", "review-b", "review-a"], "bob has not looked since"
    with pytest.raises(OutdatedError) as refused:
        bob.decide(by("bob"))
    entry = refused.value.entries["review-a"]
    assert entry is not None
    assert (entry.value.reviewer, entry.value.action) == ("ann", REJECT)
    assert ids(bob) == ["review-c", "review-b"]
    assert reviews.said() == [("review-a", "reject", "ann")]


def test_at_the_same_moment_too(reviews: Reviews) -> None:
    ann, bob = reviews.desk(), reviews.desk()
    reviews.corrections.meanwhile["before the commit"] = lambda: bob.decide(by("bob", REJECT)) and None
    with pytest.raises(OutdatedError):
        ann.decide(by("ann"))
    assert reviews.said() == [("review-a", "reject", "bob")]


def test_whoever_saw_a_decision_may_change_it(reviews: Reviews) -> None:
    desk = reviews.desk()
    first = desk.decide(by("ann", REJECT))
    assert desk.decide(by("ann", APPROVE, seen=first.at)).at != first.at
    with pytest.raises(OutdatedError):
        desk.decide(by("bob", REJECT, seen=first.at))


def test_nobody_decides_on_an_answer_that_he_did_not_see(reviews: Reviews) -> None:
    desk = reviews.desk()
    [seen] = [one for one in desk.open_tasks() if one.task.review_id == "review-a"]
    reviews.ask("review-a", answer="Perhaps.")
    desk.tasks.refresh()
    with pytest.raises(OutdatedError) as refused:
        desk.decide(by("ann", task_at=seen.at))
    entry = refused.value.entries["review-a"]
    assert entry is not None
    assert entry.value.completion.content == "Perhaps."
    assert desk.decide(by("ann", task_at=desk.tasks.position("review-a"))).at == Position(sum(b"a") % 2, 0)


def test_who_may_not_write_alone_decides_all_the_same_and_is_told(reviews: Reviews) -> None:
    def refused() -> None:
        raise NotAllowedError("an access rule is missing")

    def plainly(outputs: list[Output]) -> None:
        for output in outputs:
            reviews.corrections.add(str(output.key), output.value)

    known = reviews.desk()
    record = reviews.trail.record
    desk = ReviewDesk(known.tasks, known.decisions, refused, record, unfenced=plainly)  # type: ignore[arg-type]  # never enters
    assert not desk.decide(by("ann")).exclusive
    with pytest.raises(OutdatedError):
        desk.decide(by("bob"))


def test_a_decision_is_written_down_before_it_is_published_and_after(reviews: Reviews) -> None:
    desk = reviews.desk()
    desk.decide(by("ann", REJECT, reason="wrong"))
    with pytest.raises(OutdatedError):
        desk.decide(by("bob", APPROVE))
    acts = [(one.action, one.by, one.subject, one.details.get("outcome")) for one in reviews.trail.events]
    assert acts == [
        ("review.reject", "ann", "review-a", None),
        ("review.reject", "ann", "review-a", "done"),
        ("review.approve", "bob", "review-a", None),
        ("review.approve", "bob", "review-a", "OutdatedError"),
    ]


def test_a_decision_that_cannot_be_written_down_is_not_published(reviews: Reviews) -> None:
    reviews.trail.refuses_from = 0
    with pytest.raises(OSError, match="brokers"):
        reviews.desk().decide(by("ann"))
    assert reviews.said() == []


def test_a_request_id_that_two_tenants_have_names_no_task(reviews: Reviews) -> None:
    for tenant in ("acme", "globex"):
        task = ReviewTask(review_id=f"review-of-{tenant}", request_id="r-1", tenant_id=tenant)
        reviews.reviews.add(task.review_id, task)
    with pytest.raises(InvalidChoiceError, match=r"review-of-acme \(acme\), review-of-globex \(globex\)"):
        reviews.desk().decide(by("ann", review_id="r-1"))
    assert reviews.desk().decide(by("ann", review_id="review-of-globex")).correction.tenant_id == "globex"
