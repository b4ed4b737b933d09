"""What if a batch cannot be read? Then it is passed record by record, and whatever cannot be read is told of.

aiokafka unpacks a batch however large it becomes, and raises for a whole batch what one record of it is to blame for:
the stage would end, at each start. :func:`guard_fetches` puts a reader of ours in its place. Usual batches still go
through the library's compiled code; what is compressed is unpacked within a bound first, and what the library does not
like, or what is large, is read by :mod:`forebay.kafka.batches`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import structlog
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.structs import ConsumerRecord

from forebay.contract.wire import Unread
from forebay.kafka.batches import (
    HEADER_BYTES,
    BatchHeader,
    RawRecord,
    batches_of,
    magic_of,
    records_of,
    unreadable,
)
from forebay.kafka.decompression import NONE, CompressionError, unpack
from forebay.runtime.flight_recorder import DEADLY, FlightRecorder

log = structlog.get_logger(__name__)

_SMALL_BYTES = 1_048_576
"""Unpacked batches up to so many bytes go through the library: their objects cannot take much memory."""

_UNPACKED_BYTES = 33_554_432
"""Unpacked bytes that are taken of one batch at least; twice the largest record where that is more.

Producers' batches are of 16 KiB to 1 MiB before they are compressed; what unpacks to more is no usual batch."""

_ATTRIBUTES_AT = 21
_CHECKSUM_TRIES = 2


def guard_fetches(limit: Callable[[str], int], recorder: FlightRecorder) -> None:
    """Have every aiokafka consumer of this process read batches as described above.

    Args:
        limit: by the name of a topic on the broker, bytes of its largest record.
        recorder: notes which batch is being unpacked; the second that ends its worker is not unpacked again.
    """
    # The library has no seam here: its fetcher looks these two names up in its module.
    fetcher.MemoryRecords = Batches
    guarded = type("PartitionRecords", (GuardedRecords,), {"limit": staticmethod(limit), "recorder": recorder})
    fetcher.PartitionRecords = guarded


class Batches:
    """The batches of one fetch, in the place of aiokafka's ``MemoryRecords``."""

    def __init__(self, data: bytes) -> None:
        self._size = len(data)
        self._batches = batches_of(data)
        self._next = next(self._batches, None)

    def size_in_bytes(self) -> int:
        """Of all, also of a batch that is cut."""
        return self._size

    def has_next(self) -> bool:
        """Whether there is another whole batch."""
        return self._next is not None

    def next_batch(self) -> bytes | None:
        """Its bytes."""
        batch, self._next = self._next, next(self._batches, None)
        return batch


