"""Is there personal data where none may be? Looks for known values in topics, Redis and logs, like grep."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forebay.contract.records import Delta
from forebay.contract.topics import TOPICS, Access
from forebay.kafka.reader import read_topic
from forebay.settings import Settings
from forebay.state.redis_client import open_redis

_PATIENCE_S = 60.0
"""A command here may ask for a set with a million members."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """Where a value was found; ``value`` is its number in the list that was looked for, not the value itself."""

    where: str
    value: int


def find_leaks(settings: Settings, values: Sequence[str], logs: Iterable[Path]) -> list[Leak]:
    """Every place outside the restricted topics that holds one of ``values``, upper and lower case alike."""
    needles = [value.casefold().encode() for value in values]
    found = [leak for where, content in _topics(settings) for leak in _leaks(where, content, needles)]
    found += asyncio.run(_in_redis(settings, needles))
    for log in logs:
        found += _leaks(f"log {log.name}", log.read_bytes(), needles)
    return found


def _leaks(where: str, content: bytes, needles: Sequence[bytes]) -> Iterator[Leak]:
    folded = content.decode("utf-8", "replace").casefold().encode()
    for number, needle in enumerate(needles):
        if needle in folded:
            yield Leak(where=where, value=number)


def _topics(settings: Settings) -> Iterator[tuple[str, bytes]]:
    for topic in TOPICS.values():
        if topic.access is not Access.INTERNAL:
            continue
        pieces: list[Delta] = []
        for record in read_topic(settings, topic.name):
            source = record.source
            pieces += [record.value] if isinstance(record.value, Delta) else []
            headers = b"\0".join(name.encode() + b"=" + value for name, value in source.headers.items())
            yield f"topic {topic.name}", b"\0".join((source.key or b"", source.value or b"", headers))
        yield from ((f"topic {topic.name}", text) for text in spoken(pieces))


def spoken(pieces: Iterable[Delta]) -> Iterator[bytes]:
    """What each call said: a value may be in no piece of it and yet in the text."""
    calls: dict[str, list[str]] = {}
    for piece in pieces:
        calls.setdefault(piece.attempt_id, []).append(piece.text)
    yield from ("".join(texts).encode() for texts in calls.values())


async def _in_redis(settings: Settings, needles: Sequence[bytes]) -> list[Leak]:
    leaks = []
    for cache in (False, True):
        async with open_redis(settings, cache=cache, timeout_s=_PATIENCE_S) as client:
            leaks += [leak async for content in contents(client) for leak in _leaks("redis", content, needles)]
    return leaks


async def contents(client: Any) -> AsyncIterator[bytes]:
    """All that a Redis holds, keys too, also as it is before compression; ``client`` is a ``redis.asyncio`` client."""
    read: dict[bytes, Callable[[bytes], Awaitable[Any]]] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": client.xrange,
        b"vectorset": lambda key: client.execute_command("VRANDMEMBER", key, 1_000_000),
    }
    async for key in client.scan_iter(count=1000):
        kind = await client.type(key)
        if kind == b"none":
            continue  # it expired after it was listed
        for part in (key, *_parts(await read[kind](key))):
            for content in _inflated(part):
                yield content


def _parts(value: Any) -> Iterator[bytes]:
    """The texts that a value of any type is made of."""
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield name
            yield from _parts(part)
    elif isinstance(value, Iterable):
        for part in value:
            yield from _parts(part)


def _inflated(value: bytes) -> Iterator[bytes]:
    """``value``, and what is inside if it is compressed, at any offset of its first bytes (headers come first)."""
    yield value
    for start in range(min(8, len(value))):
        for bits in (15, -15):
            try:
                yield zlib.decompressobj(bits).decompress(value[start:], 10_000_000)
            except zlib.error:
                continue
