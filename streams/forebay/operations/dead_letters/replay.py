"""How are dead letters replayed? At a bounded rate, a few first, and no further when they fail again.

A replayed record goes back to the topic it came from, for the stage that failed on it only, with its first attempt
before it and a count of its replays. What becomes of it shows in ``completions`` and ``dlq``.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.json_lines import new_id
from forebay.contract.records import DeadLetterAction, DeadLetterState
from forebay.contract.topics import topic_named
from forebay.contract.wire import Encoded
from forebay.operations.dead_letters.letters import DeadLetter, LetterState
from forebay.operations.dead_letters.originals import check_sendable, stage_of
from forebay.operations.dead_letters.plan import Phase, Plan, Progress, Wish
from forebay.operations.dead_letters.transform import TransformError
from forebay.operations.topic_view import Position
from forebay.trust.proofs import Signed

_BATCH = 50
_LOOK_S = 0.25
"""Seconds after which a replay that waits looks at outcomes and at its operator's wishes again."""

OBSERVED = frozenset({"requests", "requests.redacted", "requests.uncached"})
"""Topics whose records end in a completion; those of others leave no outcome that an operator may read."""


def is_observed(letter: DeadLetter) -> bool:
    """Whether its record will leave an outcome."""
    topic = topic_named(letter.origin_topic)
    return topic is not None and topic.kind in OBSERVED


_KEPT = (h.LASTING | {h.SEALED, h.SEALED_KEY, *h.ORIGIN}) - {h.REPLAYS}
"""What a replay takes over from the record as it failed: its tries, and what they cost, begin anew."""


class Outcomes(Protocol):
    """What became of replayed records."""

    def poll(self, seconds: float) -> None:
        """Take in what is new, for at most so long."""
        ...

    def counts(self) -> tuple[int, int, int]:
        """Succeeded, failed and waiting for another try so far."""
        ...


class Steps(Protocol):
    """Takes steps, as the only one who can; see :class:`forebay.kafka.transactions.Transactions`."""

    def step(self, outputs: Sequence[Output] = (), records: Sequence[Encoded] = ()) -> None:
        """Publish ``outputs`` and raw ``records`` together or not at all."""
        ...


class Signer(Protocol):
    """See :class:`forebay.trust.proofs.OperatorKey`."""

    @property
    def name(self) -> str:
        """Of the key."""
        ...

    def proof(self, record: Signed) -> bytes:
        """That an operator sends ``record``."""
        ...


class Transform(Protocol):
    """Changes a letter's value before it is replayed."""

    def __call__(self, letter: DeadLetter) -> bytes | None:
        """The new value of the record, sealed if the old one was."""
        ...