class GuardedRecords(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """The records of one partition in one fetch; never raises for what is in them."""

    limit: Callable[[str], int]
    recorder = FlightRecorder()
    # Of the class: a batch that is fetched again is read by another object.
    _broken: ClassVar[Counter[tuple[Any, int]]] = Counter()

    def _unpack_records(self) -> Iterator[Any]:
        while (batch := self._records.next_batch()) is not None:
            if magic_of(batch) < 2:
                yield from self._of_old_batch(batch)
                continue
            header, library = BatchHeader.of(batch), DefaultRecordBatch(batch)
            whole = not self._check_crcs or library.validate_crc()
            if not whole and self._may_pass(header):
                return  # it is fetched again, from where we are
            aborted = self._was_aborted(library)
            if header.control:
                if self._isolation_level == fetcher.READ_COMMITTED and self._contains_abort_marker(library):
                    self._aborted_producers.discard(library.producer_id)
            elif not aborted:
                yield from self._of_batch(batch, header, library if whole else None)
            self.next_fetch_offset = header.last + 1

    def _of_batch(self, batch: bytes, header: BatchHeader, library: Any) -> Iterator[Any]:
        if library is None:
            yield from self._rest_of(header, "its checksum is wrong")
            return
        what = f"/{self._tp.topic}"
        if self.recorder.deaths((what, self._tp.partition, header.first)) >= DEADLY:
            yield from self._rest_of(header, "workers ended while they unpacked it", "ended_worker")
            return
        limit = self.limit(self._tp.topic)
        data: bytes | memoryview = memoryview(batch)[HEADER_BYTES:]
        complete = True
        try:
            if header.codec != NONE:
                with self.recorder.reading(what, self._tp.partition, header.first):
                    data, complete = unpack(header.codec, batch[HEADER_BYTES:], max(2 * limit, _UNPACKED_BYTES))
                library = DefaultRecordBatch(_as_unpacked(batch, data)) if len(data) <= _SMALL_BYTES else None
            if complete and len(data) <= _SMALL_BYTES:
                for record in library:
                    if self.next_fetch_offset <= record.offset <= header.last:
                        self.next_fetch_offset = record.offset + 1
                        yield self._consumer_record(self._tp, record)
                    elif record.offset > header.last:
                        raise ValueError("an offset that is not of this batch")  # noqa: TRY301 - to be read with care
                return
        except CompressionError as error:
            yield from self._rest_of(header, str(error))
            return
        except Exception as error:  # noqa: BLE001 - whatever the library does not like: the same again, with care
            log.warning("batch_read_with_care", topic=self._tp.topic, error=type(error).__name__)
        try:
            yield from self._read(records_of(header, data, limit))
        except Exception as error:  # noqa: BLE001 - a batch that is made to break this too does not end the stage
            yield from self._rest_of(header, type(error).__name__)

    def _rest_of(self, header: BatchHeader, why: str, code: str = "unreadable") -> Iterator[Any]:
        return self._read([unreadable(header, max(header.first, self.next_fetch_offset), why, code)])

    def _read(self, records: Iterable[RawRecord]) -> Iterator[Any]:
        """As the library gives them, from where we are; what could not be read is logged once, here."""
        for record in records:
            if record.offset < self.next_fetch_offset:
                continue
            if isinstance(record.value, Unread):
                log.error(
                    "records_unread",
                    topic=self._tp.topic,
                    partition=self._tp.partition,
                    first=max(record.value.first, self.next_fetch_offset),
                    last=record.offset,
                    code=record.value.code,
                    message=record.value.message,
                )
            self.next_fetch_offset = record.offset + 1
            yield ConsumerRecord(
                self._tp.topic,
                self._tp.partition,
                record.offset,
                record.timestamp,
                0,
                record.key,
                record.value,
                None,
                -1 if record.key is None else len(record.key),
                -1 if record.value is None else len(record.value),
                record.headers,
            )

    def _was_aborted(self, batch: Any) -> bool:
        """Whether the batch is of a transaction that was aborted; as in the library."""
        if self._isolation_level != fetcher.READ_COMMITTED or batch.producer_id is None:
            return False
        self._consume_aborted_up_to(batch.base_offset)
        return bool(batch.is_transactional and batch.producer_id in self._aborted_producers)

    def _may_pass(self, header: BatchHeader) -> bool:
        """Whether a wrong checksum may have been the network's: the first time."""
        place = (self._tp, header.first)
        self._broken[place] += 1
        if self._broken[place] < _CHECKSUM_TRIES:
            return True
        del self._broken[place]
        return False

    def _of_old_batch(self, batch: bytes) -> Iterator[Any]:
        """Formats of before Kafka 0.11, which brokers of today turn into the new one: by the library, but guarded."""
        try:
            for record in LegacyRecordBatch(batch, magic_of(batch)):
                if record.offset >= self.next_fetch_offset:
                    self.next_fetch_offset = record.offset + 1
                    yield self._consumer_record(self._tp, record)
        except Exception as error:  # noqa: BLE001 - one offset is passed; what is behind it is fetched again
            at = self.next_fetch_offset
            unread = Unread(code="unreadable", message=type(error).__name__, first=at)
            yield from self._read([RawRecord(offset=at, timestamp=-1, key=None, value=unread, headers=())])


def _as_unpacked(batch: bytes, data: bytes | memoryview) -> bytes:
    """The batch without compression, for a reader that does not look at its length and checksum again."""
    attributes = int.from_bytes(batch[_ATTRIBUTES_AT : _ATTRIBUTES_AT + 2], "big") & ~0x07
    return b"".join(
        (batch[:_ATTRIBUTES_AT], attributes.to_bytes(2, "big"), batch[_ATTRIBUTES_AT + 2 : HEADER_BYTES], data)
    )
