"""What comes of an answer while a model writes it? Pieces of text, already restored; the record alone is the truth.

They come from :class:`forebay.client.pieces.HeardPieces`, or from nowhere.
"""

from collections.abc import Callable
from typing import Protocol

from forebay.contract.records import Request


class Pieces(Protocol):
    """Where pieces come from; called in the door's event loop alone."""

    @property
    def reply_to(self) -> int | None:
        """Partition of ``deltas`` that this door reads, for the request's header; ``None``: it reads none."""
        ...

    def follow(self, request: Request, heard: Callable[[str], None]) -> Callable[[], None]:
        """Have ``heard`` called with each piece of the answer to ``request``, in order and without gaps.

        After a gap nothing more comes: the rest is the record's.

        Returns:
            Ends it.
        """
        ...


class NoPieces:
    """Answers come whole; see :class:`Pieces`."""

    reply_to: int | None = None

    def follow(self, request: Request, heard: Callable[[str], None]) -> Callable[[], None]:
        """See :class:`Pieces`."""
        del request, heard
        return lambda: None
