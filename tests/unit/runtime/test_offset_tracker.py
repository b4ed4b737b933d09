"""The tracker of a partition: in order, never past a gap, never twice, in bounded memory."""

from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from forebay.runtime.offset_tracker import PartitionTracker, Slot


@pytest.fixture
def tracker() -> PartitionTracker:
    return PartitionTracker()


@pytest.fixture
def acknowledged() -> list[int]:
    return []


def admit(tracker: PartitionTracker, offset: int, acknowledged: list[int]) -> Slot | None:
    return tracker.admit(offset, partial(acknowledged.append, offset))


def started(tracker: PartitionTracker, offsets: range, acknowledged: list[int]) -> list[Slot]:
    slots = [admit(tracker, offset, acknowledged) for offset in offsets]
    assert all(slots)
    return [slot for slot in slots if slot is not None]


def test_a_record_behind_an_unfinished_one_is_not_acknowledged(
    tracker: PartitionTracker, acknowledged: list[int]
) -> None:
    first, second, third = started(tracker, range(5, 8), acknowledged)
    tracker.finish(second)
    tracker.finish(third)
    assert (acknowledged, tracker.committable, tracker.window) == ([], None, 3)
    tracker.finish(first)
    assert (acknowledged, tracker.committable, tracker.window) == ([5, 6, 7], 8, 0)


def test_a_record_delivered_again_while_it_is_worked_on_joins_that_work(
    tracker: PartitionTracker, acknowledged: list[int]
) -> None:
    [running] = started(tracker, range(5, 6), acknowledged)
    tracker.revoke()
    again: list[int] = []
    assert admit(tracker, 5, again) is None
    tracker.finish(running)
    assert (acknowledged, again) == ([], [5])


def test_work_that_ends_while_its_partition_is_revoked_is_not_done_again(
    tracker: PartitionTracker, acknowledged: list[int]
) -> None:
    [running] = started(tracker, range(5, 6), acknowledged)
    tracker.revoke()
    tracker.finish(running)
    assert admit(tracker, 5, acknowledged) is None
    assert (acknowledged, tracker.committable) == ([5], 6)


def test_work_finished_before_the_partition_went_elsewhere_is_forgotten(
    tracker: PartitionTracker, acknowledged: list[int]
) -> None:
    _, behind = started(tracker, range(5, 7), acknowledged)
    tracker.finish(behind)
    tracker.revoke()
    tracker.forget_finished()
    assert admit(tracker, 5, acknowledged) is None
    assert admit(tracker, 6, acknowledged) is not None


def test_an_old_assignment_never_takes_the_group_back(tracker: PartitionTracker, acknowledged: list[int]) -> None:
    """Stopped for longer than the session, this worker finds its partition committed further than it ever knew."""
    [slot] = started(tracker, range(5, 6), acknowledged)
    tracker.finish(slot)
    assert tracker.committable == 6
    tracker.revoke()
    assert tracker.committable is None
    started(tracker, range(1_000, 1_001), acknowledged)
    assert tracker.committable is None


class Tracking(RuleBasedStateMachine):
    """One partition of a group, seen from one worker; the model knows the group's committed offset."""

    @initialize(committed=st.integers(0, 3))
    def begin(self, committed: int) -> None:
        self.tracker = PartitionTracker()
        self.committed = committed  # of the group
        self.owned = True
        self.running: dict[int, Slot] = {}
        self.finished: set[int] = set()  # by this worker, and not forgotten since
        self.expect_assignment()

    def expect_assignment(self) -> None:
        self.delivered: list[int] = []
        self.acknowledged: list[int] = []
        self.generation = object()

    def acknowledge(self, offset: int, generation: object) -> None:
        assert generation is self.generation, "an acknowledgement of an older assignment"
        assert offset in self.finished, "acknowledged before it was finished"
        self.acknowledged.append(offset)

    @property
    def position(self) -> int:
        return self.committed + len(self.delivered)

    @precondition(lambda self: self.owned)
    @rule()
    def deliver(self) -> None:
        offset, known = self.position, self.running.keys() | self.finished
        self.delivered.append(offset)
        slot = self.tracker.admit(offset, partial(self.acknowledge, offset, self.generation))
        assert (slot is None) == (offset in known), "worked twice, or not at all"
        if slot is not None:
            self.running[offset] = slot

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        offset = data.draw(st.sampled_from(sorted(self.running)))
        self.finished.add(offset)
        self.tracker.finish(self.running.pop(offset))

    @precondition(lambda self: self.owned)
    @rule(commit_arrives=st.booleans())
    def rebalance_and_keep(self, commit_arrives: bool) -> None:
        self.leave(commit_arrives)
        self.expect_assignment()

    @precondition(lambda self: self.owned)
    @rule(commit_arrives=st.booleans())
    def rebalance_and_lose(self, commit_arrives: bool) -> None:
        self.leave(commit_arrives)
        self.tracker.forget_finished()
        self.finished.clear()
        self.owned = False

    def leave(self, commit_arrives: bool) -> None:
        if commit_arrives and self.tracker.committable is not None:
            assert self.tracker.committable >= self.committed, "the group was taken back"
            self.committed = self.tracker.committable
        self.tracker.revoke()
        self.finished -= set(self.acknowledged)
        self.expect_assignment()

    @precondition(lambda self: not self.owned)
    @rule(done_by_others=st.integers(0, 4))
    def rebalance_and_get_back(self, done_by_others: int) -> None:
        self.committed += done_by_others
        self.expect_assignment()
        self.owned = True

    @precondition(lambda self: self.owned)
    @rule(done_by_others=st.integers(1, 4))
    def expelled_without_notice(self, done_by_others: int) -> None:
        """A stopped process: the group went on without it, and it hears of nothing but a revocation."""
        self.leave(commit_arrives=False)
        self.committed += done_by_others

    @invariant()
    def exactly_the_finished_head_is_acknowledged(self) -> None:
        head: list[int] = []
        for offset in self.delivered:
            if offset not in self.finished:
                break
            head.append(offset)
        assert self.acknowledged == head
        assert self.tracker.window == len(self.delivered) - len(head)
        assert self.tracker.committable == (head[-1] + 1 if head else None)

    @invariant()
    def memory_is_bounded_by_what_may_be_delivered_again(self) -> None:
        waiting = set(self.delivered[len(self.acknowledged) :])
        for offset in self.tracker._slots.keys() - self.running.keys() - waiting:
            assert offset in self.finished, "remembers what was never finished"
            assert not self.delivered or offset > self.delivered[-1], "remembers what cannot come again"

    def teardown(self) -> None:
        if not hasattr(self, "running"):
            return
        for offset in list(self.running):
            self.finished.add(offset)
            self.tracker.finish(self.running.pop(offset))
        if not self.owned:
            self.rebalance_and_get_back(0)
        while True:
            self.deliver()
            for offset in list(self.running):
                self.finished.add(offset)
                self.tracker.finish(self.running.pop(offset))
            if self.position > max(self.finished):
                break
        assert self.acknowledged == self.delivered
        assert not self.tracker._slots


TestTracking = Tracking.TestCase
TestTracking.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
