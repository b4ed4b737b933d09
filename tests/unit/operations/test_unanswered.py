"""Who was asked and has no end is told of when nothing is on its way, and nobody else ever is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract import headers as h
from forebay.contract.failures import Failure
from forebay.contract.handlers import Output
from forebay.contract.records import Completion, RedactedRequest, ResponseStatus
from forebay.contract.wire import Delivered, UndecodableError
from forebay.kafka.decoding import ReadRecord
from forebay.kafka.lag import Lag
from forebay.operations.unanswered import CODE, NotAtRestError, Unanswered, expire, expired, unanswered
from tests.unit.operations.trail import MemoryTrail

DAY_MS = 86_400_000
QUIET: Lag = {stage: {"topic": 0} for stage in ("cache", "completion", "retry", "response")}


@dataclass
class Reader:
    """Records that are there when it is read first, and those that come until it is read again."""

    topic: str
    records: Sequence[tuple[int, str | None, int]] = ()
    later: Sequence[tuple[int, str | None, int]] = ()
    firsts: Mapping[tuple[str, int], int] = field(default_factory=dict)

    def read_to_end(self) -> Iterator[ReadRecord]:
        now, self.records, self.later = self.records, self.later, ()
        for partition, request_id, at_ms in now:
            yield self._record(partition, request_id, at_ms)

    def _record(self, partition: int, request_id: str | None, at_ms: int) -> ReadRecord:
        value: RedactedRequest | Completion | None = None
        if request_id is not None:
            kind = RedactedRequest if self.topic == "requests.redacted" else Completion
            value = kind(request_id=request_id, tenant_id="acme", user_id="ann")
        source = Delivered(
            topic=self.topic, partition=partition, offset=0, key=b"k", value=b"v",
            headers={h.FINGERPRINT: b"mark", h.ATTEMPT: b"3"}, timestamp_ms=at_ms,
        )  # fmt: skip
        error = None if value else UndecodableError("not_avro", "as the test says")
        return ReadRecord(source=source, value=value, error=error)


def asked(*ids: str | None, at_ms: int = DAY_MS) -> Reader:
    return Reader("requests.redacted", [(0, name, at_ms) for name in ids])


def ended(*ids: str | None, at_ms: int = 1, later: Sequence[str] = (), **more: Mapping[tuple[str, int], int]) -> Reader:
    return Reader("completions", [(0, name, at_ms) for name in ids], [(0, name, DAY_MS) for name in later], **more)


def found(asked: Reader, ended: Reader, *lags: Lag) -> list[str]:
    left = list(lags)
    lost = unanswered(
        asked, ended, lambda: left.pop(0) if left else QUIET, sleep=lambda _s: None, clock_ms=lambda: 9 * DAY_MS
    )
    return [one.request_id for one in lost]


def test_who_has_no_end_is_told_of_once() -> None:
    assert found(asked("a", "b", None, "b"), ended("x", "a")) == ["b"]


def test_who_ends_while_we_wait_is_not() -> None:
    assert found(asked("a", "b"), ended("x", later=["b"])) == ["a"]


@pytest.mark.parametrize("stage", sorted(QUIET))
def test_while_something_is_on_its_way_nobody_can_tell(stage: str) -> None:
    for never_quiet in (QUIET | {stage: {"topic": 1}}, {name: one for name, one in QUIET.items() if name != stage}):
        with pytest.raises(NotAtRestError, match="redaction"):
            found(asked("a"), ended("x"), *[never_quiet, QUIET] * 200)


def test_redactions_own_queue_may_be_long() -> None:
    assert found(asked("a"), ended("x"), *[QUIET | {"redaction": {"requests": 9}}] * 99) == ["a"]


def test_nothing_is_waited_for_if_all_have_an_end() -> None:
    assert found(asked("a"), ended("a"), *[{}] * 200) == []


def test_who_was_asked_before_the_ends_that_are_kept_may_have_had_one() -> None:
    """Ends expired, or their topic was deleted and made again: a second answer would be worse than none."""
    assert found(asked("a", at_ms=DAY_MS), ended("x", at_ms=DAY_MS)) == []
    assert found(asked("a", at_ms=DAY_MS + 60_000), ended("x", at_ms=DAY_MS)) == ["a"]
    assert found(asked("a"), ended()) == []


def test_a_partition_of_ends_that_was_emptied_says_nothing_of_anybody() -> None:
    assert found(asked("a"), ended("x", firsts={("completions", 1): 12})) == []
    assert found(asked("a"), ended("x", firsts={("completions", 0): 12, ("completions", 1): 0})) == ["a"]


@given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
def test_nobody_who_had_an_end_gets_a_second(were: set[str], had: set[str], got: set[str]) -> None:
    assert set(found(asked(*sorted(were)), ended("x", *sorted(had), later=sorted(got)))) == were - had - got


def test_the_requester_hears_of_it_under_the_id_and_the_body_that_were_sent() -> None:
    [lost] = unanswered(asked("a"), ended("x"), lambda: QUIET, sleep=lambda _s: None)
    [output] = expired([lost], 7)
    assert isinstance(output.value, Completion)
    assert (output.topic, output.key, output.value.tenant_id, output.value.user_id) == (
        "completions",
        "a",
        "acme",
        "ann",
    )
    assert output.value.status is ResponseStatus.FAILED
    assert output.value.error is not None
    assert output.value.error.code == CODE
    assert output.headers[h.FINGERPRINT] == b"mark"
    assert h.ATTEMPT not in output.headers
    Failure(CODE, "is in the catalogue").failure_class  # noqa: B018 - raises where it is not


def test_who_is_told_that_it_expired_is_in_the_trail_first() -> None:
    one = Unanswered(request_id="a", tenant_id="acme", user_id="u", asked_at=1, headers={})
    trail, sent = MemoryTrail(), list[Output]()
    expire([one, one], sent.extend, trail.record)
    assert len(sent) == 2
    assert [(event.action, event.count) for event in trail.events] == [("requests.expire", 2)] * 2
    expire([], sent.extend, trail.record)
    assert len(trail.events) == 2, "nothing was done"
    with pytest.raises(OSError, match="brokers"):
        expire([one], sent.extend, MemoryTrail(refuses_from=0).record)
    assert len(sent) == 2
