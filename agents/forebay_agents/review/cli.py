"""``forebay review``: what a person decides."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forebay.cli.audit.account import account
from forebay.cli.explaining import explained
from forebay.cli.terminal.saying import complain, print_json, say
from forebay.cli.terminal.tables import print_table
from forebay.contract.records import CorrectionAction, ReviewTask

if TYPE_CHECKING:
    from forebay_agents.review.operations import ReviewDesk

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at answers and correct them.")

ReviewId = Annotated[str, typer.Argument(help="Id of the task, or of its request.")]
Reviewer = Annotated[str, typer.Option(help="Your name in the audit trail.", default_factory=account)]
Reason = Annotated[str, typer.Option(help="Code or short text, without personal data.")]


@app.command("list", help="Open tasks, the worst first.")
def list_tasks(as_json: Annotated[bool, typer.Option("--json", help="One JSON line a task.")] = False) -> None:
    """Question and answer are redacted, as everywhere behind the redaction stage."""
    with _desk() as desk:
        tasks = [one.task for one in desk.open_tasks()]
    if as_json:
        for task in tasks:
            print_json(_line(task))
        return
    print_tasks(tasks)


def print_tasks(tasks: Sequence[ReviewTask]) -> None:
    """Tasks as a table; of long texts the beginning."""
    print_table(
        ("task", "why", "score", "model", "question", "answer"),
        [
            (line["review_id"], line["reason"], str(line["score"] or "-"), line["model"] or "-",
             line["question"][:200], line["answer"][:200])
            for line in map(_line, tasks)
        ],
        title=f"{len(tasks)} open",
    )  # fmt: skip


@app.command(help="The answer stands.")
def approve(review_id: ReviewId, reviewer: Reviewer, reason: Reason = "") -> None:
    """Publish an approval."""
    _decide(review_id, CorrectionAction.APPROVE, reviewer, reason)


@app.command(help="Replace the answer, also in the cache.")
def correct(
    review_id: ReviewId,
    content: Annotated[str, typer.Argument(help="The answer to give instead, with pseudonyms such as <PERSON_1>.")],
    reviewer: Reviewer,
    reason: Reason = "",
) -> None:
    """Publish a correction."""
    _decide(review_id, CorrectionAction.CORRECT, reviewer, reason, content)


@app.command(help="The answer must not be given again.")
def reject(review_id: ReviewId, reviewer: Reviewer, reason: Reason = "") -> None:
    """Publish a rejection."""
    _decide(review_id, CorrectionAction.REJECT, reviewer, reason)


def _decide(review_id: str, action: CorrectionAction, reviewer: str, reason: str, content: str = "") -> None:
    from forebay_agents.review.operations import Decision

    decision = Decision(review_id=review_id, action=action, reviewer=reviewer, reason=reason, content=content)
    with explained(who=lambda said: f"decided by {said.reviewer}: {said.action.value}"), _desk() as desk:
        done = desk.decide(decision)
    say(f"{done.correction.review_id}: {action.value}")
    if not done.exclusive:
        complain("you may not write alone (docs/how-to/production.md, access rights): look again")


def _desk() -> AbstractContextManager["ReviewDesk"]:
    from forebay.embedded.installation import installation
    from forebay_agents.review.operations import open_desk

    return open_desk(installation())


def _line(task: ReviewTask) -> dict[str, Any]:
    completion = task.completion
    request = completion.request if completion else None
    return {
        "review_id": task.review_id,
        "request_id": task.request_id,
        "tenant_id": task.tenant_id,
        "reason": task.reason.value,
        "score": task.score,
        "model": completion.model if completion else None,
        "question": request.messages[-1].content if request and request.messages else "",
        "answer": completion.content if completion else "",
        "created_at": task.created_at,
    }
