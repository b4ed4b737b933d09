"""What is the newest value of each key of a topic? One view, opened by a command, kept current by a console.

Reading a topic from its beginning costs as much as is in it; going on from there costs what is new. Each value comes
with the place of its key's newest record, for those who write against what they saw
(:mod:`forebay.operations.seen_writes`).
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from forebay.kafka.decoding import ReadRecord
from forebay.kafka.reader import TopicReader
from forebay.settings import Settings

T = TypeVar("T")

_SLICE_S = 0.1
"""Whoever follows lets others have their turn so often."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands; as text ``partition-offset``, for forms and addresses."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Inverse of ``str``; ``None`` for the empty text, which stands for no record. Raises ``ValueError``."""
        if not text:
            return None
        partition, _, offset = text.partition("-")
        return cls(int(partition), int(offset))


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry(Generic[T]):
    """What a topic says of a key.

    Attributes:
        value: ``None`` when it was deleted, or could never be read.
        at: where the key's newest record stands.
        written_at: timestamp of that record, ms since the epoch.
    """

    key: str
    value: T | None
    at: Position
    written_at: int


class Source(Protocol):
    """One topic as it is read; see :class:`forebay.kafka.reader.TopicReader`."""

    positions: dict[tuple[str, int], int]
    firsts: dict[tuple[str, int], int]

    def read_to_end(self, *, settled: bool = False) -> Iterable[ReadRecord]:
        """What was not read yet, up to the ends of this moment; ``settled``: also what is not committed yet."""
        ...

    def wait(self, seconds: float) -> Sequence[ReadRecord]:
        """What comes next, if anything within so many seconds."""
        ...


def record_key(record: ReadRecord) -> str | None:
    """The record's own key, as text."""
    return (record.source.key or b"").decode("utf-8", "surrogateescape")


class TopicView(Generic[T]):
    """Newest values of a topic by key. One thread reads on, any number of threads look: each sees a whole state.

    Args:
        source: the topic.
        key: which key a record is of; ``None``: of none. Records of a key have to be in one partition.
        value: what is kept of a record whose value could be read.
        prefer: of the value known and the newest one, which counts; by default the newest. (A projection may publish
            an older revision once more.)
    """

    def __init__(
        self,
        source: Source,
        *,
        key: Callable[[ReadRecord], str | None] = record_key,
        value: Callable[[ReadRecord], T] | None = None,
        prefer: Callable[[T, T], T] | None = None,
    ) -> None:
        self._source = source
        self._key = key
        self._value: Callable[[ReadRecord], T] = value or (lambda record: record.value)
        self._prefer = prefer or (lambda _known, newest: newest)
        self._reading = threading.Lock()
        self.writing = threading.Lock()
        """Held by whoever publishes: threads of one process need not fence each other."""
        self._firsts: dict[tuple[str, int], int] = {}
        self._entries: Mapping[str, Entry[T]] = {}
        self.unreadable = 0
        """Records that could not be decoded: their key keeps the value of before."""

    @property
    def ends(self) -> dict[int, int]:
        """Partition to the offset up to which (exclusive) the view has read."""
        return {partition: offset for (_, partition), offset in self._source.positions.items()}

    def refresh(self, *, settled: bool = False) -> int:
        """Read on up to the end of this moment; how many records were new.

        Args:
            settled: wait for whoever has begun to write and not finished.

        Raises:
            BrokerUnavailableError: the brokers do not answer; the view has what came until then.
        """
        with self._reading:
            count = self._take(self._source.read_to_end(settled=settled))
            self._forget()
            return count

    def follow(self, seconds: float) -> int:
        """Read on as soon as anything is new, for at most so many seconds; how many records were."""
        deadline = time.monotonic() + seconds
        while True:
            left = max(0.0, deadline - time.monotonic())
            with self._reading:
                count = self._take(self._source.wait(min(_SLICE_S, left)))
            if count or left <= _SLICE_S:
                return count
            time.sleep(0.001)  # a lock that is taken again at once is nobody else's turn

    def get(self, key: str) -> Entry[T] | None:
        """What the topic says of ``key``; ``None`` if it has no record of it."""
        return self._entries.get(key)

    def position(self, key: str) -> Position | None:
        """Where the newest record of ``key`` stands; ``None`` if there is none."""
        entry = self._entries.get(key)
        return None if entry is None else entry.at

    def entries(self) -> list[Entry[T]]:
        """Every key that has a value, in the order of their first records."""
        return [entry for entry in self._entries.values() if entry.value is not None]

    def values(self) -> list[T]:
        """The values of :meth:`entries`."""
        return [entry.value for entry in self._entries.values() if entry.value is not None]

    def _take(self, records: Iterable[ReadRecord]) -> int:
        entries = dict[str, Entry[T]]()
        count = 0
        try:
            for record in records:
                count += 1
                key = self._key(record)
                if key is not None:
                    entries[key] = self._entry(key, record, entries.get(key) or self._entries.get(key))
        finally:
            if entries:
                self._entries = {**self._entries, **entries}  # whoever looks meanwhile has the old one
        return count

    def _entry(self, key: str, record: ReadRecord, known: Entry[T] | None) -> Entry[T]:
        value = None if known is None else known.value
        if not record.source.value:
            value = None
        elif record.error is not None:
            self.unreadable += 1
        else:
            newest = self._value(record)
            value = newest if value is None else self._prefer(value, newest)
        at = Position(record.source.partition, record.source.offset)
        return Entry(key=key, value=value, at=at, written_at=record.source.timestamp_ms)

    def _forget(self) -> None:
        """Leave out what has expired, so that a console does not remember for ever."""
        firsts = {partition: first for (_, partition), first in self._source.firsts.items()}
        if self._source.firsts != self._firsts:
            self._firsts = dict(self._source.firsts)
            self._entries = {
                key: entry for key, entry in self._entries.items() if entry.at.offset >= firsts[entry.at.partition]
            }


@contextmanager
def open_view(
    settings: Settings,
    topic: str,
    *,
    key: Callable[[ReadRecord], str | None] = record_key,
    value: Callable[[ReadRecord], T] | None = None,
    prefer: Callable[[T, T], T] | None = None,
) -> Iterator[TopicView[T]]:
    """A view of the logical ``topic``, up to its newest record.

    Raises:
        BrokerUnavailableError: no broker answers, or there is no such topic.
    """
    with TopicReader(settings, [topic]) as reader:
        view = TopicView(reader, key=key, value=value, prefer=prefer)
        view.refresh()
        yield view
