"""What may a reviewer do? See which tasks are open, and decide each of them once, on what he saw.

A task is open while no correction names it. A decision is written against the last one that its reviewer saw, so of
two reviewers who decide the same task at the same moment one is refused and sees what the other said.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.json_lines import new_id
from forebay.contract.records import Correction, CorrectionAction, ReviewTask, without_ref
from forebay.kafka.decoding import ReadRecord
from forebay.operations.audit.opening import recorder
from forebay.operations.audit.recording import Recorder
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.publishing import publish as publish_plainly
from forebay.operations.publishing import transactions
from forebay.operations.seen_writes import OutdatedError, Writer, publish
from forebay.operations.topic_view import Position, TopicView, open_view
from forebay.settings import Settings

WRITER = "corrections-operator"
"""Transactional id (with the installation's prefix) of whoever decides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTask:
    """A task and where it stands: what a reviewer looks at."""

    task: ReviewTask
    at: Position


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a reviewer says of a task.

    Attributes:
        review_id: id of the task, or of its request.
        content: the answer to give instead, with pseudonyms; for ``CORRECT`` only.
        reason: a code or a short text, without personal data.
        task_at: where the task stood that he looked at; ``None``: whichever is the newest.
        seen: the last decision on it that he saw, to change it; ``None``: there was none.
    """

    review_id: str
    action: CorrectionAction
    reviewer: str
    reason: str = ""
    content: str = ""
    task_at: Position | None = None
    seen: Position | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What was published.

    Attributes:
        at: where it stands; what a later change has to have seen.
        exclusive: whether nobody could decide in the same milliseconds; not where the brokers do not allow the user
            the transactional id :data:`WRITER`.
    """

    correction: Correction
    at: Position | None
    exclusive: bool


class ReviewDesk:
    """Open tasks and decisions. A console keeps it and follows both views; a command opens it once.

    Args:
        tasks: of ``reviews``.
        decisions: of ``corrections``, by the id of the task.
        writer: opens the only writer of ``corrections``.
        record: writes each decision down in the audit trail, before it is published and after.
        unfenced: how to publish where the brokers do not allow the user to be that.
    """

    def __init__(
        self,
        tasks: TopicView[ReviewTask],
        decisions: TopicView[Correction],
        writer: Callable[[], AbstractContextManager[Writer]],
        record: Recorder,
        *,
        unfenced: Callable[[Sequence[Output]], None] | None = None,
        clock: Clock = now_ms,
    ) -> None:
        self.tasks = tasks
        self.decisions = decisions
        self._writer = writer
        self._record = record
        self._unfenced = unfenced
        self._clock = clock

    def open_tasks(self) -> list[OpenTask]:
        """Tasks that nobody has decided, the worst and oldest first."""
        found = [
            OpenTask(task=entry.value, at=entry.at)
            for entry in self.tasks.entries()
            if entry.value is not None and self.decisions.get(entry.key) is None
        ]
        return sorted(found, key=lambda one: (one.task.score or 0.0, one.task.created_at))

    def decide(self, decision: Decision) -> Decided:
        """Publish ``decision``; the desk knows of it when this returns.

        Raises:
            InvalidChoiceError: there is no such task, or the text of a correction is missing.
            OutdatedError: somebody decided it, or the task changed; what is there now is in it.
            FencedError: other reviewers got in between again and again; nothing was published.
            StepError, PublishError: the brokers refused; or it cannot be written down, then it was not published.
        """
        if decision.action is CorrectionAction.CORRECT and not decision.content.strip():
            raise InvalidChoiceError("a correction needs a text")
        key, task = self._task(decision)
        correction = Correction(
            correction_id=new_id(),
            review_id=task.review_id,
            request_id=task.request_id,
            tenant_id=task.tenant_id,
            action=decision.action,
            content=decision.content,
            reviewer=decision.reviewer,
            reason=decision.reason or None,
            completion=None if task.completion is None else without_ref(task.completion),
            created_at=self._clock(),
        )
        output = Output(topic="corrections", key=task.request_id, value=correction)
        with self._record(
            f"review.{decision.action.value}",
            subject=task.review_id,
            by=decision.reviewer,
            reason=correction.reason,
            details={"tenant": task.tenant_id},
        ) as act:
            exclusive = publish(self.decisions, self._writer, [output], {key: decision.seen}, unfenced=self._unfenced)
            act.count = 1
        return Decided(correction=correction, at=self.decisions.position(key), exclusive=exclusive)

    def _task(self, decision: Decision) -> tuple[str, ReviewTask]:
        """By its own id, or by its request's: that may be the id of several tenants' requests."""
        found = [(entry, entry.value) for entry in self.tasks.entries() if entry.value is not None]
        meant = [one for one in found if one[1].review_id == decision.review_id] or [
            one for one in found if one[1].request_id == decision.review_id
        ]
        if not meant:
            raise InvalidChoiceError(
                f"there is no task {decision.review_id!r}; see the open ones (`forebay review list`)"
            )
        if len(meant) > 1:
            ids = ", ".join(sorted(f"{task.review_id} ({task.tenant_id})" for _, task in meant))
            raise InvalidChoiceError(f"several tenants have a request of this id; name the task: {ids}")
        [(entry, task)] = meant
        if decision.task_at not in (None, entry.at):
            raise OutdatedError({entry.key: entry})
        return entry.key, task


@contextmanager
def open_desk(settings: Settings) -> Iterator[ReviewDesk]:
    """The desk of an installation, up to the newest task and decision.

    Raises:
        BrokerUnavailableError: no broker answers.
    """
    with ExitStack() as stack:
        tasks: TopicView[ReviewTask] = stack.enter_context(open_view(settings, "reviews", key=_review_id))
        decisions: TopicView[Correction] = stack.enter_context(open_view(settings, "corrections", key=_review_id))
        writer, record = transactions(settings, WRITER), recorder(settings)
        yield ReviewDesk(tasks, decisions, writer, record, unfenced=partial(publish_plainly, settings))


def _review_id(record: ReadRecord) -> str | None:
    value: ReviewTask | Correction | None = record.value
    return None if value is None else value.review_id
