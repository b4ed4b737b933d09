"""What is in a dead letter? Why it is there, the record that it was, and what was done with it since."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from forebay.contract import headers as h
from forebay.contract.error_codes import CODES
from forebay.contract.records import DeadLetterState
from forebay.contract.wire import Delivered
from forebay.operations.topic_view import Entry, Position

Note = Entry[DeadLetterState]
"""What the topic ``dlq.state`` says of a letter."""

Place = tuple[str, int, int]
"""Where a record lies: logical topic, partition, offset."""

_ID = re.compile(r"([0-9]{1,10})-([0-9]{1,19})")
_NEW_MS = 3_600_000


class LetterState(StrEnum):
    """What was done with a letter last; the others than ``open`` are :class:`DeadLetterAction`."""

    OPEN = "open"
    REPLAYED = "replayed"
    PARKED = "parked"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A dead letter; times in ms since the epoch.

    Attributes:
        note: what was done with it last, as of when it was read; ``None``: nothing yet.
        whole: whether its record's bytes are here, as far as they were written.
        answered_at: when its request was answered after it had failed, if somebody looked
            (:mod:`forebay.operations.dead_letters.answered`) and it was.
    """

    letter_id: str
    source: Delivered
    stage: str
    code: str
    message: str
    attempts: int
    failed_at: int
    first_failed_at: int
    origin_topic: str
    request_id: str
    tenant_id: str
    replays: int
    replay_id: str | None
    note: Note | None
    whole: bool = True
    answered_at: int | None = None

    @property
    def state(self) -> LetterState:
        """What was done with it last."""
        done = None if self.note is None else self.note.value
        return LetterState.OPEN if done is None else LetterState(done.action.value)

    @property
    def seen(self) -> Position | None:
        """Where the note stands, for those who decide against what they saw; ``None``: there was none."""
        return None if self.note is None else self.note.at

    @property
    def place(self) -> Place:
        """Where it lies."""
        return "dlq", self.source.partition, self.source.offset

    @property
    def failure_class(self) -> str:
        """Class of the code; ``bug`` for a code that this version does not know."""
        known = CODES.get(self.code)
        return known.failure_class.value if known else "bug"

    def without_bytes(self) -> "DeadLetter":
        """This letter without its record, for those who only look: a queue may hold more than memory does."""
        return replace(self, source=replace(self.source, value=None), whole=False)


def letter_of(source: Delivered, note_of: Callable[[str], Note | None] = lambda _letter_id: None) -> DeadLetter:
    """The letter in a record of the topic ``dlq``, with the note on the letter of its id."""
    letter_id = f"{source.partition}-{source.offset}"
    failed_at = h.number(source.headers, "forebay-dlq-failed-at") or source.timestamp_ms
    return DeadLetter(
        letter_id=letter_id,
        source=source,
        stage=h.text(source.headers, "forebay-dlq-stage") or "?",
        code=h.text(source.headers, "forebay-dlq-code") or "?",
        message=h.text(source.headers, "forebay-dlq-message") or "",
        attempts=h.number(source.headers, "forebay-dlq-attempts") or 0,
        failed_at=failed_at,
        first_failed_at=h.number(source.headers, h.FIRST_FAILED_AT) or failed_at,
        origin_topic=h.text(source.headers, h.ORIGIN_TOPIC) or "?",
        request_id=h.text(source.headers, "forebay-dlq-request-id") or "",
        tenant_id=h.text(source.headers, "forebay-dlq-tenant") or "",
        replays=h.number(source.headers, h.REPLAYS) or 0,
        replay_id=h.text(source.headers, h.REPLAY_ID),
        note=note_of(letter_id),
    )


def place_of(letter_id: str) -> Place | None:
    """Where the letter with this id lies; ``None``: that is no id of a letter."""
    found = _ID.fullmatch(letter_id)
    return None if found is None else ("dlq", int(found[1]), int(found[2]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Letters of one stage and code; times in ms since the epoch."""

    stage: str
    code: str
    failure_class: str
    count: int
    open: int
    first_failed_at: int
    last_failed_at: int
    new: bool


def group(letters: Iterable[DeadLetter], now_ms: int) -> Sequence[Group]:
    """Letters by stage and code, the newest error class first; ``new``: it was first seen within the last hour."""
    found: dict[tuple[str, str], list[DeadLetter]] = {}
    for letter in letters:
        found.setdefault((letter.stage, letter.code), []).append(letter)
    groups = []
    for (stage, code), members in found.items():
        first = min(letter.failed_at for letter in members)
        groups.append(
            Group(
                stage=stage,
                code=code,
                failure_class=members[0].failure_class,
                count=len(members),
                open=sum(letter.state is LetterState.OPEN for letter in members),
                first_failed_at=first,
                last_failed_at=max(letter.failed_at for letter in members),
                new=now_ms - first < _NEW_MS,
            )
        )
    return sorted(groups, key=lambda item: -item.first_failed_at)
