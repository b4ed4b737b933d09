"""Where does a stage go on in a partition? Where it left off; where that is no place any more, by a written rule.

What was read is known by an offset, which says little once its topic was deleted and made again, or its log was cut. So
each commit carries a memo, in the metadata that the brokers keep with it: the id of the topic (KIP-516) and the time.
The rules, each of which is told of (docs/explanation/delivery.md):

- nothing committed: from the first record, and that is committed at once, so that what is unread is known from then on;
- another topic of the same name: from its first record, all of it is new;
- records expired before they were read: from the first that is left;
- a position behind the end (a log that was cut, a broker that came back without its disk, offsets from a backup): from
  what was written since a while before the last commit, so that little is repeated and nothing is left out.
"""

from dataclasses import dataclass
from enum import StrEnum

from forebay.contract.commit_memo import Memo

MARGIN_MS = 600_000
"""Before the last commit, in ms: clocks of brokers and producers differ, and commits run behind by their interval."""


class Gap(StrEnum):
    """Why a stage does not go on where it left off."""

    RETENTION = "retention"
    RECREATED = "recreated"
    OUT_OF_RANGE = "out_of_range"


@dataclass(frozen=True, kw_only=True, slots=True)
class Log:
    """A partition as it is now: the topic's id, its first offset, and the one behind its last."""

    topic_id: str
    first: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Resume:
    """Where to go on.

    Attributes:
        offset: the next to read; ``None``: the first whose time is ``since_ms`` or later, else the end.
        since_ms: ms since the epoch.
        gap: why it is not where the stage left off.
        left: where that was.
        fresh: nothing was committed before.
    """

    offset: int | None
    since_ms: int = 0
    gap: Gap | None = None
    left: int = 0
    fresh: bool = False


def resume(committed: int | None, memo: Memo, log: Log) -> Resume:
    """Where to go on in ``log`` after ``committed``, the offset of the next record; ``None`` if there is none."""
    if committed is None:
        return Resume(offset=log.first, fresh=True)
    if memo.topic_id and log.topic_id and memo.topic_id != log.topic_id:
        return Resume(offset=log.first, gap=Gap.RECREATED, left=committed)
    if committed < log.first:
        return Resume(offset=log.first, gap=Gap.RETENTION, left=committed)
    if committed <= log.end:
        return Resume(offset=committed)
    if memo.at_ms:
        return Resume(offset=None, since_ms=max(0, memo.at_ms - MARGIN_MS), gap=Gap.OUT_OF_RANGE, left=committed)
    # A commit of before there were memos: the topic was made again, or cut; to repeat is safer than to leave out.
    return Resume(offset=log.first, gap=Gap.OUT_OF_RANGE, left=committed)


def lost_records(found: Resume, went_on: int, end: int | None) -> int:
    """How many records nobody will read: at least one where that cannot be known.

    Args:
        end: where the partition ended when it was last looked at, in the topic as it was then.
    """
    if found.gap is Gap.RETENTION:
        return went_on - found.left
    if found.gap is Gap.RECREATED and end is not None:
        return max(0, end - found.left)
    return 1


class StaleTablesError(Exception):
    """A topic was made again under tables that hold offsets of the old one: going on would leave records out."""

    def __init__(self, topic: str, stage: str) -> None:
        super().__init__(
            f"{topic} was made again, and the tables of {stage} are of the old one: delete the topics "
            f"{stage}-*-changelog too, then start it again; its sums begin with the new topic"
        )
