"""What can a record be? A description that is drawn, and a batch of the wire made of it that no client would write.

A client library refuses half of what a broker takes: a header's name that is not UTF-8, a time before 1970, a codec
that it was built without. So the batch (magic 2, KIP-98) is put together here.
"""

import gzip
import random
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cramjam
from aiokafka.codec import lz4_encode, snappy_encode
from aiokafka.record.util import calc_crc32c, encode_varint

PACK: Mapping[int, Callable[[bytes], bytes]] = MappingProxyType(
    {
        1: lambda data: gzip.compress(data, 1),
        2: snappy_encode,
        3: lambda data: lz4_encode(data, 1),  # brokers take no blocks that depend on others
        4: lambda data: bytes(cramjam.zstd.compress(data, level=1)),
    }
)
"""Codec, as batches number them, to what packs."""


@dataclass(frozen=True, kw_only=True)
class Sized:
    """Bytes that are told by their number: ``size`` zeros, or noise that no codec makes smaller."""

    size: int
    noise: bool = False

    def made(self) -> bytes:
        """The bytes, always the same."""
        return random.Random(self.size).randbytes(self.size) if self.noise else bytes(self.size)


Bytes = bytes | Sized | None


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One record.

    Attributes:
        topic: logical name.
        partition: taken modulo how many there are.
        headers: names as bytes.
        many: further headers, empty ones.
        time_ms: what the producer says; -1: nothing.
        codec: 0 to 4 as batches number them.
        ids: under which an answer to it may come beside its own place, key and header.
    """

    topic: str
    partition: int = 0
    key: Bytes = b"k"
    value: Bytes = b"v"
    headers: tuple[tuple[bytes, Bytes], ...] = ()
    many: int = 0
    time_ms: int = 1_700_000_000_000
    codec: int = 0
    ids: frozenset[str] = frozenset()

    def batch(self) -> bytes:
        """A batch with this record alone."""
        headers = b"".join(_some(name) + _some(made(value)) for name, value in self.headers)
        count = len(self.headers) + self.many
        body = b"\0\0\0" + _some(made(self.key)) + _some(made(self.value)) + _varint(count)
        body += headers + b"\x02h\x00" * self.many
        data = _varint(len(body)) + body
        packed = PACK[self.codec](data) if self.codec else data
        head = struct.pack(">hiqqqhii", self.codec, 0, self.time_ms, self.time_ms, -1, -1, -1, 1)
        checked = head + packed
        front = struct.pack(">ibI", 0, 2, calc_crc32c(checked))
        return struct.pack(">qi", 0, len(front) + len(checked)) + front + checked

    def header(self, name: str) -> bytes | None:
        """The last value under ``name``; ``None`` if there is none."""
        found = [made(value) or b"" for given, value in self.headers if given == name.encode()]
        return found[-1] if found else None


def made(value: Bytes) -> bytes | None:
    """The bytes that ``value`` tells of."""
    return value.made() if isinstance(value, Sized) else value


def _varint(number: int) -> bytes:
    out = bytearray()
    encode_varint(number, out.append)
    return bytes(out)


def _some(data: bytes | None) -> bytes:
    return _varint(-1) if data is None else _varint(len(data)) + data
