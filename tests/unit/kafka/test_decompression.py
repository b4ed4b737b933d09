"""Decompression within a bound: all of it, or its front, and never more memory than that."""

import gzip
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import cramjam
import pytest
from aiokafka.codec import snappy_encode
from hypothesis import given
from hypothesis import strategies as st

from forebay.kafka.decompression import GZIP, LZ4, SNAPPY, ZSTD, CompressionError, unpack

PACK: dict[int, Callable[[bytes], bytes]] = {
    GZIP: gzip.compress,
    SNAPPY: snappy_encode,
    LZ4: lambda data: bytes(cramjam.lz4.compress(data)),
    ZSTD: lambda data: bytes(cramjam.zstd.compress(data)),
}
NAMES = {GZIP: "gzip", SNAPPY: "snappy", LZ4: "lz4", ZSTD: "zstd"}
each_codec = pytest.mark.parametrize("codec", PACK, ids=NAMES.get)


@given(codec=st.sampled_from(list(PACK)), data=st.binary(max_size=3_000), limit=st.integers(0, 4_000))
def test_what_fits_is_unpacked_and_of_the_rest_its_front(codec: int, data: bytes, limit: int) -> None:
    try:
        unpacked, complete = unpack(codec, PACK[codec](data), limit)
    except CompressionError:
        assert codec == SNAPPY  # a block that does not fit has no front
        assert len(data) > limit
        return
    assert complete == (len(data) <= limit)
    assert bytes(unpacked) == data[:limit]


@each_codec
def test_a_bomb_takes_no_more_memory_than_the_bound(codec: int) -> None:
    packed = PACK[codec](bytes(64 << 20))
    tracemalloc.start()
    try:
        unpacked, complete = unpack(codec, packed, 1 << 20)
        assert (len(unpacked), complete) == (1 << 20, False)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@each_codec
@given(data=st.binary(max_size=200))
def test_bytes_that_are_not_of_the_codec_are_refused(codec: int, data: bytes) -> None:
    with suppress(CompressionError):
        assert len(unpack(codec, data, 10_000)[0]) <= 10_000


def test_gzip_of_several_members_is_read_to_its_end() -> None:
    assert unpack(GZIP, gzip.compress(b"one ") + gzip.compress(b"two"), 100) == (b"one two", True)


def test_snappy_without_javas_frame_is_read_too() -> None:
    assert unpack(SNAPPY, bytes(cramjam.snappy.compress_raw(b"raw")), 100) == (b"raw", True)


@pytest.mark.parametrize("codec", [5, 6, 7])
def test_a_codec_that_nobody_knows_is_refused(codec: int) -> None:
    with pytest.raises(CompressionError, match=str(codec)):
        unpack(codec, b"", 100)
