"""How much memory may a compressed batch take? As much as we say before we begin, whatever it would unpack to.

A kilobyte of zstd can say that it is gigabytes, and the client libraries believe it. Here output goes into a buffer of
the size that is allowed; what does not fit is not unpacked, and what fitted is kept: the records at the front of a
batch can be read though its end cannot.
"""

import zlib

import cramjam

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
"""Codecs as the attributes of a record batch number them (KIP-98, KIP-110)."""

_FIRST_BYTES = 65_536
_GROWTH = 8
_XERIAL = b"\x82SNAPPY\0"
"""How snappy-java begins, which Java's producers use: a header of 16 bytes, then blocks with their lengths."""
_XERIAL_BYTES = 16


class CompressionError(Exception):
    """The bytes are not of the codec; the message names it, and quotes nothing."""


def unpack(codec: int, data: bytes, limit: int) -> tuple[bytes | memoryview, bool]:
    """At most the first ``limit`` bytes of what ``data`` unpacks to, and whether that is all.

    Raises:
        CompressionError: it is no such data, or a single block of snappy that is larger than ``limit``.
    """
    if codec == GZIP:
        return _gunzip(data, limit)
    if codec == SNAPPY:
        return _unsnap(data, limit)
    if codec in (LZ4, ZSTD):
        return _into_buffer(cramjam.lz4 if codec == LZ4 else cramjam.zstd, data, limit)
    raise CompressionError(f"codec {codec} is unknown")


def _gunzip(data: bytes, limit: int) -> tuple[bytes, bool]:
    out = bytearray()
    while data:
        stream = zlib.decompressobj(wbits=31)
        try:
            out += stream.decompress(data, limit + 1 - len(out))
        except zlib.error:
            raise CompressionError("not gzip") from None
        if len(out) > limit:
            return bytes(out[:limit]), False
        if not stream.eof:
            raise CompressionError("gzip that ends early")
        data = stream.unused_data  # another member, which gzip allows
    return bytes(out), True


def _into_buffer(library: object, data: bytes, limit: int) -> tuple[memoryview, bool]:
    size = min(limit, max(_FIRST_BYTES, _GROWTH * len(data)))
    while True:
        buffer = bytearray(size)
        try:
            written: int = library.decompress_into(data, buffer)  # type: ignore[attr-defined]  # two modules alike
        except cramjam.DecompressionError as error:
            # The only error whose text is ours to read: the library has no type for a full buffer.
            if "whole buffer" not in str(error):
                raise CompressionError("not lz4 or zstd") from None
            if size == limit:
                return memoryview(buffer), False
            size = min(limit, _GROWTH * size)
        else:
            return memoryview(buffer)[:written], True


def _unsnap(data: bytes, limit: int) -> tuple[bytes, bool]:
    if not data.startswith(_XERIAL):
        return _block(data, limit), True
    out, at = bytearray(), _XERIAL_BYTES
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        block = _block(data[at + 4 : end], limit)
        if len(out) + len(block) > limit:
            return bytes(out + block)[:limit], False
        out += block
        at = end
    return bytes(out), True


def _block(data: bytes, limit: int) -> bytes:
    try:
        if cramjam.snappy.decompress_raw_len(data) > limit:
            raise CompressionError("a block of snappy that is too large")
        return bytes(cramjam.snappy.decompress_raw(data))
    except cramjam.DecompressionError:
        raise CompressionError("not snappy") from None
