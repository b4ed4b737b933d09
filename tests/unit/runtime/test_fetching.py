"""What a fetch brings is read record by record: nothing in it raises, and what cannot be read is told of."""

import gzip
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import cramjam
import pytest
from aiokafka.codec import snappy_encode
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c, encode_varint
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.wire import Unread
from forebay.runtime.flight_recorder import FlightRecorder, Place
from forebay.runtime.reading.fetching import Batches, GuardedRecords

LIMIT = 100_000
TP = TopicPartition("t", 0)
Headers = Sequence[tuple[bytes, bytes | None]]
PACK = {1: gzip.compress, 2: snappy_encode, 3: lambda data: bytes(cramjam.lz4.compress(data))}
PACK |= {4: lambda data: bytes(cramjam.zstd.compress(data, level=19))}


class Records(GuardedRecords):
    limit = staticmethod(lambda _topic: LIMIT)


def varint(number: int) -> bytes:
    out = bytearray()
    encode_varint(number, out.append)
    return bytes(out)


def some(data: bytes | None) -> bytes:
    return varint(-1) if data is None else varint(len(data)) + data


@dataclass(frozen=True)
class Raw:
    """A record as bytes, also one that no library would write."""

    delta: int
    key: bytes | None = b"k"
    value: bytes | None = b"v"
    headers: Headers = ()
    length: int | None = None

    def encoded(self) -> bytes:
        body = b"\0" + varint(0) + varint(self.delta) + some(self.key) + some(self.value) + varint(len(self.headers))
        body += b"".join(some(name) + some(value) for name, value in self.headers)
        return varint(len(body) if self.length is None else self.length) + body


def batch(first: int, *records: Raw, codec: int = 0, last_delta: int | None = None, crc: int | None = None) -> bytes:
    """A batch of magic 2."""
    data = b"".join(record.encoded() for record in records)
    body = PACK[codec](data) if codec else data
    last = records[-1].delta if last_delta is None else last_delta
    checked = struct.pack(">hiqqqhii", codec, last, 1_000, 2_000, -1, -1, -1, len(records)) + body
    head = struct.pack(">ibI", 0, 2, calc_crc32c(checked) if crc is None else crc)
    return struct.pack(">qi", first, len(head) + len(checked)) + head + checked


def partition(*batches: bytes, at: int = 0, isolation: int = 1) -> Records:
    return Records(TP, Batches(b"".join(batches)), [], at, None, None, True, isolation)


def read(*batches: bytes, at: int = 0) -> list[tuple[int, Any]]:
    """Offset and value of each record."""
    return [(record.offset, record.value) for record in partition(*batches, at=at)]


def unread(value: Any) -> tuple[str, int, int | None]:
    assert isinstance(value, Unread)
    return value.code, value.first, value.length


@pytest.mark.parametrize("codec", range(5))
def test_usual_batches_are_read_as_the_library_reads_them(codec: int) -> None:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, 0, 100_000)
    for offset in range(3):
        builder.append(offset, 5_000 + offset, b"key", b"value" * 200, [("name", b"1"), ("name", None)])
    records = list(partition(bytes(builder.build()), batch(3, Raw(0))))
    assert [record.offset for record in records] == [0, 1, 2, 3]
    first = records[0]
    assert (first.key, first.value, first.timestamp) == (b"key", b"value" * 200, 5_000)
    assert first.headers == (("name", b"1"), ("name", None))


@given(codec=st.sampled_from(range(5)), name=st.binary(max_size=9), value=st.none() | st.binary(max_size=9))
def test_a_headers_name_may_be_any_bytes(codec: int, name: bytes, value: bytes | None) -> None:
    records = list(partition(batch(7, Raw(0), Raw(1, headers=[(name, value)]), Raw(2), codec=codec), at=7))
    assert [record.offset for record in records] == [7, 8, 9]
    assert records[1].headers == ((name.decode("utf-8", "backslashreplace"), value),)


@pytest.mark.parametrize("codec", range(5))
def test_a_record_larger_than_its_topic_takes_is_passed_and_told_of(codec: int) -> None:
    large = bytes(1_100_000)
    found = read(batch(7, Raw(0), Raw(1, key=b"large", value=large), Raw(2), codec=codec), at=7)
    assert [offset for offset, _ in found] == [7, 8, 9]
    assert unread(found[1][1]) == ("record_too_large", 8, len(large))
    assert found[1][1].digest == sha256(large).digest()
    assert (found[0][1], found[2][1]) == (b"v", b"v")


@pytest.mark.parametrize("codec", [1, 3, 4])
def test_of_a_bomb_the_front_is_read_and_the_rest_is_one(codec: int) -> None:
    bomb = Raw(1, key=b"bomb", value=bytes(40 << 20))
    records = list(partition(batch(7, Raw(0), bomb, Raw(2), Raw(3), codec=codec), batch(11, Raw(0)), at=7))
    assert [record.offset for record in records] == [7, 8, 10, 11]
    assert (records[1].key, unread(records[1].value)) == (b"bomb", ("record_too_large", 8, 40 << 20))
    assert unread(records[2].value) == ("unreadable", 9, None)
    assert records[3].value == b"v"


