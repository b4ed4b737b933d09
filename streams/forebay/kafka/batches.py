"""What is in a record batch, whoever made it? Its header, and its records one by one, as far as they can be read.

The format is magic 2 of KIP-98: a header of 61 bytes, then records of varints, key, value and headers. A client library
reads it faster, and gives a whole batch up for one record that it does not like (a header's name that is not UTF-8, a
length that is wrong); here each record is read or reported on its own, within bounds of memory.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from forebay.contract.wire import Unread

_HEADER = struct.Struct(">qiibIhiqqqhii")
_LENGTH_AT, _OVERHEAD = 8, 12

_CODEC, _APPEND_TIME, _CONTROL = 0x07, 0x08, 0x20
_MOST_IN_A_BATCH = 10_000_000
"""Offsets that a batch may span before its header is called broken: a record takes at least 7 bytes."""

MOST_HEADERS = 262_144
"""Headers of a record: each is an object of 56 bytes and more, made of as little as two bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchHeader:
    """The header of a batch: offsets and times (ms) of its first and last record, both included; its size in bytes."""

    first: int
    last: int
    size: int
    codec: int
    control: bool
    append_time: bool
    first_time: int
    last_time: int
    producer: int
    count: int

    @classmethod
    def of(cls, batch: bytes) -> "BatchHeader":
        """Parse it. Raises ``struct.error`` on fewer than 61 bytes."""
        first, length, _, _, _, attributes, delta, first_time, last_time, producer, _, _, count = _HEADER.unpack_from(
            batch
        )
        return cls(
            first=first,
            last=first + (delta if 0 <= delta < _MOST_IN_A_BATCH else 0),
            size=_OVERHEAD + max(0, length),
            codec=attributes & _CODEC,
            control=bool(attributes & _CONTROL),
            append_time=bool(attributes & _APPEND_TIME),
            first_time=first_time,
            last_time=last_time,
            producer=producer,
            count=count,
        )


HEADER_BYTES = _HEADER.size
_MAGIC_AT = 16


def magic_of(batch: bytes) -> int:
    """Version of the format; all have it in the same place."""
    return batch[_MAGIC_AT] if len(batch) > _MAGIC_AT else -1


def batches_of(data: bytes) -> Iterator[bytes]:
    """The whole batches in what a fetch gave; a cut one at its end is left out, it comes again."""
    at = 0
    while len(data) - at >= _OVERHEAD:
        end = at + _OVERHEAD + int.from_bytes(data[at + _LENGTH_AT : at + _OVERHEAD], "big", signed=True)
        if not at + _OVERHEAD <= end <= len(data):
            return
        yield data[at:end]
        at = end


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRecord:
    """One record; ``value`` is :class:`Unread` where it was not read."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class _CutError(Exception):
    """The bytes end before the record does."""


def records_of(header: BatchHeader, data: bytes | memoryview, limit: int) -> Iterator[RawRecord]:
    """The records of a batch, of its unpacked bytes after the header; what cannot be read is one of them as well.

    Args:
        data: all of it, or its front.
        limit: bytes of a record beyond which nothing is taken of it but its key.
    """
    view, at, next_offset = memoryview(data), 0, header.first
    for _ in range(header.count):
        try:
            length, start = _varint(view, at)
            record = _record(header, view, start, length, limit, next_offset)
        except _CutError:
            break
        yield record
        next_offset = record.offset + 1
        at = start + length
        if at > len(view):
            break
    else:
        return  # all that there are: of a compacted batch others may be gone
    if next_offset <= header.last:
        yield unreadable(header, next_offset, "the batch unpacks to more than is taken of one, or ends early")


def unreadable(header: BatchHeader, first: int, why: str, code: str = "unreadable") -> RawRecord:
    """One in place of all records from ``first`` to the end of the batch; it has the last one's offset."""
    unread = Unread(code=code, message=why, first=first)
    return RawRecord(offset=header.last, timestamp=header.last_time, key=None, value=unread, headers=())


def _record(header: BatchHeader, view: memoryview, at: int, length: int, limit: int, expected: int) -> RawRecord:
    """The record at ``at``. Raises :class:`_CutError` when even its offset is not there."""
    end = at + length
    delta, at = _varint(view, at + 1)  # after the attributes, which nothing uses
    timestamp = header.last_time if header.append_time else header.first_time + delta
    offset, at = _varint(view, at)
    offset += header.first
    if not expected <= offset <= header.last or length < 0:
        raise _CutError
    key: bytes | None = None
    try:
        key_length, at = _varint(view, at)
        if length > limit:
            key = _bytes(view, at, key_length, min(end, at + limit))
            at += max(0, key_length)
            size, at = _varint(view, at)
            known = sha256(view[at : at + size]).digest() if 0 <= size <= len(view) - at else None
            why = f"{length:,} bytes, at most {limit:,} are taken"
            unread = Unread(code="record_too_large", message=why, first=offset, length=max(0, size), digest=known)
            return RawRecord(offset=offset, timestamp=timestamp, key=key, value=unread, headers=())
        key = _bytes(view, at, key_length, end)
        at += max(0, key_length)
        size, at = _varint(view, at)
        value = _bytes(view, at, size, end)
        headers = _headers(view, at + max(0, size), end)
    except (_CutError, ValueError) as error:
        if end > len(view):
            raise _CutError from None
        why = str(error) or "lengths in the record that go beyond its end"
        unread = Unread(code="unreadable", message=why, first=offset)
        return RawRecord(offset=offset, timestamp=timestamp, key=key, value=unread, headers=())
    return RawRecord(offset=offset, timestamp=timestamp, key=key, value=value, headers=headers)


def _headers(view: memoryview, at: int, end: int) -> tuple[tuple[str, bytes | None], ...]:
    count, at = _varint(view, at)
    if not 0 <= count <= MOST_HEADERS:
        raise ValueError(f"{count:,} headers, at most {MOST_HEADERS:,} are taken")
    found: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        size, at = _varint(view, at)
        name = _bytes(view, at, size, end) or b""
        at += len(name)
        size, at = _varint(view, at)
        value = _bytes(view, at, size, end)
        at += len(value or b"")
        # Escaped where it is not UTF-8: a name must be text to travel on, and none of ours looks so.
        found.append((name.decode("utf-8", "backslashreplace"), value))
    return tuple(found)


def _bytes(view: memoryview, at: int, size: int, end: int) -> bytes | None:
    if size < 0:
        return None
    if at + size > min(end, len(view)):
        raise _CutError
    return bytes(view[at : at + size])


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    """A zigzag varint (as protobuf's ``sint64``) and where it ends."""
    value = shift = 0
    while True:
        if at >= len(view) or shift > 63:
            raise _CutError
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
