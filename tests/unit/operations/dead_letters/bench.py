"""Dead letters without brokers: a queue in memory, a journal that fences, outcomes and time made by hand."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from forebay.contract.handlers import Output
from forebay.contract.records import Message, Outcome, RedactedRequest
from forebay.contract.wire import Delivered, Encoded
from forebay.operations.dead_letters.actions import DeadLetters
from forebay.operations.dead_letters.letters import Place
from forebay.operations.topic_view import TopicView
from forebay.testing import KEYRING, codecs
from forebay.testing.stores import OPERATOR
from tests.unit.operations.topic import FakeReader, FakeTopic, FakeWriter
from tests.unit.operations.trail import MemoryTrail

NOW_MS = 1_795_000_000_000


def buried(offset: int = 0, *, partition: int = 0, **headers: str) -> Delivered:
    """A letter of the stage completion, as that writes it; ``headers`` with ``_`` for ``-`` change it."""
    names = {
        "forebay-dlq-stage": "completion",
        "forebay-dlq-code": "retries_exhausted",
        "forebay-dlq-message": "2 attempts, the last: provider_unavailable",
        "forebay-dlq-failed-at": str(NOW_MS - 60_000 + offset),
        "forebay-dlq-request-id": f"request-{offset}",
        "forebay-dlq-tenant": "globex",
        "forebay-origin-topic": "requests.uncached",
    } | {f"forebay-{name.replace('_', '-')}": value for name, value in headers.items()}
    request = RedactedRequest(request_id=f"request-{offset}", messages=(Message(content=f"question {offset}"),))
    return Delivered(
        topic="dlq",
        partition=partition,
        offset=offset,
        key=b"key",
        value=codecs()["requests.uncached"].encode(request),
        headers={name: value.encode() for name, value in names.items()},
        timestamp_ms=NOW_MS,
    )


@dataclass
class MemoryQueue:
    """Topics in memory.

    Attributes:
        records: of ``dlq``.
        elsewhere: records of other topics.
        asked: places that were asked for.
    """

    records: list[Delivered] = field(default_factory=list)
    elsewhere: dict[Place, Delivered] = field(default_factory=dict)
    asked: list[Place] = field(default_factory=list)

    def letters(self) -> Iterator[Delivered]:
        return iter(list(self.records))

    def at(self, places: Collection[Place]) -> Mapping[Place, Delivered]:
        self.asked += places
        known = {(record.topic, record.partition, record.offset): record for record in self.records} | self.elsewhere
        return {place: known[place] for place in places if place in known}

    def expire(self, offset: int) -> None:
        """Let the letter with this offset be gone."""
        self.records = [record for record in self.records if record.offset != offset]


@dataclass
class MemoryEnded:
    """Outcomes in memory.

    Attributes:
        asked: from when on somebody looked, in ms since the epoch.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def since(self, request_ids: Collection[str], since_ms: int) -> list[Outcome]:
        self.asked.append(since_ms)
        return [one for one in self.outcomes if one.request_id in request_ids]


class MemoryJournal:
    """Whoever opens it last turns all others away.

    Attributes:
        notes: the topic ``dlq.state``.
        sent: raw records of all steps.
        trail: what was written down of acts.
    """

    def __init__(self) -> None:
        self.notes = FakeTopic(name="dlq.state")
        self.sent: list[Encoded] = []
        self.trail = MemoryTrail()

    @contextmanager
    def open(self) -> Iterator["Steps"]:
        with self.notes.writer() as writer:
            yield Steps(self, writer)


@dataclass
class Steps:
    """All of a step or nothing."""

    journal: MemoryJournal
    writer: FakeWriter

    def step(self, outputs: Sequence[Output] = (), records: Sequence[Encoded] = ()) -> None:
        assert all(output.topic == "dlq.state" for output in outputs), "acts are written down beside the journal"
        self.writer.step(outputs)
        self.journal.sent += records


class Time:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


class ScriptedOutcomes:
    """``counts`` of succeeded, failed and retrying records as they stand after each look, the last for ever."""

    def __init__(self, *counts: tuple[int, int, int], time: Time | None = None) -> None:
        self._counts = list(counts) or [(0, 0, 0)]
        self._time = time or Time()

    def poll(self, seconds: float) -> None:
        self._time.seconds += seconds
        if len(self._counts) > 1:
            self._counts.pop(0)

    def counts(self) -> tuple[int, int, int]:
        return self._counts[0]


@dataclass
class Bench:
    """Dead letters in memory, ``count`` of them to begin with."""

    count: int = 0
    outcomes: ScriptedOutcomes = field(default_factory=ScriptedOutcomes)

    def __post_init__(self) -> None:
        self.queue = MemoryQueue([buried(offset) for offset in range(self.count)])
        self.journal = MemoryJournal()
        self.ended = MemoryEnded()

    def operator(self) -> DeadLetters:
        """One of the operators who act on these letters."""

        @contextmanager
        def watch(_replay_id: str) -> Iterator[ScriptedOutcomes]:
            yield self.outcomes

        return DeadLetters(
            queue=self.queue,
            ended=self.ended,
            notes=TopicView(FakeReader(self.journal.notes)),
            journal=self.journal.open,
            watch=watch,
            record=self.journal.trail.record,
            codecs=codecs(),
            keyring=lambda: KEYRING,
            signer=lambda: OPERATOR,
            now_ms=lambda: NOW_MS,
        )

    def add(self, record: Delivered, **changes: Any) -> None:
        """One more letter."""
        self.queue.records.append(replace(record, **changes))
