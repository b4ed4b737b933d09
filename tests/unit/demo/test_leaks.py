"""The search for leaks reads all that Redis holds, and outlives what it searches."""

import zlib
from collections.abc import AsyncIterator
from typing import Any

from forebay.contract.records import Delta
from forebay.demo.leaks import contents, spoken


class Holding:
    """A Redis of three keys, the second of which expires between the list and the look."""

    async def scan_iter(self, count: int) -> AsyncIterator[bytes]:
        for key in (b"one", b"gone", b"two"):
            yield key

    async def type(self, key: bytes) -> bytes:
        return {b"one": b"string", b"gone": b"none", b"two": b"stream"}[key]

    async def get(self, key: bytes) -> bytes:
        return b"\0\0" + zlib.compress(b"Ann Lee")

    async def xrange(self, key: bytes) -> list[tuple[bytes, dict[bytes, bytes]]]:
        return [(b"1-0", {b"name": b"Bob Ray"})]

    hgetall = smembers = get


async def _found(client: Any) -> set[bytes]:
    return {content async for content in contents(client)}


async def test_keys_and_values_are_read_also_where_they_are_compressed_or_nested() -> None:
    assert {b"one", b"Ann Lee", b"two", b"1-0", b"name", b"Bob Ray"} <= await _found(Holding())


async def test_a_key_that_expires_meanwhile_is_passed_over() -> None:
    assert b"gone" not in await _found(Holding())


def test_what_was_said_in_pieces_is_looked_at_as_a_whole() -> None:
    pieces = [("a", "Ann"), ("b", "Bob"), ("a", " Lee"), ("b", " Ray")]
    said = spoken(Delta(attempt_id=attempt, text=text) for attempt, text in pieces)
    assert sorted(said) == [b"Ann Lee", b"Bob Ray"]
