"""One view of a topic's newest values, and no operator writes over what he has not seen."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.handlers import Output
from forebay.contract.records import Correction
from forebay.kafka.transactions import FencedError, NotAllowedError, UnexplainedError
from forebay.operations.seen_writes import OutdatedError, publish
from forebay.operations.topic_view import Entry, Position, TopicView
from tests.unit.operations.topic import ABORTED, OPEN, UNREADABLE, FakeReader, FakeTopic


def view_of(topic: FakeTopic) -> TopicView[str]:
    view = TopicView[str](FakeReader(topic))
    view.refresh()
    return view


def said(value: str, key: str = "task") -> list[Output]:
    """An output whose value is as good as a record for a topic in memory."""
    return [Output(topic="corrections", key=key, value=value)]  # type: ignore[arg-type]  # any value will do here


@pytest.fixture
def topic() -> FakeTopic:
    return FakeTopic()


def test_a_value_comes_with_the_place_of_its_keys_newest_record(topic: FakeTopic) -> None:
    for key, value in (("a", "1"), ("b", "2"), ("a", "3")):
        topic.add(key, value)
    view = view_of(topic)
    assert view.get("a") == Entry(key="a", value="3", at=Position(1, 1), written_at=1_001)
    assert view.position("b") == Position(0, 0)
    assert view.get("c") is view.position("c") is None
    assert view.values() == ["2", "3"]
    assert view.ends == {0: 1, 1: 2}


def test_a_view_goes_on_where_it_was(topic: FakeTopic) -> None:
    topic.add("a", "1")
    view = view_of(topic)
    assert view.refresh() == 0
    topic.add("a", "2")
    topic.add("b", "3")
    assert view.refresh() == 2
    assert view.values() == ["2", "3"]
    topic.add("b", "4")
    assert view.follow(0) == 1
    assert view.values() == ["2", "4"]


def test_markers_and_what_was_aborted_are_behind_it_and_what_is_open_is_not_there_yet(topic: FakeTopic) -> None:
    with topic.writer() as writer:
        writer.step(said("committed"))
    topic.add("task", "aborted", ABORTED)
    view = view_of(topic)
    assert view.values() == ["committed"]
    assert view.ends[sum(b"task") % 2] == 3, "two records and a marker"
    topic.add("task", "open", OPEN)
    assert view.refresh() == 0


def test_a_tombstone_takes_the_value_and_is_the_newest_record(topic: FakeTopic) -> None:
    topic.add("a", "1")
    topic.add("a", None)
    view = view_of(topic)
    assert view.values() == []
    assert view.position("a") == Position(1, 1)


def test_what_cannot_be_read_takes_no_value_and_is_the_newest_record_all_the_same(topic: FakeTopic) -> None:
    topic.add("a", "1")
    topic.add("a", UNREADABLE)
    topic.add("b", UNREADABLE)
    view = view_of(topic)
    assert view.get("a") == Entry(key="a", value="1", at=Position(1, 1), written_at=1_001)
    assert view.entries() == [view.get("a")]
    assert view.unreadable == 2


def test_what_expired_is_forgotten(topic: FakeTopic) -> None:
    for key, value in (("a", "1"), ("c", "2"), ("a", "3")):
        topic.add(key, value)
    view = view_of(topic)
    topic.expired = 2
    view.refresh()
    assert view.values() == ["3"]
    assert view.position("c") is None


def test_keys_values_and_what_counts_can_be_chosen(topic: FakeTopic) -> None:
    for revision in ("r2", "r3", "r1"):
        topic.add("a", revision)
    topic.add("not of it", "r9")
    view = TopicView(
        FakeReader(topic),
        key=lambda record: None if record.value == "r9" else "all",
        value=lambda record: int(record.value[1:]),
        prefer=max,
    )
    view.refresh()
    assert view.values() == [3]
    assert view.position("all") == Position(1, 2), "the place is that of the newest, whichever counts"


def test_nothing_is_lost_when_the_brokers_fall_silent_in_the_middle(topic: FakeTopic) -> None:
    for number in range(6):
        topic.add("a", str(number))
    reader = FakeReader(topic)
    view = TopicView[str](reader)
    reader.fails_after = 2
    with pytest.raises(OSError, match="say nothing"):
        view.refresh()
    assert view.values() == ["1"]
    reader.fails_after = None
    assert view.refresh() == 4
    assert view.values() == ["5"]


def test_whoever_looks_sees_a_whole_state(topic: FakeTopic) -> None:
    topic.add("a", "1")
    view = view_of(topic)
    entries = iter(view.entries())
    topic.add("b", "2")
    view.refresh()
    assert [entry.value for entry in entries] == ["1"]


@pytest.mark.parametrize("position", [Position(0, 0), Position(11, 1_234_567), None])
def test_places_travel_as_text(position: Position | None) -> None:
    assert Position.parse("" if position is None else str(position)) == position


@pytest.mark.parametrize("text", ["3", "a-b", "-"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Position.parse(text)


def test_a_write_on_what_was_seen_is_published_and_seen(topic: FakeTopic) -> None:
    view = view_of(topic)
    assert publish(view, topic.writer, said("first"), {"task": None})
    assert view.values() == ["first"]
    assert publish(view, topic.writer, said("second"), {"task": view.position("task")})
    assert view.values() == ["second"]


def test_a_write_on_what_is_no_longer_so_is_refused_with_what_is(topic: FakeTopic) -> None:
    ours, theirs = view_of(topic), view_of(topic)
    publish(theirs, topic.writer, said("theirs"), {"task": None})
    with pytest.raises(OutdatedError, match="task") as refused:
        publish(ours, topic.writer, said("ours"), {"task": None})
    entry = refused.value.entries["task"]
    assert entry is not None
    assert entry.value == "theirs"
    assert view_of(topic).values() == ["theirs"]


def test_what_expired_since_is_no_longer_so(topic: FakeTopic) -> None:
    topic.add("task", "old")
    view = view_of(topic)
    seen = view.position("task")
    topic.expired = 1
    with pytest.raises(OutdatedError) as refused:
        publish(view, topic.writer, said("ours"), {"task": seen})
    assert refused.value.entries == {"task": None}


def test_a_record_that_this_version_cannot_read_is_not_written_over(topic: FakeTopic) -> None:
    view = view_of(topic)
    topic.add("task", UNREADABLE)
    with pytest.raises(OutdatedError):
        publish(view, topic.writer, said("ours"), {"task": None})


POINTS = ("before the look", "after the look", "before the step", "before the commit")


@pytest.mark.parametrize("point", POINTS)
def test_of_two_at_the_same_moment_one_is_refused(topic: FakeTopic, point: str) -> None:
    ours, theirs = view_of(topic), view_of(topic)
    topic.meanwhile[point] = lambda: assert_published(theirs, topic, "theirs")
    with pytest.raises(OutdatedError):
        publish(ours, topic.writer, said("ours"), {"task": None}, sleep=lambda _: None)
    assert view_of(topic).values() == ["theirs"]


@pytest.mark.parametrize("point", POINTS)
def test_two_at_the_same_moment_do_not_hinder_each_other_on_different_keys(topic: FakeTopic, point: str) -> None:
    ours, theirs = view_of(topic), view_of(topic)
    topic.meanwhile[point] = lambda: assert_published(theirs, topic, "theirs", "other")
    assert publish(ours, topic.writer, said("ours"), {"task": None}, sleep=lambda _: None)
    assert sorted(view_of(topic).values()) == ["ours", "theirs"]


def assert_published(view: TopicView[str], topic: FakeTopic, value: str, key: str = "task") -> None:
    assert publish(view, topic.writer, said(value, key), {key: None}, sleep=lambda _: None)


@given(points=st.lists(st.sampled_from(POINTS), max_size=5))
def test_whoever_is_told_that_it_was_published_is_first(points: Sequence[str]) -> None:
    """Writers that interrupt each other anywhere, each on what it saw at first: exactly one gets through."""
    topic = FakeTopic()
    views = [view_of(topic) for _ in range(len(points) + 1)]
    published = list[str]()

    def write(number: int) -> None:
        if number < len(points):
            topic.meanwhile[points[number]] = lambda: write(number + 1)
        try:
            publish(views[number], topic.writer, said(str(number)), {"task": None}, sleep=lambda _: None)
        except OutdatedError:
            return
        published.append(str(number))

    write(0)
    assert len(published) == 1
    committed = [slot.record for log in topic.logs for slot in log if slot.record and slot.state == "committed"]
    assert [record.value for record in committed] == published


def test_whoever_is_fenced_again_and_again_is_told(topic: FakeTopic) -> None:
    def restless() -> None:
        with topic.writer():
            topic.meanwhile["before the commit"] = restless

    restless()
    with pytest.raises(FencedError):
        publish(view_of(topic), topic.writer, said("ours"), {"task": None}, sleep=lambda _: None)
    assert view_of(topic).values() == []


def test_a_broker_that_refuses_without_a_reason_is_asked_again(topic: FakeTopic) -> None:
    refused = list[str]()

    def unexplained() -> None:
        refused.append("once")
        topic.settle(topic.epoch, "aborted")
        raise UnexplainedError("Unknown broker error")

    topic.meanwhile["before the commit"] = unexplained
    view = view_of(topic)
    assert publish(view, topic.writer, said("ours"), {"task": None}, sleep=lambda _: None)
    assert (refused, view.values()) == (["once"], ["ours"])


@pytest.fixture
def forbidden(topic: FakeTopic) -> Callable[[], object]:
    def writer() -> object:
        raise NotAllowedError("an access rule is missing")

    return writer


def test_without_the_right_to_be_the_only_writer_it_is_said_or_compared_only(
    topic: FakeTopic, forbidden: Callable[[], object]
) -> None:
    view = view_of(topic)
    with pytest.raises(NotAllowedError):
        publish(view, forbidden, said("ours"), {"task": None})  # type: ignore[arg-type]  # it never returns

    def plainly(outputs: Sequence[Output]) -> None:
        for output in outputs:
            topic.add(str(output.key), output.value)

    assert not publish(view, forbidden, said("ours"), {"task": None}, unfenced=plainly)  # type: ignore[arg-type]  # as above
    with pytest.raises(OutdatedError):
        publish(view, forbidden, said("again"), {"task": None}, unfenced=plainly)  # type: ignore[arg-type]  # as above
    assert view.values() == ["ours"]


def test_values_are_records() -> None:
    topic = FakeTopic()
    topic.add("r", Correction(review_id="v"))
    view = TopicView[Correction](FakeReader(topic), key=lambda record: record.value.review_id)
    view.refresh()
    assert [correction.review_id for correction in view.values()] == ["v"]
