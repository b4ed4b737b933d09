"""Where is a request? In the history; else in the topics, which are looked through by key and header, within bounds.

What was searched is always said: an id that nobody knows and one that was not found are two things.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.names import group_on_broker, topic_on_broker
from forebay.history.settings import HistorySettings
from forebay.history.sqlite.reading import SqliteReader
from forebay.history.store import HistoryError
from forebay.history.views import Letter, Story
from forebay.kafka.group_offsets import Offsets, begun, read_offsets
from forebay.kafka.lag import stage_groups
from forebay.kafka.searching import Found, Looked, search
from forebay.observability.spans import Span, read
from forebay.operations.tracing.sentence import sentence
from forebay.settings import KafkaSettings, Settings, StageSettings

SEARCHED = (
    *("outcomes", "completions", "requests.uncached", "requests.redacted", "retry.10s", "retry.1m", "retry.10m", "dlq"),
    "requests",
)
"""Where a request may be on its way; those without a word of it are known by their headers."""

_STAGE = {"requests": "redaction", "requests.redacted": "cache", "requests.uncached": "completion"}
_STAGE |= {"completions": "response", "outcomes": "recorder"}
_STAGE |= dict.fromkeys(("retry.10s", "retry.1m", "retry.10m"), "retry")
_BEFORE_MS = 3_600_000
"""Clocks differ: a record may be so much older than the time in its request's id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waits:
    """Where a request is on its way.

    Attributes:
        stage: whose move it is; empty: nobody's.
        before: records that the stage has to finish before; ``None``: it has finished this one, or nobody knows.
        since_ms: when the record was written.
    """

    topic: str
    partition: int
    offset: int
    stage: str
    before: int | None
    since_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """What is known of a request.

    Attributes:
        story: from the history; ``None``: it is not there.
        waits: where it is on its way, if it was found in a topic.
        spans: what stages have done so far, if it is on its way.
        said: one sentence: where its time went, or where it is.
        searched: what was searched, in a sentence.
        history_as_of: when the newest request in the history was answered; ``None``: there is none, or no history.
    """

    request_id: str
    said: str
    searched: str
    story: Story | None = None
    waits: Waits | None = None
    spans: Sequence[Span] = ()
    letters: Sequence[Letter] = ()
    looked: Looked | None = None
    history_as_of: int | None = None

    @property
    def known(self) -> bool:
        """Whether anything was found."""
        return bool(self.story or self.waits or self.letters)


Look = Callable[[str, int], Looked]
"""Looks through the topics for a request that has no record before a time."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What tracing takes; ``open_history`` raises :class:`HistoryError` where there is none."""

    open_history: Callable[[], SqliteReader]
    look: Look
    offsets: Callable[[], Offsets]
    group_of: Callable[[str], str]
    name_of: Callable[[str], str]
    clock: Clock = now_ms


def open_desk(settings: Settings, *, most: int = 2_000_000, longest_s: float = 60.0) -> Desk:
    """The desk of an installation; what is done at it raises :class:`forebay.kafka.queries.BrokerUnavailableError`."""
    kafka = settings[KafkaSettings]

    def look(request_id: str, since_ms: int) -> Looked:
        return search(kafka, SEARCHED, request_id, since_ms=since_ms, most=most, longest_s=longest_s)

    return Desk(
        open_history=lambda: SqliteReader(Path(settings[HistorySettings].path)),
        look=look,
        offsets=lambda: read_offsets(kafka, stage_groups(settings)),
        group_of=lambda stage: group_on_broker(stage, kafka, settings[StageSettings].version),
        name_of=lambda topic: topic_on_broker(topic, kafka),
    )


def trace(desk: Desk, request_id: str) -> Trace:
    """What is known of a request.

    Raises:
        BrokerUnavailableError: it is not in the history, and no broker answers.
    """
    story, letters, as_of, history = _of_history(desk, request_id)
    if story is not None:
        one = story.request
        said = sentence(one.total_ms, story.spans, story.calls, source=one.source)
        return Trace(
            request_id=request_id, said=said, searched=history, story=story, letters=story.letters, history_as_of=as_of
        )
    looked = desk.look(request_id, _since(request_id, desk.clock()))
    searched = f"{history} {_searched(looked, desk.clock())}"
    common = Trace(
        request_id=request_id, said="", searched=searched, letters=letters, looked=looked, history_as_of=as_of
    )
    if not looked.found:
        said = _of_letters(letters) if letters else "Nothing is known of it."
        return replace(common, said=said)
    waits, last = _where(looked.found, desk)
    spans = read(last.headers.get(h.SPANS, b""))
    return replace(common, said=_on_its_way(waits, desk.clock()), waits=waits, spans=spans)


