"""What is in the dead letter queue? Each letter with why it is there and what was done with it since."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from forebay.contract import clock
from forebay.contract import headers as h
from forebay.contract.failures import CODES
from forebay.contract.records import DeadLetterState
from forebay.contract.wire import Delivered
from forebay.kafka.reader import read_topic
from forebay.settings import Settings

OPEN = "open"

REPLAYS = "forebay-replay-count"
REPLAY_ID = "forebay-replay-id"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A dead letter; times in ms since the epoch, ``state`` is open, replayed, parked or dropped."""

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
    state: str

    @property
    def failure_class(self) -> str:
        """Class of the code; ``bug`` for a code that this version does not know."""
        known = CODES.get(self.code)
        return known.failure_class.value if known else "bug"

    def without_bytes(self) -> "DeadLetter":
        """This letter without its record, for those who only look."""
        return replace(self, source=replace(self.source, value=None))


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which letters? Empty fields match everything; times in ms since the epoch, half-open."""

    stage: str = ""
    code: str = ""
    tenant: str = ""
    request_id: str = ""
    text: str = ""
    since: int | None = None
    until: int | None = None
    states: frozenset[str] = frozenset({OPEN})
    ids: frozenset[str] = frozenset()

    def matches(self, letter: DeadLetter) -> bool:
        """Whether ``letter`` is meant."""
        return (
            self.stage in ("", letter.stage)
            and self.code in ("", letter.code)
            and self.tenant in ("", letter.tenant_id)
            and self.request_id in ("", letter.request_id)
            and self.text.casefold() in letter.message.casefold()
            and (self.since is None or letter.failed_at >= self.since)
            and (self.until is None or letter.failed_at < self.until)
            and (not self.states or letter.state in self.states)
            and (not self.ids or letter.letter_id in self.ids)
        )

    def describe(self) -> str:
        """The filter in words, for the audit trail."""
        parts = [
            f"{name}={value}"
            for name, value in (
                ("stage", self.stage),
                ("code", self.code),
                ("tenant", self.tenant),
                ("request_id", self.request_id),
                ("text", self.text),
                ("since", self.since),
                ("until", self.until),
                ("ids", ",".join(sorted(self.ids))),
            )
            if value
        ]
        return " ".join(parts) or "all"


def read_states(settings: Settings) -> dict[str, DeadLetterState]:
    """Letter id to what was done last."""
    states: dict[str, DeadLetterState] = {}
    for record in read_topic(settings, "dlq.state"):
        if record.value is not None:
            states[record.value.dead_letter_id] = record.value
    return states


def read_letters(settings: Settings) -> Iterator[DeadLetter]:
    """All letters that are kept, oldest first within each partition."""
    states = read_states(settings)
    for record in read_topic(settings, "dlq"):
        yield letter_of(record.source, states)


def letter_of(source: Delivered, states: dict[str, DeadLetterState]) -> DeadLetter:
    """The letter in a record of the topic ``dlq``."""
    letter_id = f"{source.partition}-{source.offset}"
    state = states.get(letter_id)
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
        replays=h.number(source.headers, REPLAYS) or 0,
        replay_id=h.text(source.headers, REPLAY_ID),
        state=state.action.value if state else OPEN,
    )


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


_NEW_MS = 3_600_000


def group(letters: Iterable[DeadLetter], now_ms: int | None = None) -> Sequence[Group]:
    """Letters by stage and code, the newest error class first; ``new``: it was first seen within the last hour."""
    now = clock.now_ms() if now_ms is None else now_ms
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
                open=sum(letter.state == OPEN for letter in members),
                first_failed_at=first,
                last_failed_at=max(letter.failed_at for letter in members),
                new=now - first < _NEW_MS,
            )
        )
    return sorted(groups, key=lambda item: -item.first_failed_at)
