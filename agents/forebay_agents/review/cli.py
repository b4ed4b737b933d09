"""``forebay review``: what a person decides."""

import getpass
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from forebay.cli.explaining import explained
from forebay.contract.records import CorrectionAction, ReviewTask

if TYPE_CHECKING:
    from forebay_agents.review.operations import ReviewDesk

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at answers and correct them.")

ReviewId = Annotated[str, typer.Argument(help="Id of the task, or of its request.")]
Reviewer = Annotated[str, typer.Option(help="Your name in the audit trail.", default_factory=getpass.getuser)]
Reason = Annotated[str, typer.Option(help="Code or short text, without personal data.")]


@app.command("list", help="Open tasks, the worst first.")
def list_tasks(as_json: Annotated[bool, typer.Option("--json", help="One JSON line a task.")] = False) -> None:
    """Question and answer are redacted, as everywhere behind the redaction stage."""
    with _desk() as desk:
        tasks = [one.task for one in desk.open_tasks()]
    if as_json:
        for task in tasks:
            typer.echo(orjson.dumps(_line(task)).decode())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("task", "why", "score", "model", "question", "answer", title=f"{len(tasks)} open")
    for task in tasks:
        line = _line(task)
        table.add_row(
            task.review_id, line["reason"], str(line["score"] or "-"), line["model"] or "-",
            line["question"][:200], line["answer"][:200],
        )  # fmt: skip
    Console().print(table)


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
    typer.echo(f"{done.correction.review_id}: {action.value}")
    if not done.exclusive:
        typer.echo("forebay: you may not write alone (docs/how-to/production.md, access rights): look again", err=True)


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
