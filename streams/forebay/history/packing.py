"""How is a request kept in few bytes? Ids as the bits that they have, small numbers as few bytes, counts as lists.

Ids as text and four indexes took 456 bytes a request; a UUID is 16 bytes, a conversation's pseudonym 15.
"""

import math
from base64 import b32decode, b32encode
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from forebay.contract.ids import LONGEST_RETURNED, refused_id

Packed = bytes | str
"""An id as it is kept: bytes where it has a known form, else text."""

_UUID = 36
_PSEUDONYM, _CONVERSATION = 26, "c_"
_CONVERSATION_BYTES, _UUID_BYTES = 15, 16

_STEPS = 4
"""Buckets of a histogram for each doubling: a quantile is at most 19 % off."""
MOST_BUCKETS = 160
"""The last begins at 2^39: seventeen years in ms, six days in µs."""


def packed_id(text: str) -> Packed:
    """An id as it is kept; one that is longer than any that travels, or no text at all, as its digest."""
    if len(text) == _UUID and text[8] == text[13] == text[18] == text[23] == "-":
        digits = text.replace("-", "")
        try:
            data = bytes.fromhex(digits)
        except ValueError:
            return text if text.isascii() else _as_text(text)
        return data if data.hex() == digits and len(data) == _UUID_BYTES else text
    if len(text) == _PSEUDONYM and text.startswith(_CONVERSATION):
        try:
            data = b32decode(text[2:] + "=" * (-(len(text) - 2) % 8))
        except ValueError:
            return _as_text(text)
        return data if unpacked_id(data) == text else _as_text(text)
    return _as_text(text)


def unpacked_id(kept: Packed) -> str:
    """What :func:`packed_id` was given."""
    if isinstance(kept, str):
        return kept
    if len(kept) == _CONVERSATION_BYTES:
        return _CONVERSATION + b32encode(kept).decode()
    return str(UUID(bytes=kept)) if len(kept) == _UUID_BYTES else kept.hex()


def _as_text(text: str) -> str:
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        return refused_id(text)
    return text if size <= LONGEST_RETURNED else refused_id(text)


def packed_hex(text: str) -> bytes | None:
    """32 hexadecimal digits as bytes; ``None`` of anything else."""
    try:
        return bytes.fromhex(text) if len(text) == 2 * _UUID_BYTES else None
    except ValueError:
        return None


def numbers(values: Iterable[int]) -> bytes:
    """Whole numbers from 0 on, each in as few bytes as it needs, seven bits a byte."""
    out = bytearray()
    for value in values:
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
    return bytes(out)


def numbers_of(data: bytes) -> Iterator[int]:
    """What :func:`numbers` was given; a last one that is cut is left out."""
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            yield value
            value = shift = 0


def signed(value: int) -> int:
    """A number of either sign as one from 0 on: small ones stay small."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def unsigned(value: int) -> int:
    """What :func:`signed` was given."""
    return value >> 1 if not value & 1 else -((value + 1) >> 1)


def bucket(value: int) -> int:
    """Number of the bucket in which ``value`` is counted: 0 for 0 and below, four for each doubling after 1."""
    if value <= 0:
        return 0
    return min(1 + int(_STEPS * math.log2(value)), MOST_BUCKETS - 1)


def bucket_ends(number: int) -> tuple[float, float]:
    """From where to where a bucket reaches, the second not included."""
    return (0.0, 1.0) if number == 0 else (2 ** ((number - 1) / _STEPS), 2 ** (number / _STEPS))


def packed_counts(counts: Mapping[int, int]) -> bytes:
    """Bucket to count, those of 0 left out."""
    return numbers(number for pair in sorted(counts.items()) if pair[1] > 0 for number in pair)


def counts_of(data: bytes | None) -> dict[int, int]:
    """What :func:`packed_counts` was given."""
    found = list(numbers_of(data or b""))
    return dict(zip(found[::2], found[1::2], strict=False))


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The value below which ``share`` of what was counted lies, between the ends of its bucket; ``None`` of nothing."""
    total = sum(counts.values())
    if total <= 0:
        return None
    left = share * total
    for number, count in sorted(counts.items()):
        if count >= left:
            low, high = bucket_ends(number)
            return low + (high - low) * max(0.0, left) / count
        left -= count
    return bucket_ends(max(counts))[1]
