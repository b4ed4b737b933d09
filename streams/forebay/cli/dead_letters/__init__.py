"""``forebay dlq``: look at dead letters, and replay, park, drop or export them."""

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer

from forebay.cli.dead_letters.options import (
    AsJson,
    By,
    Code,
    Ids,
    InState,
    Limit,
    Reason,
    RequestId,
    Since,
    Stage,
    State,
    Tenant,
    Text,
    Until,
    Yes,
    finite,
)
from forebay.cli.dead_letters.printing import dry_text, explained, print_json, print_table, time_text
from forebay.cli.dead_letters.selection import chosen_letters, letter_filter, letter_line, letters_by_id
from forebay.contract.records import DeadLetterAction
from forebay.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at dead letters, and replay them.")

_PROBLEMS_SHOWN = 20


@app.command(help="Letters by stage and error code, the newest error class first.")
def stats(as_json: AsJson = False) -> None:
    """A group is new when its first letter is less than an hour old."""
    from forebay.operations.dead_letters.letters import group, read_letters

    groups = group(letter.without_bytes() for letter in read_letters(_settings()))
    if as_json:
        print_json([asdict(item) for item in groups])
        return
    print_table(
        ("", "stage", "code", "class", "letters", "open", "first", "last"),
        [
            ("new" if item.new else "", item.stage, item.code, item.failure_class, str(item.count), str(item.open),
             time_text(item.first_failed_at), time_text(item.last_failed_at))
            for item in groups
        ],
    )  # fmt: skip


@app.command("list", help="Letters that match.")
def list_letters(
    stage: Stage = "", code: Code = "", tenant: Tenant = "", request_id: RequestId = "", text: Text = "",
    since: Since = "", until: Until = "", ids: Ids = None, state: InState = State.OPEN, limit: Limit = 0,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """One JSON line a letter with ``--json``."""
    chosen = letter_filter(stage, code, tenant, request_id, text, since, until, ids, state)
    letters = chosen_letters(_settings(), chosen, limit, with_bytes=False)
    if as_json:
        for letter in letters:
            typer.echo(orjson.dumps(letter_line(letter)).decode())
        return
    print_table(
        ("id", "failed", "stage", "code", "tenant", "request", "replays", "state", "message"),
        [
            (item.letter_id, time_text(item.failed_at), item.stage, item.code, item.tenant_id, item.request_id,
             str(item.replays), item.state, item.message)
            for item in letters
        ],
    )  # fmt: skip


@app.command(help="One letter with all its headers, and its record if it is not sealed.")
def show(
    letter_id: Annotated[str, typer.Argument(help="Id of the letter.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON, which it is anyway.")] = True,
) -> None:
    """JSON. A sealed record is shown as such: opening it is for `replay --transform --dry-run`."""
    from forebay.avro.codec import UndecodableError, open_codecs
    from forebay.avro.registry import open_registry
    from forebay.contract import headers as h
    from forebay.contract.json_lines import to_json
    from forebay.operations.dead_letters.originals import is_withheld
    from forebay.privacy.outbound import WITHHELD

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
    elif is_withheld(letter):
        content["record"] = f"withheld: {h.text(letter.source.headers, WITHHELD)} in it; see {letter.origin_topic}"
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
    limit: Limit = 0,
    rate: Annotated[float, typer.Option(min=0, callback=finite, help="Letters per second; 0: no limit.")] = 0.0,
    canary: Annotated[int, typer.Option(min=0, help="Replay so many first; go on only if 95 % succeed.")] = 0,
    pause_above: Annotated[
        float, typer.Option(min=0, max=1, callback=finite, help="Pause when more than this share fails again.")
    ] = 0.2,
    settle: Annotated[
        float, typer.Option(min=0, callback=finite, help="Seconds to wait for the last outcomes.")
    ] = 60.0,
    max_replays: Annotated[int, typer.Option(min=0, help="A letter that was replayed so often is parked.")] = 3,
    again: Annotated[
        bool, typer.Option("--again", help="Also replayed and parked letters; dropped ones only by --id.")
    ] = False,
    transform: Annotated[Path | None, typer.Option(help="Python file with transform(record: dict) -> dict.")] = None,
    reason: Reason = "", as_json: AsJson = False, yes: Yes = False,
) -> None:  # fmt: skip
    """Exit status 1 when the replay paused itself."""
    from forebay.operations.dead_letters.actions import dry_run_lines, run_replay
    from forebay.operations.dead_letters.replay import Plan

    settings = _settings()
    chosen = letter_filter(
        stage, code, tenant, request_id, text, since, until, ids, _replayable(again=again, by_id=bool(ids))
    )
    letters = chosen_letters(settings, chosen, limit)
    if dry_run:
        counts = Counter[str]()
        with explained():
            for line in dry_run_lines(settings, letters, max_replays, transform):
                counts[line["action"]] += 1
                typer.echo(orjson.dumps(line).decode() if as_json else dry_text(line))
        typer.echo(
            f"would replay {counts['replay']}, park {counts['park']}, leave open {counts['leave']}; nothing was done",
            err=True,
        )
        return
    if letters and not yes and not as_json:
        typer.confirm(f"Replay {len(letters)} letters?", abort=True, err=True)
    plan = Plan(
        by=by, reason=reason or None, rate_per_s=rate, canary=canary, pause_above=pause_above, settle_s=settle,
        max_replays=max_replays, again=again,
    )  # fmt: skip
    with explained():
        progress = run_replay(settings, letters, chosen, plan, transform, show=not as_json)
    if as_json:
        print_json(asdict(progress))
    else:
        typer.echo(
            f"replayed {progress.replayed}, succeeded {progress.succeeded}, failed again {progress.failed}, "
            f"parked {progress.parked}, skipped {progress.skipped}"
            + (f", waiting for another try {progress.retrying}" if progress.retrying else "")
            + (f", left open {progress.unmended}" if progress.unmended else "")
        )
        for problem in list(progress.problems.values())[:_PROBLEMS_SHOWN]:
            typer.echo(f"left open: {problem}", err=True)
    if progress.paused:
        typer.echo(f"paused: {progress.paused}", err=True)
        raise typer.Exit(1)


