"""A topic in memory as readers and transactional writers see it: offsets, markers, what is open, committed, aborted."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from forebay.avro.codec import UndecodableError
from forebay.contract.handlers import Output
from forebay.contract.wire import Delivered
from forebay.kafka.decoding import ReadRecord
from forebay.kafka.transactions import FencedError

OPEN, COMMITTED, ABORTED, MARKER = "open", "committed", "aborted", "marker"
UNREADABLE = object()


@dataclass
class Slot:
    state: str
    epoch: int = 0
    record: ReadRecord | None = None


@dataclass
class FakeTopic:
    """Its partitions, its only writer, and what another does when somebody reaches a point (``meanwhile``)."""

    name: str = "corrections"
    partitions: int = 2
    epoch: int = 0
    expired: int = 0
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)
    logs: list[list[Slot]] = field(init=False)

    def __post_init__(self) -> None:
        self.logs = [[] for _ in range(self.partitions)]

    def add(self, key: str | None, value: Any, state: str = COMMITTED) -> None:
        """A record: ``None`` is a tombstone, ``UNREADABLE`` what cannot be decoded."""
        number = sum((key or "").encode()) % self.partitions
        log = self.logs[number]
        source = Delivered(
            topic=self.name,
            partition=number,
            offset=len(log),
            key=None if key is None else key.encode(),
            value=None if value is None else b"bytes",
            headers={},
            timestamp_ms=1_000 + len(log),
        )
        code = "not_avro" if value is UNREADABLE else "empty_message" if value is None else None
        error = None if code is None else UndecodableError(code, "as the test says")
        record = ReadRecord(source=source, value=None if error else value, error=error)
        log.append(Slot(state, self.epoch, record))

    def reach(self, point: str) -> None:
        if (other := self.meanwhile.pop(point, None)) is not None:
            other()

    def settle(self, epoch: int, state: str) -> None:
        """End the transaction of a writer in each partition that it wrote to."""
        for log in self.logs:
            mine = [slot for slot in log if slot.state == OPEN and slot.epoch == epoch]
            for slot in mine:
                slot.state = state
            if mine:
                log.append(Slot(MARKER))

    @contextmanager
    def writer(self) -> Iterator["FakeWriter"]:
        """The only writer; whoever had been it is fenced, and what it had begun is undone."""
        self.settle(self.epoch, ABORTED)
        self.epoch += 1
        yield FakeWriter(self, self.epoch)


@dataclass
class FakeWriter:
    topic: FakeTopic
    epoch: int

    def step(self, outputs: Sequence[Output]) -> None:
        self.topic.reach("before the step")
        self._check()
        for output in outputs:
            assert isinstance(output.key, str)
            self.topic.add(output.key, output.value, OPEN)
        self.topic.reach("before the commit")
        self._check()
        self.topic.settle(self.epoch, COMMITTED)

    def _check(self) -> None:
        if self.topic.epoch != self.epoch:
            raise FencedError("another operator has taken over; look again")


class FakeReader:
    """See forebay.operations.topic_view.Source."""

    def __init__(self, topic: FakeTopic) -> None:
        self.topic = topic
        self.positions = {(topic.name, number): 0 for number in range(topic.partitions)}
        self.firsts = dict(self.positions)
        self.fails_after: int | None = None

    def read_to_end(self, *, settled: bool = False) -> Iterator[ReadRecord]:
        self.topic.reach("before the look")
        for number, log in enumerate(self.topic.logs):
            place = self.topic.name, number
            self.firsts[place] = min(self.topic.expired, len(log))
            end = next((at for at, slot in enumerate(log) if slot.state == OPEN), len(log))
            assert end == len(log) or not settled, "the test waits for a transaction that nobody ends"
            for at in range(max(self.positions[place], self.firsts[place]), end):
                if self.fails_after == 0:
                    raise OSError("the brokers say nothing")
                self.positions[place] = at + 1
                slot = log[at]
                if slot.state == COMMITTED:
                    assert slot.record is not None
                    yield slot.record
                    self.fails_after = None if self.fails_after is None else self.fails_after - 1
        self.topic.reach("after the look")

    def wait(self, seconds: float) -> Sequence[ReadRecord]:
        del seconds
        return list(self.read_to_end())
