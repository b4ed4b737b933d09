"""How are dead letters replayed? At a bounded rate, a few first, and no further when they fail again.

A replayed record goes back to the topic it came from, for the stage that failed on it only, with its first attempt
before it and a count of its replays. What becomes of it shows in ``completions`` and ``dlq``.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.json_lines import new_id
from forebay.contract.records import AuditEvent, DeadLetterAction, DeadLetterState
from forebay.contract.wire import Encoded
from forebay.operations.dead_letters.journal import Journal
from forebay.operations.dead_letters.letters import OPEN, REPLAY_ID, REPLAYS, DeadLetter
from forebay.operations.dead_letters.originals import check_sendable
from forebay.operations.dead_letters.transform import TransformError

_BATCH = 50

OBSERVED = frozenset({"requests", "requests.redacted", "requests.uncached"})
"""Topics whose records end in a completion; those of others leave no outcome that an operator may read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How to replay.

    Attributes:
        rate_per_s: records per second; 0: as fast as it goes.
        canary: replay so many first, and go on only if at least ``canary_success`` of them succeed; 0: none.
        pause_above: share of failures, and of those that failed twice and wait, above which it pauses.
        max_replays: a letter that was replayed so often already is parked instead.
        again: also letters that were replayed, parked or dropped before.
        settle_s: seconds to wait for the outcomes of the canary, and of the last records.
        silence_s: seconds that a record without outcome gets to come back.
    """

    by: str
    reason: str | None = None
    rate_per_s: float = 0.0
    canary: int = 0
    canary_success: float = 0.95
    pause_above: float = 0.2
    max_replays: int = 3
    again: bool = False
    settle_s: float = 60.0
    silence_s: float = 10.0


@dataclass(slots=True)
class Progress:
    """How far a replay is; ``paused`` says why it stopped early.

    ``unmended`` letters stay open, ``problems`` says why, by letter; ``retrying`` ones wait for another try by now.
    """

    replay_id: str
    chosen: int
    replayed: int = 0
    parked: int = 0
    skipped: int = 0
    unmended: int = 0
    succeeded: int = 0
    failed: int = 0
    retrying: int = 0
    paused: str = ""
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """Records whose outcome is known."""
        return self.succeeded + self.failed


class Outcomes(Protocol):
    """What became of replayed records."""

    def poll(self, seconds: float) -> None:
        """Take in what is new, for at most so long."""
        ...

    def counts(self) -> tuple[int, int, int]:
        """Succeeded, failed and waiting for another try so far."""
        ...


class Transform(Protocol):
    """Changes a letter's value before it is replayed."""

    def __call__(self, letter: DeadLetter) -> bytes | None:
        """The new value of the record, sealed if the old one was."""
        ...


@dataclass(slots=True)
class Replayer:
    """Replays letters through an open journal.

    Attributes:
        states: what was done with each letter, read after the journal was opened.
        on_progress: called after each batch.
    """

    journal: Journal
    states: Mapping[str, DeadLetterState]
    outcomes: Outcomes
    plan: Plan
    transform: Transform | None = None
    on_progress: Callable[[Progress], None] = lambda _progress: None
    now_ms: Clock = now_ms
    sleep: Callable[[float], None] = time.sleep
    replay_id: str = field(default_factory=new_id)
    _silent: int = field(default=0, init=False)

    def run(self, letters: Sequence[DeadLetter], subject: str) -> Progress:
        """Replay ``letters``; ``subject`` says in the audit trail how they were chosen."""
        progress = Progress(replay_id=self.replay_id, chosen=len(letters))
        todo = [letter for letter in letters if self._may(letter)]
        progress.skipped = len(letters) - len(todo)
        self._audit("dlq.replay", subject, len(todo))
        canary = todo[: self.plan.canary]
        if canary:
            self._replay(canary, progress)
            self._settle(progress)
            if progress.succeeded < self.plan.canary_success * progress.replayed:
                progress.paused = f"only {progress.succeeded} of {progress.replayed} canaries succeeded"
        if not progress.paused:
            self._replay(todo[len(canary) :], progress)
            self._settle(progress)
        if progress.paused:
            self._audit("dlq.pause", progress.paused, progress.replayed)
        return progress

    def _may(self, letter: DeadLetter) -> bool:
        """At most once, whoever asks: the states were read when nobody else could change them any more."""
        return self.plan.again or (letter.state == OPEN and letter.letter_id not in self.states)

    def _replay(self, letters: Sequence[DeadLetter], progress: Progress) -> None:
        size = _BATCH if not self.plan.rate_per_s else max(1, min(_BATCH, round(self.plan.rate_per_s / 5)))
        started, sent = time.monotonic(), 0
        for start in range(0, len(letters), size):
            batch = letters[start : start + size]
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
            self._silent += sum(letter.origin_topic not in OBSERVED for letter in fresh)
            sent += len(batch)
            self._look(progress, 0.0)
            if self._failing(progress):
                return
            if self.plan.rate_per_s:
                self.sleep(max(0.0, started + sent / self.plan.rate_per_s - time.monotonic()))

    def _failing(self, progress: Progress) -> bool:
        seen, troubled = progress.known + progress.retrying, progress.failed + progress.retrying
        if seen >= 20 and troubled > self.plan.pause_above * seen:  # fewer say too little
            waiting = f", {progress.retrying} of them wait for another try" if progress.retrying else ""
            progress.paused = f"{troubled} of {seen} failed again{waiting}"
        return bool(progress.paused)

    def _settle(self, progress: Progress) -> None:
        """Wait until the outcome of all replayed records is known, for at most ``settle_s``.

        A record that leaves no outcome gets ``silence_s`` to come back, and has succeeded when it has not.
        """
        now = time.monotonic()
        deadline, silence = now + self.plan.settle_s, now + min(self.plan.silence_s, self.plan.settle_s)
        while True:
            now = time.monotonic()
            quiet = progress.known + self._silent >= progress.replayed and now >= silence
            if progress.known >= progress.replayed or quiet or now >= deadline:
                break
            self._look(progress, 0.25)
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
        headers = {name: value for name, value in letter.source.headers.items() if not name.startswith("forebay-dlq-")}
        headers |= {
            h.ATTEMPT: b"1",
            # A letter of the scheduler's names the stage that it was waiting for.
            h.RETRY_STAGE: letter.source.headers.get(h.RETRY_STAGE) or letter.stage.encode(),
            h.REPLAYED_LETTER: letter.letter_id.encode(),
            h.REPLAYED_AT: str(self.now_ms()).encode(),
            h.SUPERSEDES: letter.code.encode(),
            REPLAY_ID: self.replay_id.encode(),
            REPLAYS: str(letter.replays + 1).encode(),
        }
        return Encoded(topic=letter.origin_topic, key=letter.source.key, value=value, headers=list(headers.items()))

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

    def _audit(self, action: str, subject: str, count: int) -> None:
        self.journal.step([audit(action, self.plan, subject, count, self.now_ms(), {"replay_id": self.replay_id})])


def audit(action: str, plan: Plan, subject: str, count: int, now_ms: int, details: dict[str, Any]) -> Output:
    """The audit record of one action."""
    event = AuditEvent(
        audit_id=new_id(),
        action=action,
        by=plan.by,
        reason=plan.reason,
        subject=subject,
        count=count,
        details={key: str(value) for key, value in details.items()},
        at=now_ms,
    )
    return Output(topic="audit", key=event.audit_id, value=event)
