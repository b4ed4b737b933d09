"""Up to which offset may we commit? The tracker of one partition.

Records start in order and finish in any order; only the finished head may be acknowledged, because Faust commits past a
gap of one (faust-streaming issue 606). The tracker outlives rebalances: a record that is delivered again while its
first delivery is still running, or has finished behind an unfinished head or during the rebalance, joins that work
instead of being done twice.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from forebay.contract.wire import Encoded


@dataclass(slots=True, eq=False)
class Slot:
    """Work on one offset: ``done`` once its outputs are delivered, ``acknowledge`` for its latest delivery.

    Outputs that were made while the record was nobody's, or another worker's, are ``withheld``: they are published if
    it is delivered here again.
    """

    offset: int
    done: bool = False
    acknowledge: Callable[[], object] | None = field(default=None, repr=False)
    withheld: Sequence[Encoded] | None = field(default=None, repr=False)

    def is_ours(self) -> bool:
        """Whether the record was delivered in the current assignment."""
        return self.acknowledge is not None

    @property
    def at_rest(self) -> bool:
        """Whether nobody works on it."""
        return self.done or self.withheld is not None


class PartitionTracker:
    """Order of the records of one partition, from delivery to acknowledgement. Not thread-safe."""

    def __init__(self) -> None:
        self._order: deque[Slot] = deque()
        self._slots: dict[int, Slot] = {}
        self._first: int | None = None
        self._acknowledged: int | None = None

    def admit(self, offset: int, acknowledge: Callable[[], object]) -> Slot | None:
        """Enter a delivered record.

        Args:
            offset: its offset; within one assignment, offsets only grow.
            acknowledge: called once it and all before it are done.

        Returns:
            A slot to work on, or whose withheld outputs to publish; ``None`` when its work is done or under way.
        """
        if self._first is None:
            self._first = offset
            self._forget_finished_before(offset)
        known = self._slots.get(offset)
        slot = known or Slot(offset)
        slot.acknowledge = acknowledge
        self._slots[offset] = slot
        self._order.append(slot)
        if known is not None and known.withheld is None:
            self._advance()
            return None
        return slot

    def finish(self, slot: Slot) -> None:
        """Mark ``slot`` done and acknowledge the finished head."""
        slot.done = True
        if slot.acknowledge is None and self._first is not None and slot.offset < self._first:
            del self._slots[slot.offset]  # another worker has it committed: it will not be delivered again
        self._advance()

    def revoke(self) -> None:
        """Forget the order: the partition's records will be delivered again, here or elsewhere.

        Also forgets what was acknowledged: another worker may commit more before this one gets the partition back, and
        committing what was true before would take the group back.
        """
        self._order.clear()
        self._first = None
        self._acknowledged = None
        for slot in self._slots.values():
            slot.acknowledge = None

    def forget_finished(self) -> None:
        """The partition went to another worker: finished work is of no use here any more."""
        for offset in [slot.offset for slot in self._slots.values() if slot.at_rest]:
            del self._slots[offset]

    @property
    def window(self) -> int:
        """Records between the oldest unacknowledged and the newest, both included."""
        return len(self._order)

    @property
    def committable(self) -> int | None:
        """Offset to commit: one past the newest acknowledged record; ``None`` before the first of this assignment."""
        return None if self._acknowledged is None else self._acknowledged + 1

    def _forget_finished_before(self, offset: int) -> None:
        for stale in [slot.offset for slot in self._slots.values() if slot.at_rest and slot.offset < offset]:
            del self._slots[stale]

    def _advance(self) -> None:
        order = self._order
        while order and order[0].done:
            slot = order.popleft()
            self._slots.pop(slot.offset, None)
            self._acknowledged = slot.offset
            if slot.acknowledge is not None:
                slot.acknowledge()
