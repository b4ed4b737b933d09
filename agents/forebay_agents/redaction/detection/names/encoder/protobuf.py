"""How is a protocol buffer read and written, without a library? Fields by number; that is all a model file is.

See https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator, Mapping

_VARINT, _LENGTH_DELIMITED = 0, 2
_FIXED = {1: 8, 5: 4}
"""Bytes of the fixed-length wire types."""

Field = tuple[int, int, bytes]
"""Number, wire type, and the field's bytes without its header."""


def fields(data: bytes) -> Iterator[Field]:
    """The fields of a message. Raises ``ValueError`` when it is none."""
    position = 0
    while position < len(data):
        header, position = _varint(data, position)
        number, wire = header >> 3, header & 7
        start = position
        if wire == _LENGTH_DELIMITED:
            length, start = _varint(data, position)
            position = start + length
        elif wire == _VARINT:
            _, position = _varint(data, position)
        elif wire in _FIXED:
            position += _FIXED[wire]
        else:
            raise ValueError("not a protocol buffer")
        if position > len(data):
            raise ValueError("not a protocol buffer: it ends too soon")
        yield number, wire, data[start:position]


def integer(body: bytes) -> int:
    """The value of an integer field."""
    return _varint(body, 0)[0]


def packed(body: bytes) -> Iterator[int]:
    """The values of a packed field of integers."""
    position = 0
    while position < len(body):
        value, position = _varint(body, position)
        yield value


def written(number: int, value: bytes | str | int, wire: int | None = None) -> bytes:
    """A field.

    Args:
        value: bytes and strings become length-delimited, unless ``wire`` says that they are what they are.
    """
    if isinstance(value, int):
        return _as_varint(number << 3 | _VARINT) + _as_varint(value)
    body = value.encode() if isinstance(value, str) else value
    if wire is not None:
        return _as_varint(number << 3 | wire) + body
    return _as_varint(number << 3 | _LENGTH_DELIMITED) + _as_varint(len(body)) + body


def message(content: Mapping[int, bytes | str | int]) -> bytes:
    """A message of fields by number."""
    return b"".join(written(number, value) for number, value in content.items())


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("not a protocol buffer: it ends too soon")


def _as_varint(value: int) -> bytes:
    pieces = bytearray()
    while value > 0x7F:
        pieces.append(value & 0x7F | 0x80)
        value >>= 7
    pieces.append(value)
    return bytes(pieces)
