"""How are ids, names and records drawn, each with its place in its topic?"""

import random
from base64 import b32encode
from typing import Any
from uuid import UUID

from forebay.contract.wire import Delivered
from forebay.kafka.decoding import ReadRecord

PARTITIONS = 4


class Drawing:
    """What all that is drawn needs; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._ends: dict[tuple[str, int], int] = {}

    def _record(self, topic: str, at: int, value: Any, key: str, headers: dict[str, str] | None = None) -> ReadRecord:
        partition = hash_of(key) % PARTITIONS
        offset = self._ends.get((topic, partition), 0)
        self._ends[topic, partition] = offset + 1
        source = Delivered(
            topic=topic,
            partition=partition,
            offset=offset,
            key=key.encode(),
            value=value if isinstance(value, bytes) else b"",
            headers={name: text.encode() for name, text in (headers or {}).items()},
            timestamp_ms=at,
        )
        return ReadRecord(source=source, value=value, error=None)

    def _id(self, at: int) -> str:
        """A UUIDv7 of that time."""
        bits = at << 80 | 7 << 76 | self._random.getrandbits(12) << 64 | 2 << 62 | self._random.getrandbits(62)
        return str(UUID(int=bits))

    def _name(self, start: str) -> str:
        return start + b32encode(self._random.randbytes(15)).decode()


def hash_of(key: str) -> int:
    """The same in every process, unlike ``hash``."""
    found = 2_166_136_261
    for byte in key.encode():
        found = (found ^ byte) * 16_777_619 & 0xFFFF_FFFF
    return found