@app.command(help="Set letters aside for a person.")
def park(
    ids: Annotated[list[str], typer.Argument(help="Ids of letters.")], by: By, reason: Reason = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """A parked letter is replayed only with ``--again``."""
    _decide(ids, DeadLetterAction.PARKED, by, reason, as_json=as_json)


@app.command(help="Give letters up for good; a reason is needed.")
def drop(
    ids: Annotated[list[str], typer.Argument(help="Ids of letters.")],
    by: By,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; without personal data.")],
    as_json: AsJson = False,
) -> None:
    """The letter stays in its topic until its retention ends; it is only not offered any more."""
    if not reason.strip():
        raise typer.BadParameter("a reason is needed", param_hint="--reason")
    _decide(ids, DeadLetterAction.DROPPED, by, reason, as_json=as_json)


@app.command(help="Write letters to a file: JSON lines with the record's bytes as they are, sealed ones sealed.")
def export(
    file: Annotated[Path, typer.Argument(help="Where to; must not exist.")], by: By,
    stage: Stage = "", code: Code = "", tenant: Tenant = "", request_id: RequestId = "", text: Text = "",
    since: Since = "", until: Until = "", ids: Ids = None, state: InState = State.ALL, limit: Limit = 0,
    reason: Reason = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """The file is readable by its owner only; the export is in the audit trail before the file has anything in it."""
    from forebay.operations.dead_letters.actions import record_audit

    settings = _settings()
    chosen = letter_filter(stage, code, tenant, request_id, text, since, until, ids, state)
    letters = chosen_letters(settings, chosen, limit)
    try:
        file.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise typer.BadParameter(f"cannot make {file}: {error.strerror}") from None
    with explained():
        record_audit(settings, "dlq.export", by, reason or None, chosen.describe(), len(letters))
    with file.open("wb") as stream:
        for letter in letters:
            headers = {n: v.decode("utf-8", "replace") for n, v in letter.source.headers.items()}
            content = letter_line(letter) | {
                "headers": headers,
                "key_base64": base64.b64encode(letter.source.key or b"").decode(),
                "value_base64": base64.b64encode(letter.source.value or b"").decode(),
            }
            stream.write(orjson.dumps(content) + b"\n")
    if as_json:
        print_json({"action": "exported", "letters": len(letters), "file": str(file)})
    else:
        typer.echo(f"{len(letters)} letters written to {file}")


def _decide(ids: Sequence[str], action: DeadLetterAction, by: str, reason: str, *, as_json: bool) -> None:
    from forebay.operations.dead_letters.actions import decide

    settings = _settings()
    letters = letters_by_id(settings, ids)
    with explained():
        decide(settings, letters, action, by, reason or None)
    if as_json:
        print_json({"action": action.value, "letters": [letter.letter_id for letter in letters]})
    else:
        typer.echo(f"{action.value} {len(letters)}")


def _replayable(*, again: bool, by_id: bool) -> frozenset[str]:
    """States of the letters that a replay may choose from; none: all of them."""
    if not again:
        return frozenset({State.OPEN})
    return frozenset() if by_id else frozenset({State.OPEN, State.REPLAYED, State.PARKED})


def _settings() -> Settings:
    from forebay.embedded.installation import installation

    return installation()
