"""Is there personal data where none may be? Looks for known values in topics, Redis and logs, like grep."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forebay.contract.topics import TOPICS, Access
from forebay.kafka.reader import read_topic
from forebay.settings import RedisSettings, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """Where a value was found; ``value`` is its number in the list that was looked for, not the value itself."""

    where: str
    value: int


def find_leaks(settings: Settings, values: Sequence[str], logs: Iterable[Path]) -> list[Leak]:
    """Every place outside the restricted topics that holds one of ``values``, upper and lower case alike."""
    needles = [value.casefold().encode() for value in values]
    found = []
    for where, content in _places(settings, logs):
        folded = content.decode("utf-8", "replace").casefold().encode()
        found += [Leak(where=where, value=number) for number, needle in enumerate(needles) if needle in folded]
    return found


def _places(settings: Settings, logs: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    yield from _topics(settings)
    yield from _redis(settings)
    for log in logs:
        yield f"log {log.name}", log.read_bytes()


def _topics(settings: Settings) -> Iterator[tuple[str, bytes]]:
    for topic in TOPICS.values():
        if topic.access is Access.RESTRICTED:
            continue
        for record in read_topic(settings, topic.name):
            source = record.source
            headers = b"\0".join(name.encode() + b"=" + value for name, value in source.headers.items())
            yield f"topic {topic.name}", b"\0".join((source.key or b"", source.value or b"", headers))


def _redis(settings: Settings) -> Iterator[tuple[str, bytes]]:
    import redis

    client: Any = redis.Redis.from_url(settings[RedisSettings].url.get_secret_value(), protocol=2)
    read: dict[bytes, Any] = {
        b"string": lambda key: [client.get(key)],
        b"hash": lambda key: [part for pair in client.hgetall(key).items() for part in pair],
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": lambda key: list(client.smembers(key)),
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": lambda key: [repr(client.xrange(key)).encode()],
        b"none": lambda key: [],  # it expired after it was listed
        b"vectorset": lambda key: [repr(client.execute_command("VRANDMEMBER", key, 1_000_000)).encode()],
    }
    for key in client.scan_iter(count=1000):
        values = read[client.type(key)](key)
        for value in (key, *values):
            for content in _inflated(value or b""):
                yield "redis", content


def _inflated(value: bytes) -> Iterator[bytes]:
    """``value``, and what is inside if it is compressed, at any offset of its first bytes (headers come first)."""
    yield value
    for start in range(min(8, len(value))):
        for bits in (15, -15):
            try:
                yield zlib.decompressobj(bits).decompress(value[start:], 10_000_000)
            except zlib.error:
                continue
