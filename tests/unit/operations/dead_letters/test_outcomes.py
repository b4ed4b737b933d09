"""What became of a replayed letter? Read off the records that are made of it, each letter counted once."""

from collections.abc import Sequence

import pytest

from forebay.avro.codec import UndecodableError
from forebay.contract import headers as h
from forebay.contract.records import Completion, ResponseStatus
from forebay.kafka.decoding import ReadRecord
from forebay.operations.dead_letters.outcomes import TopicOutcomes
from forebay.testing import delivered


class Records:
    """Gives what was put into it, once."""

    def __init__(self) -> None:
        self.coming: list[ReadRecord] = []

    def wait(self, seconds: float) -> Sequence[ReadRecord]:
        del seconds
        found, self.coming = self.coming, []
        return found


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def outcomes(records: Records) -> TopicOutcomes:
    return TopicOutcomes(records, "mine")


def made_of(letter: str, topic: str, status: ResponseStatus | None = None, **headers: bytes) -> ReadRecord:
    marks = {h.REPLAY_ID: b"mine", h.REPLAYED_LETTER: letter.encode()}
    marks |= {f"forebay-{name.replace('_', '-')}": value for name, value in headers.items()}
    return read(topic, marks, None if status is None else Completion(request_id="r", status=status))


def read(topic: str, headers: dict[str, bytes], value: Completion | None = None) -> ReadRecord:
    error = UndecodableError("not_avro", "as the test says") if value is None else None
    return ReadRecord(source=delivered(topic, headers=headers), value=value, error=error)


@pytest.mark.parametrize(
    ("record", "counted"),
    [
        (("completions", ResponseStatus.OK, {}), (1, 0, 0)),
        (("completions", ResponseStatus.REJECTED, {}), (0, 1, 0)),
        (("completions", ResponseStatus.FAILED, {}), (0, 1, 0)),
        (("completions", None, {}), (0, 0, 0)),
        (("completions", ResponseStatus.OK, {"retry_stage": b"response"}), (0, 0, 0)),
        (("completions", ResponseStatus.OK, {"replay_id": b"of somebody else"}), (0, 0, 0)),
        (("dlq", None, {}), (0, 1, 0)),
        (("retry.10s", None, {"attempt": b"2"}), (0, 0, 0)),
        (("retry.10m", None, {"attempt": b"3"}), (0, 0, 1)),
        (("retry.10m", None, {"attempt": b"many"}), (0, 0, 0)),
    ],
)
def test_what_became_of_a_replayed_letter(
    records: Records,
    outcomes: TopicOutcomes,
    record: tuple[str, ResponseStatus | None, dict[str, bytes]],
    counted: tuple[int, int, int],
) -> None:
    topic, status, headers = record
    records.coming = [made_of("3-7", topic, status, **headers)] * 2  # twice, as after a redelivery
    outcomes.poll(0)
    assert outcomes.counts() == counted
    records.coming = [made_of("3-8", topic, status, **headers)]  # of the same request, and counts for itself
    outcomes.poll(0)
    assert outcomes.counts() == tuple(2 * count for count in counted)


def test_the_last_word_on_a_letter_counts(records: Records, outcomes: TopicOutcomes) -> None:
    waits, failed = made_of("0-1", "retry.1m", attempt=b"3"), made_of("0-1", "dlq")
    seen = []
    for record in (waits, failed, made_of("0-1", "completions", ResponseStatus.OK)):
        records.coming = [record]
        outcomes.poll(0)
        seen.append(outcomes.counts())
    assert seen == [(0, 0, 1), (0, 1, 0), (1, 0, 0)]


def test_records_of_no_replay_are_passed_over(records: Records, outcomes: TopicOutcomes) -> None:
    records.coming = [read("dlq", {}), read("completions", {h.REPLAYED_LETTER: b"0-1"}, Completion())]
    outcomes.poll(0)
    assert outcomes.counts() == (0, 0, 0)
