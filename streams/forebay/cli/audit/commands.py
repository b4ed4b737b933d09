"""``forebay audit list|verify``."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.terminal.saying import print_json, say
from forebay.cli.terminal.tables import print_table

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.contract.records import AuditEvent

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What people did, and whether the trail is whole.")

_DAY_MS = 86_400_000


@app.command("list", help="What people did, the oldest first.")
def list_command(
    *,
    action: Annotated[str, typer.Option(help="Only actions that begin so, such as vault.")] = "",
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Each act has a record before it and one after it."""
    from forebay.embedded.installation import installation
    from forebay.operations.audit.trail import KafkaTrail

    events = [event for event in KafkaTrail(installation()).read().events if event.action.startswith(action)]
    if json_output:
        for event in events:
            print_json(asdict(event))
        return
    print_events(events)


def print_events(events: "Iterable[AuditEvent]") -> None:
    """A line a record."""
    from forebay.operations.audit.chain import OUTCOME, PHASE

    print_table(
        ["at", "by", "action", "", "subject", "count", "reason"],
        (
            (
                _time(event.at),
                event.by,
                event.action,
                event.details.get(OUTCOME) or event.details.get(PHASE, ""),
                event.subject,
                str(event.count),
                event.reason or "",
            )
            for event in events
        ),
    )


@app.command(help="Whether a record is missing or not what it was; what retention took is told from that.")
def verify(
    *,
    retention_days: Annotated[
        float | None, typer.Option(min=0, help="Days that the topic keeps records, where that is not the catalogue's.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Exit status 1 when the trail is not whole."""
    from forebay.contract.clock import now_ms
    from forebay.contract.topics import TOPICS
    from forebay.embedded.installation import installation
    from forebay.operations.audit import chain
    from forebay.operations.audit.trail import KafkaTrail

    read = KafkaTrail(installation()).read()
    kept_ms = TOPICS["audit"].retention_ms if retention_days is None else int(retention_days * _DAY_MS)
    found = chain.verify(read.events, now_ms=now_ms(), retention_ms=kept_ms, unreadable=read.unreadable)
    if json_output:
        print_json({"whole": found.whole, **asdict(found)}, indent=True)
    else:
        for gone in found.missing:
            say(f"{gone.audit_id} is missing; {gone.named_by} names it")
        for audit_id in found.altered:
            say(f"{audit_id} is not what it was")
        for audit_id in found.unfinished:
            say(f"{audit_id} was begun, and nobody wrote down how it ended")
        say(
            f"{'whole' if found.whole else 'NOT whole'}: {found.events} records, {found.unlinked} of them not linked, "
            f"{found.expired} older ones taken by retention, {found.unreadable} unreadable"
        )
    if not found.whole:
        raise typer.Exit(1)


def _time(at_ms: int) -> str:
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):  # whoever may write to the topic may write any number
        return str(at_ms)