def _of_history(desk: Desk, request_id: str) -> tuple[Story | None, Sequence[Letter], int | None, str]:
    try:
        with desk.open_history() as reader:
            as_of = reader.as_of()
            story = reader.story(request_id)
            letters = reader.letters(request_id)
    except HistoryError as error:
        return None, (), None, f"The history was not searched: {error}."
    upto = "is empty" if as_of is None else f"goes until {_ago(as_of, desk.clock())}"
    return story, letters, as_of, f"Searched: the history, which {upto}."


def _where(found: Sequence[Found], desk: Desk) -> tuple[Waits, Found]:
    """The last place on its way: where a stage has not finished it, else the newest record."""
    offsets = desk.offsets()
    waiting = [(one, before) for one in found if (before := _before(one, offsets, desk)) is not None]
    order = list(SEARCHED)
    if waiting:
        one, before = min(waiting, key=lambda pair: (order.index(pair[0].topic), -pair[0].at_ms))
    else:
        one, before = max(found, key=lambda one: (one.at_ms, -order.index(one.topic))), None
    stage = _STAGE.get(one.topic, "")
    waits = Waits(
        topic=one.topic, partition=one.partition, offset=one.offset, stage=stage, before=before, since_ms=one.at_ms
    )
    return waits, one


def _before(one: Found, offsets: Offsets, desk: Desk) -> int | None:
    """Records that the topic's stage finishes before this one; ``None``: it has finished it, or there is none."""
    stage = _STAGE.get(one.topic)
    if stage is None:
        return None
    place = desk.name_of(one.topic), one.partition
    if place not in offsets.end:
        return None
    finished: Mapping[tuple[str, int], int | None] = offsets.finished.get(desk.group_of(stage), {})
    at = begun(offsets, place, finished.get(place))
    return one.offset - at if one.offset >= at else None


def _on_its_way(waits: Waits, now: int) -> str:
    place = f"{waits.topic}, partition {waits.partition}"
    since, before = _ago(waits.since_ms, now), _records(waits.before)
    if waits.topic == "dlq":
        letter = f"{waits.partition}-{waits.offset}"
        return f"It became the dead letter {letter}, {since}; `forebay dlq show {letter}` says why."
    if waits.topic == "outcomes":
        return f"It was answered, {since}, and is not in the history yet: it is in {place}, {before} before it."
    if waits.before is None:
        who = f" {waits.stage} has finished it, and" if waits.stage else ""
        return f"It was last seen in {place}, {since};{who} what came of it was not found."
    return f"It is still in {place}, written {since}: {before} before it; it is the turn of {waits.stage}."


def _records(count: int | None) -> str:
    return "1 record" if count == 1 else f"{count or 0} records"


def _of_letters(letters: Sequence[Letter]) -> str:
    last = letters[-1]
    state = last.state or "open"
    return f"It has no answer in the history; its dead letter {last.letter_id} ({last.code}) is {state}."


def _searched(looked: Looked, now: int) -> str:
    topics = [topic for topic in looked.topics if topic not in looked.refused]
    back = "" if looked.oldest_ms is None else f", back to {_ago(looked.oldest_ms, now)}"
    bound = "" if looked.whole or looked.found else "; the search ended at its bounds, older ones were not looked at"
    denied = f" Not searched, since they may not be read: {', '.join(looked.refused)}." if looked.refused else ""
    return f"Searched by key and header: {looked.records} records of {', '.join(topics)}{back}{bound}.{denied}"


def _since(request_id: str, now: int) -> int:
    """Before when it can have no record: the time in a UUIDv7, with room for clocks that are off."""
    try:
        found = UUID(request_id)
    except ValueError:
        return 0
    at = found.int >> 80
    return max(0, at - _BEFORE_MS) if found.version == 7 and at <= now + _BEFORE_MS else 0


def _ago(at_ms: int, now: int) -> str:
    seconds = max(0, now - at_ms) // 1_000
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"
