"""``forebay review``: what a person decides."""

import getpass
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
import typer

from forebay.contract.clock import now_ms
from forebay.contract.records import Correction, CorrectionAction, ReviewTask
from forebay.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at answers and correct them.")

ReviewId = Annotated[str, typer.Argument(help="Id of the task, or of its request.")]
Reviewer = Annotated[str, typer.Option(help="Your name in the audit trail.", default_factory=getpass.getuser)]
Reason = Annotated[str, typer.Option(help="Code or short text, without personal data.")]


@app.command("list", help="Open tasks, the worst first.")
def list_tasks(as_json: Annotated[bool, typer.Option("--json", help="One JSON line a task.")] = False) -> None:
    """Question and answer are redacted, as everywhere behind the redaction stage."""
    from forebay.embedded.installation import installation

    tasks = _open(installation())
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
    from forebay.contract.handlers import Output
    from forebay.contract.json_lines import new_id
    from forebay.embedded.installation import installation
    from forebay.kafka.publisher import publish

    settings = installation()
    task = next((t for t in _open(settings) if review_id in (t.review_id, t.request_id)), None)
    if task is None:
        raise typer.BadParameter(f"there is no open task {review_id!r}; see `forebay review list`")
    correction = Correction(
        correction_id=new_id(),
        review_id=task.review_id,
        request_id=task.request_id,
        tenant_id=task.tenant_id,
        action=action,
        content=content,
        reviewer=reviewer,
        reason=reason or None,
        completion=task.completion,
        created_at=now_ms(),
    )
    publish(settings, [Output(topic="corrections", key=task.request_id, value=correction)])
    typer.echo(f"{task.review_id}: {action.value}")


def _open(settings: Settings) -> list[ReviewTask]:
    from forebay_agents.review.tasks import open_tasks

    return open_tasks(_values(settings, "reviews"), _values(settings, "corrections"))


def _values(settings: Settings, topic: str) -> Iterator[Any]:
    from forebay.kafka.reader import read_topic

    return (record.value for record in read_topic(settings, topic) if record.value is not None)


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
