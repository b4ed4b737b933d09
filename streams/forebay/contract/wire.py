"""A record on its way in and on its way out, as bytes; and the error that says that bytes are none."""

from dataclasses import dataclass

from forebay.contract import headers as h


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """A record as it came from the broker; ``topic`` is the logical name, ``timestamp_ms`` as the topic defines it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: h.Headers
    timestamp_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """An output as it goes to the broker; ``topic`` is still the logical name."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class UndecodableError(ValueError):
    """The bytes are not a record of the expected type; ``code`` is the stable error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
