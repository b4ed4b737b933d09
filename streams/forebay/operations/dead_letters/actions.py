"""The steps behind ``forebay dlq``: each opens the journal, so that no two operators act at once."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.clock import now_ms
from forebay.contract.handlers import Output
from forebay.contract.json_lines import new_id
from forebay.contract.records import DeadLetterAction, DeadLetterState
from forebay.kafka.publisher import publish
from forebay.operations.dead_letters.journal import Journal
from forebay.operations.dead_letters.letters import DeadLetter, Filter, read_states
from forebay.operations.dead_letters.originals import check_sendable, with_originals
from forebay.operations.dead_letters.outcomes import TopicOutcomes
from forebay.operations.dead_letters.replay import Plan, Progress, Replayer, audit
from forebay.operations.dead_letters.transform import RecordTransform, TransformError, load_transform
from forebay.privacy.sealing import load_keyring
from forebay.settings import ConfigurationError, Settings, VaultSettings


def run_replay(
    settings: Settings, letters: Sequence[DeadLetter], chosen: Filter, plan: Plan, transform: Path | None, *, show: bool
) -> Progress:
    """Replay ``letters``, with a progress bar on standard error if ``show``."""
    replay_id = new_id()
    changed = None if transform is None else _transform(settings, transform)
    letters = with_originals(settings, letters)
    with (
        Journal(settings) as journal,
        closing(TopicOutcomes(settings, replay_id)) as outcomes,
        _Bar(len(letters), show) as bar,
    ):
        replayer = Replayer(
            journal=journal,
            states=read_states(settings),
            outcomes=outcomes,
            plan=plan,
            transform=changed,
            on_progress=bar.update,
            replay_id=replay_id,
        )
        return replayer.run(letters, chosen.describe())


def dry_run_lines(
    settings: Settings, letters: Sequence[DeadLetter], max_replays: int, transform: Path | None
) -> Iterator[dict[str, Any]]:
    """A line for each letter: its ``action`` is replay, park or leave (with an ``error``), and the ``diff`` it gets."""
    changed = None if transform is None else _transform(settings, transform)
    for letter in with_originals(settings, letters):
        line: dict[str, Any] = {
            "id": letter.letter_id,
            "stage": letter.stage,
            "code": letter.code,
            "request_id": letter.request_id,
            "action": "replay",
        }
        try:
            if letter.replays >= max_replays:
                line["action"] = "park"
            else:
                check_sendable(letter)
                if changed is not None:
                    line["diff"] = changed.diff(letter)
        except TransformError as error:
            line |= {"action": "leave", "error": str(error)}
        yield line


def decide(
    settings: Settings, letters: Sequence[DeadLetter], action: DeadLetterAction, by: str, reason: str | None
) -> None:
    """Park or drop ``letters``, with an entry in the audit trail, in one step."""
    at = now_ms()
    states = [
        Output(
            topic="dlq.state",
            key=letter.letter_id,
            value=DeadLetterState(dead_letter_id=letter.letter_id, action=action, by=by, reason=reason, at=at),
        )
        for letter in letters
    ]
    name = "dlq.park" if action is DeadLetterAction.PARKED else "dlq.drop"
    subject = " ".join(letter.letter_id for letter in letters)
    with Journal(settings) as journal:
        journal.step([*states, audit(name, Plan(by=by, reason=reason), subject, len(letters), at, {})])


def record_audit(settings: Settings, action: str, by: str, reason: str | None, subject: str, count: int) -> None:
    """An entry in the audit trail for something that changed nothing, beside whatever another operator is doing."""
    publish(settings, [audit(action, Plan(by=by, reason=reason), subject, count, now_ms(), {})])


def _transform(settings: Settings, path: Path) -> RecordTransform:
    try:
        keyring = load_keyring(settings[VaultSettings])
    except ConfigurationError:
        keyring = None  # letters that are not sealed need none; others say so
    return RecordTransform(load_transform(path), open_codecs(settings, open_registry(settings)), keyring)


class _Bar:
    """A progress bar on standard error."""

    def __init__(self, total: int, show: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("replayed"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[outcomes]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not show,
        )
        self._task = self._progress.add_task("replayed", total=total, outcomes="")

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, progress: Progress) -> None:
        """Show how far it is."""
        self._progress.update(
            self._task,
            completed=progress.replayed + progress.parked + progress.unmended,
            outcomes=f"{progress.succeeded} served, {progress.failed} failed again, {progress.retrying} waiting",
        )
