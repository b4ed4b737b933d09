"""``forebay dlq``: look at dead letters, and replay, park, drop or export them."""

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from forebay.cli.dead_letters.printing import (
    dead_letters,
    letter_line,
    preview_line,
    preview_text,
    print_groups,
    print_letters,
)
from forebay.cli.dead_letters.progress_bar import ReplayBar
from forebay.cli.dead_letters.selection import letter_filter, states_of
from forebay.cli.terminal.saying import confirm, print_json, refusal, say

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.operations.dead_letters.letters import DeadLetter
    from forebay.operations.dead_letters.plan import Progress
    from forebay.operations.dead_letters.preview import Preview

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at dead letters, and replay them.")

_PROBLEMS_SHOWN = 20


@app.command(help="Letters by stage and error code, the newest error class first.")
def stats(as_json: AsJson = False) -> None:
    """A group is new when its first letter is less than an hour old."""
    with dead_letters() as letters:
        groups = letters.stats()
    if as_json:
        print_json([asdict(item) for item in groups])
        return
    print_groups(groups)


@app.command("list", help="Letters that match.")
def list_letters(
    stage: Stage = "", code: Code = "", tenant: Tenant = "", request_id: RequestId = "", text: Text = "",
    since: Since = "", until: Until = "", ids: Ids = None, state: InState = State.OPEN, limit: Limit = 0,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """One JSON line a letter with ``--json``."""
    with dead_letters() as letters:
        chosen = letter_filter(
            letters.now_ms(), stage, code, tenant, request_id, text, since, until, ids, states_of(state)
        )
        found = letters.find(chosen, limit)
    if as_json:
        for letter in found:
            print_json(letter_line(letter))
        return
    print_letters(found)


@app.command(help="One letter with all its headers, and its record if it is not sealed.")
def show(
    letter_id: Annotated[str, typer.Argument(help="Id of the letter.")],
    by: By,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, which it is anyway.")] = True,
) -> None:
    """JSON. A sealed record is shown as such: opening it is for `replay --transform --dry-run`."""
    from forebay.contract.json_lines import to_json

    with dead_letters() as letters:
        shown = letters.show(letter_id, by=by)
    source = shown.letter.source
    content = letter_line(shown.letter) | {
        "headers": {name: value.decode("utf-8", "replace") for name, value in source.headers.items()},
        "key": (source.key or b"").decode("utf-8", "replace"),
        "bytes": len(source.value or b""),
    }
    if shown.record is not None:
        content["record"] = to_json(shown.record)
    elif shown.hidden:
        content["record"] = shown.hidden
    print_json(content, indent=True)


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
    from forebay.operations.dead_letters.plan import Plan
    from forebay.operations.dead_letters.selection import replayable_states

    with dead_letters() as letters:
        states = replayable_states(again=again, by_id=bool(ids))
        chosen = letter_filter(letters.now_ms(), stage, code, tenant, request_id, text, since, until, ids, states)
        found = letters.find(chosen, limit, whole=True)
        if dry_run:
            _print_previews(letters.preview(found, chosen.describe(), max_replays, transform, by=by), as_json=as_json)
            return
        if found and not yes and not as_json:
            confirm(f"Replay {len(found)} letters?")
        plan = Plan(
            by=by, reason=reason or None, rate_per_s=rate, canary=canary, pause_above=pause_above, settle_s=settle,
            max_replays=max_replays, again=again,
        )  # fmt: skip
        with ReplayBar(len(found), show=not as_json) as bar:
            progress = letters.replay(found, chosen.describe(), plan, transform=transform, on_progress=bar.update)
    _print_outcome(progress, as_json=as_json)
    if progress.paused:
        raise typer.Exit(1)


@app.command(help="Set letters aside for a person.")
def park(
    ids: Annotated[list[str], typer.Argument(help="Ids of letters.")], by: By, reason: Reason = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """A parked letter is replayed only with ``--again``."""
    with dead_letters() as letters:
        _print_decided("parked", letters.park(ids, by=by, reason=reason or None), as_json=as_json)


@app.command(help="Give letters up for good; a reason is needed.")
def drop(
    ids: Annotated[list[str], typer.Argument(help="Ids of letters.")],
    by: By,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; without personal data.")],
    as_json: AsJson = False,
) -> None:
    """The letter stays in its topic until its retention ends; it is only not offered any more."""
    with dead_letters() as letters:
        _print_decided("dropped", letters.drop(ids, by=by, reason=reason), as_json=as_json)


@app.command(help="Write letters to a file: JSON lines with the record's bytes as they are, sealed ones sealed.")
def export(
    file: Annotated[Path, typer.Argument(help="Where to; must not exist.")], by: By,
    stage: Stage = "", code: Code = "", tenant: Tenant = "", request_id: RequestId = "", text: Text = "",
    since: Since = "", until: Until = "", ids: Ids = None, state: InState = State.ALL, limit: Limit = 0,
    reason: Reason = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """The file is readable by its owner only; the export is in the audit trail before the file has anything in it."""
    with dead_letters() as letters:
        chosen = letter_filter(
            letters.now_ms(), stage, code, tenant, request_id, text, since, until, ids, states_of(state)
        )
        found = letters.find(chosen, limit, whole=True)
        try:
            file.touch(mode=0o600, exist_ok=False)
        except OSError as error:
            raise refusal(f"cannot make {file}: {error.strerror}") from None
        with letters.export(found, chosen.describe(), by=by, reason=reason or None) as exported:
            _write(exported, file)
    if as_json:
        print_json({"action": "exported", "letters": len(exported), "file": str(file)})
    else:
        say(f"{len(exported)} letters written to {file}")


@app.command(help="Make the key that replays are signed with; prints the line for dlq.operators.")
def key(
    name: Annotated[str, typer.Argument(help="Whose it is: letters, digits, - and _.")],
    file: Annotated[Path, typer.Argument(help="Where to; must not exist.")],
) -> None:
    """The file is readable by its owner only; name it in ``dlq.signing_key_file``. That it was made is in the trail."""
    from forebay.cli.explaining import explained
    from forebay.embedded.files import write_private
    from forebay.embedded.installation import installation
    from forebay.operations.audit.opening import recorder
    from forebay.operations.dead_letters.signing import new_key

    if file.exists():
        raise refusal(f"{file} is there already")
    with explained(), new_key(name, recorder(installation())) as key:
        write_private(file, key.line)
    say(f"{key.name}: {key.public}")


def _write(letters: "Iterable[DeadLetter]", file: Path) -> None:
    with file.open("wb") as stream:
        for letter in letters:
            headers = {n: v.decode("utf-8", "replace") for n, v in letter.source.headers.items()}
            content = letter_line(letter) | {
                "headers": headers,
                "key_base64": base64.b64encode(letter.source.key or b"").decode(),
                "value_base64": base64.b64encode(letter.source.value or b"").decode(),
            }
            stream.write(orjson.dumps(content) + b"\n")


def _print_previews(previews: "Iterable[Preview]", *, as_json: bool) -> None:
    counts = Counter[str]()
    for preview in previews:
        counts[preview.fate.value] += 1
        if as_json:
            print_json(preview_line(preview))
        else:
            say(preview_text(preview), lines=True)
    say(
        f"would replay {counts['replay']}, park {counts['park']}, leave open {counts['leave']}; nothing was done",
        err=True,
    )


def _print_outcome(progress: "Progress", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(progress))
    else:
        say(
            f"replayed {progress.replayed}, succeeded {progress.succeeded}, failed again {progress.failed}, "
            f"parked {progress.parked}, skipped {progress.skipped}"
            + (f", waiting for another try {progress.retrying}" if progress.retrying else "")
            + (f", left open {progress.unmended}" if progress.unmended else "")
        )
        for problem in list(progress.problems.values())[:_PROBLEMS_SHOWN]:
            say(f"left open: {problem}", err=True)
    if progress.paused:
        say(f"paused: {progress.paused}", err=True)


def _print_decided(action: str, letters: "Sequence[DeadLetter]", *, as_json: bool) -> None:
    if as_json:
        before = {letter.letter_id: letter.state.value for letter in letters}
        print_json({"action": action, "letters": list(before), "before": before})
        return
    say(f"{action} {len(letters)}")
    for letter in letters:
        if letter.note is not None and letter.note.value is not None:
            say(f"{letter.letter_id} was {letter.state.value} by {letter.note.value.by} before", err=True)
