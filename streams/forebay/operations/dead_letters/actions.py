"""What may an operator do with dead letters? Look, try dry, replay, park, drop, export; typed, and without a terminal.

Whatever changes a letter goes through the journal: all of a step or nothing, by one operator at a time. It reads again
what was done with the letters once it is the only one that can write; who decides on a letter that somebody else has
decided on since is told, and nothing is done. Every act is in the audit trail before it happens, and so is every look
at records.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forebay.avro.codec import Codec
from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.json_lines import new_id
from forebay.contract.records import DeadLetterAction, DeadLetterState
from forebay.operations.audit.recording import Recorder
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.dead_letters.answered import Ended, with_answers
from forebay.operations.dead_letters.letters import DeadLetter, Group, group, letter_of, place_of
from forebay.operations.dead_letters.originals import with_originals
from forebay.operations.dead_letters.plan import Plan, Progress, Wish
from forebay.operations.dead_letters.preview import Preview, previews
from forebay.operations.dead_letters.queue import Queue
from forebay.operations.dead_letters.replay import Outcomes, Replayer, Signer, Steps
from forebay.operations.dead_letters.selection import Filter, chosen_of
from forebay.operations.dead_letters.shown import Shown, shown
from forebay.operations.dead_letters.transform import RecordTransform, load_transform
from forebay.operations.seen_writes import publish
from forebay.operations.topic_view import Position, TopicView
from forebay.privacy.sealing import Keyring

_NAMED = 20
"""Letters that are named in a record of the audit trail; each has a note of its own in any case."""


@dataclass(frozen=True, kw_only=True)
class DeadLetters:
    """The dead letters of one installation; :mod:`forebay.operations.dead_letters.opening` makes it.

    Attributes:
        ended: what became of requests.
        notes: on letters, by their ids.
        journal: opens the journal, which turns away whoever has it open.
        watch: watches what becomes of the records of the replay with this id.
        record: writes down what is done, before it is done and after.
        codecs: by logical topic.
        keyring: opens sealed letters for a transform; ``None``: there is no key.
        signer: signs replays; raises ConfigurationError without a key.
    """

    queue: Queue
    ended: Ended
    notes: TopicView[DeadLetterState]
    journal: Callable[[], AbstractContextManager[Steps]]
    watch: Callable[[str], AbstractContextManager[Outcomes]]
    record: Recorder
    codecs: Mapping[str, Codec[Any]]
    keyring: Callable[[], Keyring | None]
    signer: Callable[[], Signer]
    now_ms: Clock = now_ms

    def stats(self) -> Sequence[Group]:
        """Letters by stage and code, the newest error class first."""
        return group((letter.without_bytes() for letter in self._all()), self.now_ms())

    def find(self, chosen: Filter, limit: int = 0, *, whole: bool = False) -> list[DeadLetter]:
        """Letters that ``chosen`` matches, the oldest failure first; ``limit`` 0: all.

        Args:
            whole: with the records themselves: a queue may hold more of them than memory does.

        Raises:
            InvalidChoiceError: there is no such stage or code.
        """
        letters = self._at(chosen.ids) if chosen.ids else self._all()
        return chosen_of(letters if whole else (letter.without_bytes() for letter in letters), chosen, limit)

    def show(self, letter_id: str, *, by: str = "") -> Shown:
        """One letter, and its record if it may be seen: a sealed one only in a preview of a transform.

        Raises:
            InvalidChoiceError: there is no such letter.
            PublishError: it cannot be written down that it was looked at.
        """
        [letter] = self._named([letter_id])
        with self.record("dlq.show", subject=letter_id, by=by, count=1) as act:
            found = shown(letter, self.codecs)
            act.count = int(found.record is not None)
        return found

    def preview(
        self,
        letters: Iterable[DeadLetter],
        subject: str,
        max_replays: int,
        transform: Path | None = None,
        *,
        by: str = "",
    ) -> Iterator[Preview]:
        """What :meth:`replay` would do with each of ``letters``. Raises :class:`TransformError`.

        With a transform it shows records, those of sealed letters too, and so it is in the audit trail.
        """
        if transform is None:
            yield from previews(self._sendable(letters), max_replays, None)
            return
        changed, sendable = self._transform(transform), self._sendable(letters)
        with self.record("dlq.preview", subject=subject, by=by, count=len(sendable)) as act:
            for act.count, preview in enumerate(previews(sendable, max_replays, changed), start=1):
                yield preview

    def replay(
        self,
        letters: Iterable[DeadLetter],
        subject: str,
        plan: Plan,
        *,
        transform: Path | None = None,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
        wish: Callable[[], Wish] = lambda: Wish.GO,
    ) -> Progress:
        """Send ``letters`` back to the stages that they came from, each at most once, whoever asks.

        A letter whose request was answered since stays where it is, and is told of as one that cannot be mended.

        Args:
            subject: how they were chosen, for the audit trail (:meth:`Filter.describe`).
            plan: rate, trial, and when to pause by itself.
            transform: a Python file with ``transform(record: dict) -> dict``.
            on_progress: called after each batch and while it waits, in the thread of the caller.
            wish: asked before each batch and while it waits: go on, hold, or stop.

        Raises:
            ConfigurationError: there is no key to sign with.
            TransformError: the file of ``transform`` is of no use. (A letter that it cannot mend stays open.)
            FencedError: another operator took over; what was replayed before stays so.
            StepError: the brokers did not take a batch; it did not happen.
        """
        changed = None if transform is None else self._transform(transform)
        signer, sendable, replay_id = self.signer(), self._sendable(letters), new_id()
        details = {"replay_id": replay_id, "key": signer.name}
        with (
            self.record(
                "dlq.replay", subject=subject, by=plan.by, reason=plan.reason, count=len(sendable), details=details
            ) as act,
            self.journal() as journal,
            self.watch(replay_id) as outcomes,
        ):
            self.notes.refresh(settled=True)

            def told(progress: Progress) -> None:
                act.count = progress.replayed
                act.details |= {"parked": str(progress.parked)} if progress.parked else {}
                act.details |= {"paused": progress.paused} if progress.paused else {}
                on_progress(progress)

            replayer = Replayer(
                journal=journal,
                signer=signer,
                position=self.notes.position,
                outcomes=outcomes,
                plan=plan,
                transform=changed,
                on_progress=told,
                wish=wish,
                now_ms=self.now_ms,
                replay_id=replay_id,
            )
            return replayer.run(sendable)

    def park(
        self,
        ids: Iterable[str],
        *,
        by: str,
        reason: str | None = None,
        seen: Mapping[str, Position | None] | None = None,
    ) -> list[DeadLetter]:
        """Set the letters ``ids`` aside for a person, all of them or none; as they were before.

        Args:
            seen: letter id to ``letter.seen`` of when the operator looked; letters not named in it are looked at now.

        Raises:
            InvalidChoiceError: there is no such letter.
            OutdatedError: somebody else has decided on one of them since.
            FencedError: others took over again and again.
            StepError: the brokers did not take it.
        """
        return self._decide(DeadLetterAction.PARKED, ids, by, reason, seen)

    def drop(
        self, ids: Iterable[str], *, by: str, reason: str, seen: Mapping[str, Position | None] | None = None
    ) -> list[DeadLetter]:
        """Give the letters ``ids`` up for good, as :meth:`park` does; without a ``reason`` an InvalidChoiceError."""
        if not reason.strip():
            raise InvalidChoiceError("a reason is needed", "reason")
        return self._decide(DeadLetterAction.DROPPED, ids, by, reason, seen)

    @contextmanager
    def export(
        self, letters: Iterable[DeadLetter], subject: str, *, by: str, reason: str | None
    ) -> Iterator[list[DeadLetter]]:
        """``letters`` with their bytes, sealed ones sealed, once that is in the audit trail. Raises PublishError."""
        found = [letter for letter in self._loaded(letters) if letter.whole]  # else it expired since it was chosen
        with self.record("dlq.export", subject=subject, by=by, reason=reason, count=len(found)) as act:
            yield found
            act.count = len(found)

    def _all(self) -> Iterator[DeadLetter]:
        self.notes.refresh()
        return (letter_of(source, self.notes.get) for source in self.queue.letters())

    def _at(self, ids: Iterable[str]) -> list[DeadLetter]:
        """Those of the letters ``ids`` that there are."""
        self.notes.refresh()
        places = dict.fromkeys(place for name in ids if (place := place_of(name)) is not None)
        records = self.queue.at(places)
        return [letter_of(records[place], self.notes.get) for place in places if place in records]

    def _named(self, ids: Iterable[str]) -> list[DeadLetter]:
        """The letters ``ids``, the oldest failure first. Raises :class:`InvalidChoiceError` when one is missing."""
        wanted = set(ids)
        if not wanted:
            raise InvalidChoiceError("no dead letter is named")
        letters = self._at(wanted)
        missing = wanted - {letter.letter_id for letter in letters}
        if missing:
            raise InvalidChoiceError(f"there is no dead letter {', '.join(sorted(missing))}; see `forebay dlq list`")
        return sorted(letters, key=lambda letter: letter.failed_at)

    def _loaded(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """``letters`` with the bytes of those that were chosen without; what expired since stays as it is."""
        found = list(letters)
        records = self.queue.at([letter.place for letter in found if not letter.whole])
        return [
            replace(letter, source=records[letter.place], whole=True) if letter.place in records else letter
            for letter in found
        ]

    def _sendable(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        return with_answers(self.ended, with_originals(self.queue.at, self._loaded(letters)))

    def _decide(
        self,
        action: DeadLetterAction,
        ids: Iterable[str],
        by: str,
        reason: str | None,
        seen: Mapping[str, Position | None] | None,
    ) -> list[DeadLetter]:
        letters, at = self._named(ids), self.now_ms()
        known = dict(seen or {})
        name = "dlq.park" if action is DeadLetterAction.PARKED else "dlq.drop"
        with self.record(name, subject=_named_in_short(letters), by=by, reason=reason, count=len(letters)) as act:
            publish(
                self.notes,
                self.journal,
                [_state(letter, action, by, reason, at) for letter in letters],
                {letter.letter_id: known.get(letter.letter_id, letter.seen) for letter in letters},
            )
            act.count = len(letters)
        return letters

    def _transform(self, path: Path) -> RecordTransform:
        return RecordTransform(load_transform(path), self.codecs, self.keyring())


def _named_in_short(letters: Sequence[DeadLetter]) -> str:
    """Ids, with a comma and a blank between: digits beside digits look like the number of a card or a telephone."""
    named = ", ".join(letter.letter_id for letter in letters[:_NAMED])
    return named if len(letters) <= _NAMED else f"{named} and {len(letters) - _NAMED} more"


def _state(letter: DeadLetter, action: DeadLetterAction, by: str, reason: str | None, at: int) -> Output:
    state = DeadLetterState(dead_letter_id=letter.letter_id, action=action, by=by, reason=reason, at=at)
    return Output(topic="dlq.state", key=letter.letter_id, value=state)
