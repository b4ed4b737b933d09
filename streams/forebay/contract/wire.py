"""A record on its way in and on its way out, as bytes; and the error that says that bytes are none."""

from dataclasses import dataclass
from typing import Self

from forebay.contract import headers as h


class Unread(bytes):
    """In place of a value that was not read: no bytes, and what is known of those that it stands for.

    Bytes, so that it passes through whatever carries values.

    Args:
        code: error code of what its record fails with.
        message: for people; quotes nothing.
        first: offset of the first record that it stands for; the last is that of its own record.
        length: bytes of the value, where they are known.
        digest: SHA-256 of the value, where it could be read.
    """

    code: str
    message: str
    first: int
    length: int | None
    digest: bytes | None

    def __new__(
        cls, *, code: str, message: str, first: int, length: int | None = None, digest: bytes | None = None
    ) -> Self:
        """See the class."""
        unread = super().__new__(cls)
        unread.code, unread.message, unread.first, unread.length, unread.digest = code, message, first, length, digest
        return unread


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """A record as it came from the broker; ``topic`` is the logical name, ``timestamp_ms`` as the topic defines it.

    Attributes:
        dropped: names of headers that it came with and that are not among ``headers``, since they are not believed.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: h.Headers
    timestamp_ms: int
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """An output as it goes to the broker; ``topic`` is still the logical name."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    always: bool = False
    partition: int | None = None


class UndecodableError(ValueError):
    """The bytes are not a record of the expected type; ``code`` is the stable error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
