"""What may an operator do with dead letters? Look, try dry, replay, park, drop, export; typed, and without a terminal.

Whatever changes a letter goes through the journal: all of a step or nothing, by one operator at a time. It reads again
what was done with the letters once it is the only one that can write; who decides on a letter that somebody else has
decided on since is told, and nothing is done. Whatever takes bytes away is in the audit trail before they are
handed out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forebay.avro.codec import Codec, UndecodableError
from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.json_lines import new_id
from forebay.contract.records import DeadLetterAction, DeadLetterState
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.dead_letters.audit import audit
from forebay.operations.dead_letters.letters import DeadLetter, Group, group, letter_of, place_of
from forebay.operations.dead_letters.originals import is_withheld, with_originals
from forebay.operations.dead_letters.plan import Plan, Progress, Wish
from forebay.operations.dead_letters.preview import Preview, previews
from forebay.operations.dead_letters.queue import Queue
from forebay.operations.dead_letters.replay import Outcomes, Replayer, Signer, Steps
from forebay.operations.dead_letters.selection import Filter, chosen_of
from forebay.operations.dead_letters.transform import RecordTransform, load_transform
from forebay.operations.seen_writes import publish
from forebay.operations.topic_view import Position, TopicView
from forebay.privacy.outbound import WITHHELD
from forebay.privacy.sealing import Keyring


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One letter with its record.

    Attributes:
        record: the record, where it can be read; it holds no personal data that the guard knows.
        hidden: why it is not here: ``sealed``, ``withheld: …``, or the code of what is wrong with it.
    """

    letter: DeadLetter
    record: Any = None
    hidden: str = ""


@dataclass(frozen=True, kw_only=True)
class DeadLetters:
    """The dead letters of one installation; :mod:`forebay.operations.dead_letters.opening` makes it.

    Attributes:
        notes: on letters, by their ids.
        journal: opens the journal, which turns away whoever has it open.
        watch: watches what becomes of the records of the replay with this id.
        publish: writes records beside the journal, for what changes no letter.
        codecs: by logical topic.
        keyring: opens sealed letters for a transform; ``None``: there is no key.
        signer: signs replays; raises ConfigurationError without a key.
    """

    queue: Queue
    notes: TopicView[DeadLetterState]
    journal: Callable[[], AbstractContextManager[Steps]]
    watch: Callable[[str], AbstractContextManager[Outcomes]]
    publish: Callable[[Sequence[Output]], None]
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

    def show(self, letter_id: str) -> Shown:
        """One letter, and its record if it may be seen: a sealed one only in a preview of a transform.

        Raises:
            InvalidChoiceError: there is no such letter.
        """
        [letter] = self._named([letter_id])
        if h.SEALED in letter.source.headers:
            return Shown(letter=letter, hidden="sealed")
        if is_withheld(letter):
            kinds = h.text(letter.source.headers, WITHHELD)
            return Shown(letter=letter, hidden=f"withheld: {kinds} in it; see {letter.origin_topic}")
        codec = self.codecs.get(letter.origin_topic)
        if codec is None:
            return Shown(letter=letter)
        try:
            return Shown(letter=letter, record=codec.decode(letter.source.value))
        except UndecodableError as error:
            return Shown(letter=letter, hidden=f"{error.code}: {error}")

    def preview(
        self, letters: Iterable[DeadLetter], max_replays: int, transform: Path | None = None
    ) -> Iterator[Preview]:
        """What :meth:`replay` would do with each of ``letters``. Raises :class:`TransformError`."""
        changed = None if transform is None else self._transform(transform)
        return previews(self._sendable(letters), max_replays, changed)

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
        with self.journal() as journal, self.watch(replay_id) as outcomes:
            self.notes.refresh(settled=True)
            replayer = Replayer(
                journal=journal,
                signer=signer,
                position=self.notes.position,
                outcomes=outcomes,
                plan=plan,
                transform=changed,
                on_progress=on_progress,
                wish=wish,
                now_ms=self.now_ms,
                replay_id=replay_id,
            )
            return replayer.run(sendable, subject)

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

    def export(self, letters: Iterable[DeadLetter], subject: str, *, by: str, reason: str | None) -> list[DeadLetter]:
        """``letters`` with their bytes, sealed ones sealed, once that is in the audit trail. Raises PublishError."""
        found = [letter for letter in self._loaded(letters) if letter.whole]  # else it expired since it was chosen
        self.publish([audit("dlq.export", by=by, reason=reason, subject=subject, count=len(found), at=self.now_ms())])
        return found

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
        return with_originals(self.queue.at, self._loaded(letters))

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
        subject = " ".join(letter.letter_id for letter in letters)
        name = "dlq.park" if action is DeadLetterAction.PARKED else "dlq.drop"
        outputs = [
            *(_state(letter, action, by, reason, at) for letter in letters),
            audit(name, by=by, reason=reason, subject=subject, count=len(letters), at=at),
        ]
        publish(
            self.notes,
            self.journal,
            outputs,
            {letter.letter_id: known.get(letter.letter_id, letter.seen) for letter in letters},
        )
        return letters

    def _transform(self, path: Path) -> RecordTransform:
        return RecordTransform(load_transform(path), self.codecs, self.keyring())


def _state(letter: DeadLetter, action: DeadLetterAction, by: str, reason: str | None, at: int) -> Output:
    state = DeadLetterState(dead_letter_id=letter.letter_id, action=action, by=by, reason=reason, at=at)
    return Output(topic="dlq.state", key=letter.letter_id, value=state)
