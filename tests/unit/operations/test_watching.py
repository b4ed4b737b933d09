"""Who looks at personal data is written down before anything is shown."""

from collections.abc import Iterator

import pytest

from forebay.contract.topics import TOPICS, Access
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.watching import watched
from tests.unit.operations.trail import MemoryTrail

RESTRICTED = [topic.name for topic in TOPICS.values() if topic.access is Access.RESTRICTED]


def unread() -> Iterator[int]:
    raise AssertionError("nothing may be read")
    yield 1


@pytest.mark.parametrize("topic", RESTRICTED)
def test_a_look_is_in_the_trail_before_the_first_record_and_has_their_number_afterwards(topic: str) -> None:
    trail = MemoryTrail()
    with watched(topic, iter(range(9)), trail.record, limit=3, restricted=True) as records:
        assert trail.acts == [("topic.read", "begun")]
        assert list(records) == [0, 1, 2]
    assert [(one.subject, one.count) for one in trail.events] == [(topic, 0), (topic, 3)]


@pytest.mark.parametrize("topic", RESTRICTED)
def test_a_look_that_cannot_be_written_down_shows_nothing(topic: str) -> None:
    trail = MemoryTrail(refuses_from=0)
    with pytest.raises(OSError, match="brokers"), watched(topic, unread(), trail.record, restricted=True):
        raise AssertionError
    with pytest.raises(InvalidChoiceError, match="--restricted"), watched(topic, unread(), trail.record):
        raise AssertionError


def test_whoever_stops_looking_is_in_the_trail_with_what_they_saw() -> None:
    trail = MemoryTrail()
    records = iter([1, 2])

    def interrupted() -> Iterator[int]:
        yield from records
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        watched("responses", interrupted(), trail.record, restricted=True) as shown,
    ):
        list(shown)
    assert trail.acts == [("topic.read", "begun"), ("topic.read", "interrupted")]
    assert trail.events[-1].count == 2


def test_a_topic_without_personal_data_is_nobodys_business_and_one_that_there_is_not_is_said() -> None:
    trail = MemoryTrail(refuses_from=0)
    with watched("completions", iter(range(9)), trail.record) as records:
        assert len(list(records)) == 9
    with pytest.raises(InvalidChoiceError, match="'completion'"), watched("completion", unread(), trail.record):
        raise AssertionError
