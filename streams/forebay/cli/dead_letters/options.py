"""Which options do the commands of ``forebay dlq`` share, and which values do they take?"""

import math
from enum import StrEnum
from typing import Annotated

import typer

from forebay.cli.audit.account import account
from forebay.cli.terminal.saying import refusal


class State(StrEnum):
    """What was done with a letter; ``all`` matches every one."""

    OPEN = "open"
    REPLAYED = "replayed"
    PARKED = "parked"
    DROPPED = "dropped"
    ALL = "all"


def finite(value: float) -> float:
    """``value``, unless it is no number that one can count with."""
    if not math.isfinite(value):
        raise refusal("a finite number is needed")
    return value


Stage = Annotated[str, typer.Option(help="Only letters of this stage.")]
Code = Annotated[str, typer.Option(help="Only letters with this error code.")]
Tenant = Annotated[str, typer.Option(help="Only letters of this tenant.")]
RequestId = Annotated[str, typer.Option("--request-id", help="Only letters of this request.")]
Text = Annotated[str, typer.Option(help="Only letters whose error message contains this.")]
Since = Annotated[str, typer.Option(help="Only letters since then: 2026-11-23T10:00, or an age such as 90m, 6h, 2d.")]
Until = Annotated[str, typer.Option(help="Only letters before then.")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Only this letter; repeatable.")]
InState = Annotated[State, typer.Option("--state", help="Only letters in this state.")]
Limit = Annotated[int, typer.Option(min=0, help="At most so many letters, the oldest first; 0: all.")]
By = Annotated[str, typer.Option(help="Your name in the audit trail.", default_factory=account)]
Reason = Annotated[str, typer.Option(help="Why, for the audit trail; without personal data.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; with --json nothing is asked either.")]