def test_a_header_takes_as_little_memory_as_it_may() -> None:
    many = [(b"", b"")] * 600_000
    [(offset, value), (_, after)] = read(batch(0, Raw(0, headers=many), Raw(1)))
    assert (offset, unread(value)[0], after) == (0, "record_too_large", b"v")


@pytest.mark.parametrize("codec", [1, 2, 3, 4, 5, 7])
def test_a_batch_that_cannot_be_unpacked_is_passed_as_one(codec: int) -> None:
    broken = bytearray(batch(7, Raw(0), Raw(1), Raw(2)))
    broken[22] |= codec
    broken[17:21] = struct.pack(">I", calc_crc32c(bytes(broken[21:])))
    found = read(bytes(broken), batch(10, Raw(0)), at=7)
    assert [offset for offset, _ in found] == [9, 10]
    assert unread(found[0][1]) == ("unreadable", 7, None)


@pytest.mark.parametrize(
    "broken",
    [Raw(1, length=3), Raw(1, length=1_000), Raw(1, length=-1), Raw(1_000), Raw(-1)],
    ids=["too short", "beyond the end", "negative", "an offset of another batch", "an offset of before"],
)
def test_lengths_and_offsets_that_lie_cost_the_rest_of_the_batch_at_most(broken: Raw) -> None:
    found = read(batch(7, Raw(0), broken, Raw(2), last_delta=2), batch(10, Raw(0)), at=7)
    assert [offset for offset, _ in found if offset in (7, 10)] == [7, 10]
    assert [offset for offset, _ in found] == sorted({offset for offset, _ in found})


def test_a_wrong_checksum_is_fetched_once_more_and_then_passed() -> None:
    broken = batch(7, Raw(0), Raw(1), crc=1)
    first = partition(broken, batch(9, Raw(0)), at=7)
    assert (list(first), first.next_fetch_offset) == ([], 7)
    found = read(broken, batch(9, Raw(0)), at=7)
    assert [offset for offset, _ in found] == [8, 9]
    assert unread(found[0][1]) == ("unreadable", 7, None)


def test_a_batch_that_ended_two_workers_is_not_unpacked_again() -> None:
    class Deadly(FlightRecorder):
        def deaths(self, place: Place) -> int:
            return 2 if place == ("/t", 0, 7) else 0

    records = partition(batch(7, Raw(0), Raw(1), codec=4), batch(9, Raw(0), codec=4), at=7)
    records.recorder = Deadly()
    found = [(record.offset, record.value) for record in records]
    assert [offset for offset, _ in found] == [8, 9]
    assert unread(found[0][1]) == ("ended_worker", 7, None)


def test_what_was_read_before_is_not_read_again() -> None:
    odd = Raw(2, headers=[(b"\xff", b"")])
    assert [offset for offset, _ in read(batch(0, Raw(0), Raw(1), odd, Raw(3)), at=2)] == [2, 3]
    assert read(batch(0, Raw(0), Raw(1)), at=2) == []


def test_of_a_compacted_batch_the_offsets_that_are_gone_are_not_missed() -> None:
    records = partition(batch(0, Raw(1), Raw(4, headers=[(b"\xff", b"")]), last_delta=9))
    assert [record.offset for record in records] == [1, 4]
    assert records.next_fetch_offset == 10


def test_a_batch_that_is_cut_is_left_for_the_next_fetch() -> None:
    records = partition(batch(0, Raw(0)), batch(1, Raw(0))[:-1])
    assert [record.offset for record in records] == [0]
    assert records.next_fetch_offset == 1


@given(
    data=st.binary(max_size=120),
    codec=st.integers(0, 7),
    count=st.integers(-1, 50),
    last=st.integers(-1, 60) | st.integers(0, (1 << 31) - 1),
    good=st.integers(0, 3),
)
def test_no_bytes_raise_and_every_offset_of_the_batch_is_passed(
    data: bytes, codec: int, count: int, last: int, good: int
) -> None:
    body = b"".join(Raw(delta).encoded() for delta in range(good)) + data
    checked = struct.pack(">hiqqqhii", codec, last, 1_000, 2_000, -1, -1, -1, count) + body
    head = struct.pack(">ibI", 0, 2, calc_crc32c(checked))
    hostile = struct.pack(">qi", 5, len(head) + len(checked)) + head + checked
    records = partition(hostile, at=5)
    offsets = [record.offset for record in records]
    assert offsets == sorted(set(offsets))
    assert records.next_fetch_offset > 5
    assert all(offset >= 5 for offset in offsets)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_batches_are_none(data: bytes) -> None:
    records = partition(data)
    assert all(record.offset >= 0 for record in _bounded(records))


def _bounded(records: Any) -> Iterator[Any]:
    for _, record in zip(range(1_000), records, strict=False):
        yield record