@dataclass(slots=True)
class Replayer:
    """Replays letters through an open journal.

    A replayed record and the note that it was replayed are one step, so that neither is ever there without the other,
    also under kill -9.

    Attributes:
        signer: stages believe a replay that it signed.
        position: where the newest note on a letter stands, by letter id; read after the journal was opened.
        on_progress: called after each batch and while it waits, always with the same object.
        wish: what the operator wants by now; asked before each batch and while it waits.
    """

    journal: Steps
    signer: Signer
    position: Callable[[str], Position | None]
    outcomes: Outcomes
    plan: Plan
    transform: Transform | None = None
    on_progress: Callable[[Progress], None] = lambda _progress: None
    wish: Callable[[], Wish] = lambda: Wish.GO
    now_ms: Clock = now_ms
    monotonic: Callable[[], float] = time.monotonic
    replay_id: str = field(default_factory=new_id)
    _silent: int = field(default=0, init=False)

    def run(self, letters: Sequence[DeadLetter]) -> Progress:
        """Replay ``letters``."""
        progress = Progress(replay_id=self.replay_id, chosen=len(letters))
        todo = [letter for letter in letters if self._may(letter)]
        progress.skipped = len(letters) - len(todo)
        canary = todo[: self.plan.canary]
        if canary:
            self._replay(canary, progress, Phase.TRIAL)
            self._settle(progress)
            few = progress.succeeded < self.plan.canary_success * progress.replayed
            if few and progress.phase is not Phase.STOPPED and not self._stopped(progress, Phase.SETTLING):
                why = f"only {progress.succeeded} of {progress.replayed} canaries succeeded"
                self._end(progress, Phase.PAUSED, why)
        if not progress.paused:
            self._replay(todo[len(canary) :], progress, Phase.REPLAYING)
            self._settle(progress)
        if not progress.paused:
            progress.phase = Phase.DONE
        self.on_progress(progress)
        return progress

    def _may(self, letter: DeadLetter) -> bool:
        """At most once, whoever asks: the note was read when nobody else could write any more.

        A letter that somebody has decided on since it was chosen is theirs, also ``again``.
        """
        unchanged = self.position(letter.letter_id) == letter.seen
        return unchanged and (self.plan.again or letter.state is LetterState.OPEN)

    def _replay(self, letters: Sequence[DeadLetter], progress: Progress, phase: Phase) -> None:
        size = _BATCH if not self.plan.rate_per_s else max(1, min(_BATCH, round(self.plan.rate_per_s / 5)))
        due = self.monotonic()
        for start in range(0, len(letters), size):
            since = self.monotonic()
            if self._stopped(progress, phase):
                return
            due += self.monotonic() - since  # what it was held is not made up for
            batch = letters[start : start + size]
            self._send(batch, progress)
            self._look(progress, 0.0)
            if self._failing(progress):
                return
            if self.plan.rate_per_s:
                due += len(batch) / self.plan.rate_per_s
                while (left := due - self.monotonic()) > 0 and self.wish() is Wish.GO:
                    self._look(progress, min(left, _LOOK_S))

    def _send(self, batch: Sequence[DeadLetter], progress: Progress) -> None:
        """One batch, all of it or nothing."""
        tired = [letter for letter in batch if letter.replays >= self.plan.max_replays]
        fresh, records = self._records([one for one in batch if one.replays < self.plan.max_replays], progress)
        self.journal.step(
            [
                *(self._state(letter, DeadLetterAction.PARKED) for letter in tired),
                *(self._state(letter, DeadLetterAction.REPLAYED) for letter in fresh),
            ],
            records,
        )
        progress.parked += len(tired)
        progress.replayed += len(fresh)
        self._silent += sum(not is_observed(letter) for letter in fresh)

    def _stopped(self, progress: Progress, phase: Phase) -> bool:
        """Wait as long as the operator has it held; whether it is to stop."""
        while (wish := self.wish()) is Wish.HOLD:
            progress.phase = Phase.HELD
            self._look(progress, _LOOK_S)
        progress.phase = phase
        if wish is Wish.STOP:
            self._end(progress, Phase.STOPPED, "stopped by an operator")
        return wish is Wish.STOP

    @staticmethod
    def _end(progress: Progress, phase: Phase, why: str) -> None:
        progress.phase, progress.paused = phase, why

    def _failing(self, progress: Progress) -> bool:
        seen, troubled = progress.known + progress.retrying, progress.failed + progress.retrying
        if seen >= 20 and troubled > self.plan.pause_above * seen:  # fewer say too little
            waiting = f", {progress.retrying} of them wait for another try" if progress.retrying else ""
            self._end(progress, Phase.PAUSED, f"{troubled} of {seen} failed again{waiting}")
        return bool(progress.paused)

    def _settle(self, progress: Progress) -> None:
        """Wait until the outcome of all replayed records is known, for at most ``settle_s``.

        A record that leaves no outcome gets ``silence_s`` to come back, and has succeeded when it has not.
        """
        if not progress.paused:
            progress.phase = Phase.SETTLING
        now = self.monotonic()
        deadline, silence = now + self.plan.settle_s, now + min(self.plan.silence_s, self.plan.settle_s)
        while True:
            now = self.monotonic()
            quiet = progress.known + self._silent >= progress.replayed and now >= silence
            if progress.known >= progress.replayed or quiet or now >= deadline or self.wish() is Wish.STOP:
                break
            self._look(progress, _LOOK_S)
        if now >= silence:
            progress.succeeded += min(self._silent, max(0, progress.replayed - progress.known - progress.retrying))
        self.on_progress(progress)

    def _look(self, progress: Progress, seconds: float) -> None:
        self.outcomes.poll(seconds)
        progress.succeeded, progress.failed, progress.retrying = self.outcomes.counts()
        self.on_progress(progress)

    def _records(self, letters: Sequence[DeadLetter], progress: Progress) -> tuple[list[DeadLetter], list[Encoded]]:
        """The letters that can be sent back, and their records; the others stay open."""
        fresh, records = [], []
        for letter in letters:
            try:
                records.append(self._record(letter))
                fresh.append(letter)
            except TransformError as error:
                progress.unmended += 1
                progress.problems[letter.letter_id] = str(error)
        return fresh, records

    def _record(self, letter: DeadLetter) -> Encoded:
        """The record to send. Raises :class:`TransformError`."""
        check_sendable(letter)
        value = letter.source.value if self.transform is None else self.transform(letter)
        headers = {name: value for name, value in letter.source.headers.items() if name in _KEPT}
        headers |= {
            h.ATTEMPT: b"1",
            h.RETRY_STAGE: stage_of(letter).encode(),
            h.REPLAYED_LETTER: letter.letter_id.encode(),
            h.REPLAYED_AT: str(self.now_ms()).encode(),
            h.SUPERSEDES: letter.code.encode(),
            h.REPLAY_ID: self.replay_id.encode(),
            h.REPLAYS: str(letter.replays + 1).encode(),
        }
        key = None if h.KEYLESS in letter.source.headers else letter.source.key
        headers[h.PROOF] = self.signer.proof(Signed(key=key, value=value, headers=headers))
        return Encoded(topic=letter.origin_topic, key=key, value=value, headers=list(headers.items()))

    def _state(self, letter: DeadLetter, action: DeadLetterAction) -> Output:
        state = DeadLetterState(
            dead_letter_id=letter.letter_id,
            action=action,
            replay_id=self.replay_id,
            by=self.plan.by,
            reason=self.plan.reason if action is DeadLetterAction.REPLAYED else "max_replays",
            at=self.now_ms(),
        )
        return Output(topic="dlq.state", key=letter.letter_id, value=state)
