"""What can go wrong, and what happens then? Five kinds of failure; the codes are catalogued in one place.

A handler raises one of these; anything else it raises is a bug and is treated as :class:`Permanent` with ``bug``.
Messages go to logs, dead letters and consumers, so they never quote the text of a request.
"""

from typing import Any

from forebay.contract.error_codes import CODES, FailureClass

MESSAGE_LIMIT = 500
"""Characters of a message that are kept: enough for a sentence, too few for a prompt."""


class Failure(Exception):
    """Base of what a handler may raise.

    Args:
        code: a key of :data:`CODES`.
        message: for people; free of prompt text; cut to 500 characters.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message[:MESSAGE_LIMIT]
        self.carry: dict[str, bytes] = {}
        """Headers that the next try of the record should find (``forebay-…``)."""

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is pickled with its message alone, and cannot be made of that: one failure that a process of a
        # pool returned broke the pool, and with it every request that came after.
        return _made, (type(self), self.code, self.message), self.__dict__

    @property
    def failure_class(self) -> FailureClass:
        """Class of the code."""
        return CODES[self.code].failure_class


def _made(kind: type[Failure], code: str, message: str) -> Failure:
    return kind(code, message)


class Transient(Failure):
    """Try again later. ``retry_after_s``: what the other side asked us to wait, in seconds, if it did."""

    def __init__(self, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s


class Held(Transient):
    """What everybody needs has no room now: the record waits in its place, and those behind it in Kafka.

    No attempt is counted and no retry topic is filled; a record's deadline still ends it.
    """


class Rejected(Failure):
    """Terminal, and the requester's to change: becomes a ``rejected`` response, not a dead letter.

    ``retry_at``: from when on it may be served, in ms since the epoch, if that is known.
    """

    def __init__(self, code: str, message: str, *, retry_at: int | None = None) -> None:
        super().__init__(code, message)
        self.retry_at = retry_at


class Permanent(Failure):
    """No retry will help: becomes a dead letter and a ``failed`` response."""


class Expired(Failure):
    """Too late to be of use: becomes a ``failed`` response without a dead letter, since a replay would be late too."""
