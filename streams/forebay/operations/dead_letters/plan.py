"""How is a replay to go, how far is it, and what does its operator want meanwhile?"""

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How to replay.

    Attributes:
        rate_per_s: records per second; 0: as fast as it goes.
        canary: replay so many first, and go on only if at least ``canary_success`` of them succeed; 0: none.
        pause_above: share of failures, and of those that failed twice and wait, above which it pauses.
        max_replays: a letter that was replayed so often already is parked instead.
        again: also letters that were replayed, parked or dropped before.
        settle_s: seconds to wait for the outcomes of the canary, and of the last records.
        silence_s: seconds that a record without outcome gets to come back.
    """

    by: str
    reason: str | None = None
    rate_per_s: float = 0.0
    canary: int = 0
    canary_success: float = 0.95
    pause_above: float = 0.2
    max_replays: int = 3
    again: bool = False
    settle_s: float = 60.0
    silence_s: float = 10.0


class Wish(StrEnum):
    """What the operator of a running replay wants: go on, wait between two batches, or end after this batch."""

    GO = "go"
    HOLD = "hold"
    STOP = "stop"


class Phase(StrEnum):
    """Where a replay is: trying a few, replaying, held by its operator, waiting for outcomes, or at its end.

    It ends ``paused`` (it paused itself, since too many failed), ``stopped`` (by its operator) or ``done``.
    """

    TRIAL = "trial"
    REPLAYING = "replaying"
    HELD = "held"
    SETTLING = "settling"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(slots=True)
class Progress:
    """How far a replay is; ``paused`` says why it ended early.

    ``skipped`` letters were decided on by somebody else since they were chosen, or are not open; ``unmended`` ones stay
    open, ``problems`` says why, by letter; ``retrying`` ones wait for another try by now.
    """

    replay_id: str
    chosen: int
    replayed: int = 0
    parked: int = 0
    skipped: int = 0
    unmended: int = 0
    succeeded: int = 0
    failed: int = 0
    retrying: int = 0
    paused: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    phase: Phase = Phase.REPLAYING

    @property
    def known(self) -> int:
        """Records whose outcome is known."""
        return self.succeeded + self.failed
