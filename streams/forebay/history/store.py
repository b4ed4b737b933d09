"""What does a store of the history do? One protocol, behind which SQLite is, and another can be.

The recorder writes; the console, ``forebay trace`` and the comparison with the ledger read. Times are ms since the
epoch, money nano-dollars.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from forebay.kafka.decoding import ReadRecord

Place = tuple[str, int]
"""Logical topic and partition."""

TOPICS = (*("outcomes", "usage", "spend", "evaluations", "alerts", "dlq", "dlq.state", "audit", "corrections"),)
"""What the recorder reads."""


class HistoryError(Exception):
    """The history cannot be read or written now; the message says why, and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """Where a partition is read on, and of which topic it was: one that is made anew has another id."""

    next: int
    topic_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What became of a batch.

    Attributes:
        records: that were new.
        again: that were there already, since they are delivered again.
        skipped: topic to those of which nothing can be kept.
        times_off: requests that were answered before they were accepted; 0 is shown for them.
    """

    records: int = 0
    again: int = 0
    skipped: Mapping[str, int] | None = None
    times_off: int = 0


class Writer(Protocol):
    """Writes the history; there is one for each store."""

    def positions(self) -> Mapping[Place, Position]:
        """Where each partition is read on: the truth, whatever the brokers have."""
        ...

    def write(self, records: Sequence[ReadRecord], positions: Mapping[Place, Position]) -> Written:
        """Take in records, each partition's in order, and where to go on, at once or not at all.

        Raises:
            HistoryError: it cannot be written now; nothing was.
        """
        ...

    def prune(self, now_ms: int) -> bool:
        """Remove a little of what is too old, or too much; whether there is more to remove.

        Raises:
            HistoryError: it cannot be written now.
        """
        ...

    def close(self) -> None:
        """Let others write."""
        ...
