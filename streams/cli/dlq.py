"""``forebay dlq``: look at dead letters, and replay, park, drop or export them."""

import base64
import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from streams.cli.dlq_letters import chosen_letters, letter_filter, letter_line, letters_by_id
from streams.records import DeadLetterAction
from streams.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at dead letters, and replay them.")

Stage = Annotated[str, typer.Option(help="Only letters of this stage.")]
Code = Annotated[str, typer.Option(help="Only letters with this error code.")]
Tenant = Annotated[str, typer.Option(help="Only letters of this tenant.")]
RequestId = Annotated[str, typer.Option("--request-id", help="Only letters of this request.")]
Text = Annotated[str, typer.Option(help="Only letters whose error message contains this.")]
Since = Annotated[str, typer.Option(help="Only letters since then: 2026-11-23T10:00, or an age such as 90m, 6h, 2d.")]
Until = Annotated[str, typer.Option(help="Only letters before then.")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Only this letter; repeatable.")]
State = Annotated[str, typer.Option(help="open, replayed, parked, dropped or all.")]
By = Annotated[str, typer.Option(help="Your name in the audit trail.", default_factory=getpass.getuser)]
Reason = Annotated[str, typer.Option(help="Why, for the audit trail; without personal data.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

_PIPED_WIDTH = 240
"""Columns of a table that goes into a file or a pipe, where a code must not be broken over lines."""


@app.command(help="Letters by stage and error code, the newest error class first.")
def stats(as_json: AsJson = False) -> None:
    """A group is new when its first letter is less than an hour old."""
    from streams.dlq.letters import group, read_letters

    groups = group(read_letters(_settings()))
    if as_json:
        _json([asdict(item) for item in groups])
        return
    _table(
        ("", "stage", "code", "class", "letters", "open", "first", "last"),
        [
            ("new" if item.new else "", item.stage, item.code, item.failure_class, str(item.count), str(item.open),
             _time(item.first_failed_at), _time(item.last_failed_at))
            for item in groups
        ],
    )  # fmt: skip


@app.command("list", help="Letters that match.")
def list_letters(
    stage: Stage = "", code: Code = "", tenant: Tenant = "", request_id: RequestId = "", text: Text = "",
    since: Since = "", until: Until = "", ids: Ids = None, state: State = "open",
    limit: Annotated[int, typer.Option(help="At most so many; 0: all.")] = 0, as_json: AsJson = False,
) -> None:  # fmt: skip
    """One JSON line a letter with ``--json``."""
    letters = chosen_letters(
        _settings(), letter_filter(stage, code, tenant, request_id, text, since, until, ids, state), limit
    )
    if as_json:
        for letter in letters:
            typer.echo(orjson.dumps(letter_line(letter)).decode())
        return
    _table(
        ("id", "failed", "stage", "code", "tenant", "request", "replays", "state", "message"),
        [
            (item.letter_id, _time(item.failed_at), item.stage, item.code, item.tenant_id, item.request_id,
             str(item.replays), item.state, item.message)
            for item in letters
        ],
    )  # fmt: skip


@app.command(help="One letter with all its headers, and its record if it is not sealed.")
def show(letter_id: Annotated[str, typer.Argument(help="Id of the letter.")]) -> None:
    """JSON. A sealed record is shown as such: opening it is for `replay --transform --dry-run`."""
    from streams import headers as h
    from streams.codec import UndecodableError, open_codecs
    from streams.json_lines import to_json
    from streams.registry import open_registry

    settings = _settings()
    [letter] = letters_by_id(settings, [letter_id])
    content = letter_line(letter) | {
        "headers": {name: value.decode("utf-8", "replace") for name, value in letter.source.headers.items()},
        "key": (letter.source.key or b"").decode("utf-8", "replace"),
        "bytes": len(letter.source.value or b""),
    }
    codec = open_codecs(settings, open_registry(settings)).get(letter.origin_topic)
    if h.SEALED in letter.source.headers:
        content["record"] = "sealed"
    elif codec is not None:
        try:
            content["record"] = to_json(codec.decode(letter.source.value))
        except UndecodableError as error:
            content["record"] = f"{error.code}: {error}"
    typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


@app.command(help="Send letters back to the stage that they came from.")
def replay(
    by: By, stage: Stage = "", code: Code = "", tenant: Tenant = "", request_id: RequestId = "", text: Text = "",
    since: Since = "", until: Until = "", ids: Ids = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be replayed.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many letters; 0: all.")] = 0,
    rate: Annotated[float, typer.Option(help="Letters per second; 0: as fast as it goes.")] = 0.0,
    canary: Annotated[int, typer.Option(help="Replay so many first; go on only if 95 % succeed.")] = 0,
    pause_above: Annotated[float, typer.Option(help="Stop when more than this share fails again.")] = 0.2,
    settle: Annotated[float, typer.Option(help="Seconds to wait for the last outcomes.")] = 60.0,
    max_replays: Annotated[int, typer.Option(help="A letter that was replayed so often is parked.")] = 3,
    again: Annotated[bool, typer.Option("--again", help="Also letters that were replayed or parked before.")] = False,
    transform: Annotated[Path | None, typer.Option(help="Python file with transform(record: dict) -> dict.")] = None,
    reason: Reason = "", as_json: AsJson = False, yes: Yes = False,
) -> None:  # fmt: skip
    """Exit status 1 when the replay paused itself."""
    from streams.dlq.commands import dry_run_lines, run_replay
    from streams.dlq.replaying import Plan

    settings = _settings()
    chosen = letter_filter(stage, code, tenant, request_id, text, since, until, ids, "all" if again else "open")
    letters = chosen_letters(settings, chosen, limit)
    if dry_run:
        with _explained():
            for line in dry_run_lines(settings, letters, transform):
                typer.echo(orjson.dumps(line).decode() if as_json else _dry_text(line))
        typer.echo(f"{len(letters)} letters would be replayed", err=True)
        return
    if letters and not yes and not as_json:
        typer.confirm(f"Replay {len(letters)} letters?", abort=True, err=True)
    plan = Plan(
        by=by, reason=reason or None, rate_per_s=rate, canary=canary, pause_above=pause_above, settle_s=settle,
        max_replays=max_replays, again=again,
    )  # fmt: skip
    with _explained():
        progress = run_replay(settings, letters, chosen, plan, transform, show=not as_json)
    if as_json:
        _json(asdict(progress))
    else:
        typer.echo(
            f"replayed {progress.replayed}, succeeded {progress.succeeded}, failed again {progress.failed}, "
            f"parked {progress.parked}, skipped {progress.skipped}"
            + (f", left open {progress.unmended}" if progress.unmended else "")
        )
    if progress.paused:
        typer.echo(f"paused: {progress.paused}", err=True)
        raise typer.Exit(1)


@app.command(help="Set letters aside for a person.")
def park(ids: Annotated[list[str], typer.Argument(help="Ids of letters.")], by: By, reason: Reason = "") -> None:
    """A parked letter is replayed only with ``--again``."""
    _decide(ids, DeadLetterAction.PARKED, by, reason)


@app.command(help="Give letters up for good; a reason is needed.")
def drop(
    ids: Annotated[list[str], typer.Argument(help="Ids of letters.")],
    by: By,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; without personal data.")],
) -> None:
    """The letter stays in its topic until its retention ends; it is only not offered any more."""
    _decide(ids, DeadLetterAction.DROPPED, by, reason)


@app.command(help="Write letters to a file: JSON lines with the record's bytes as they are, sealed ones sealed.")
def export(
    file: Annotated[Path, typer.Argument(help="Where to; must not exist.")],
    by: By,
    stage: Stage = "", code: Code = "", tenant: Tenant = "", since: Since = "", until: Until = "",
    state: State = "all", reason: Reason = "",
) -> None:  # fmt: skip
    """The file is readable by its owner only; the export is in the audit trail."""
    from streams.dlq.commands import record_audit

    settings = _settings()
    chosen = letter_filter(stage, code, tenant, "", "", since, until, None, state)
    letters = chosen_letters(settings, chosen, 0)
    file.touch(mode=0o600, exist_ok=False)
    with file.open("wb") as stream:
        for letter in letters:
            headers = {n: v.decode("utf-8", "replace") for n, v in letter.source.headers.items()}
            value = base64.b64encode(letter.source.value or b"").decode()
            stream.write(orjson.dumps(letter_line(letter) | {"headers": headers, "value_base64": value}) + b"\n")
    with _explained():
        record_audit(settings, "dlq.export", by, reason or None, chosen.describe(), len(letters))
    typer.echo(f"{len(letters)} letters written to {file}")


def _decide(ids: Sequence[str], action: DeadLetterAction, by: str, reason: str) -> None:
    from streams.dlq.commands import decide

    settings = _settings()
    letters = letters_by_id(settings, ids)
    with _explained():
        decide(settings, letters, action, by, reason or None)
    typer.echo(f"{action.value} {len(ids)}")


@contextmanager
def _explained() -> Iterator[None]:
    """What an operator can mend, or has to know, in one line and exit status 1."""
    from streams.dlq.journal import FencedError, JournalError
    from streams.dlq.transforming import TransformError

    try:
        yield
    except (FencedError, JournalError, TransformError) as error:
        typer.echo(f"forebay: {error}", err=True)
        raise typer.Exit(1) from None


def _settings() -> Settings:
    from streams.cli.settings import installation

    return installation()


def _dry_text(line: dict[str, Any]) -> str:
    head = f"{line['id']}  {line['stage']}  {line['code']}  {line['request_id']}"
    return (
        head + (f"\n{line['diff']}" if line.get("diff") else "") + (f"\n  {line['error']}" if "error" in line else "")
    )


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _json(content: Any) -> None:
    typer.echo(orjson.dumps(content).decode())


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    piped = not sys.stdout.isatty()
    Console(width=_PIPED_WIDTH if piped else None).print(table)
