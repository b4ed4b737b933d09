"""How old is the oldest dead letter with which nobody did anything?"""

from typing import Any

from forebay.contract.records import DeadLetterAction, DeadLetterState
from forebay.contract.wire import Delivered
from forebay.kafka.decoding import ReadRecord
from forebay_agents.retry.oldest import OpenLetters

HOUR_MS = 3_600_000


def record(topic: str, offset: int, value: Any = b"", failed_at: int = 0) -> ReadRecord:
    source = Delivered(
        topic=topic,
        partition=1,
        offset=offset,
        key=b"k",
        value=b"bytes",
        headers={"forebay-dlq-failed-at": str(failed_at).encode()} if failed_at else {},
        timestamp_ms=5 * HOUR_MS,
    )
    return ReadRecord(source=source, value=value, error=None)


def letter(offset: int, failed_at: int = 0) -> ReadRecord:
    return record("dlq", offset, failed_at=failed_at)


def done(offset: int, action: DeadLetterAction = DeadLetterAction.REPLAYED) -> ReadRecord:
    return record("dlq.state", 0, DeadLetterState(dead_letter_id=f"1-{offset}", action=action))


def oldest(*records: ReadRecord, firsts: int = 0) -> float:
    letters = OpenLetters()
    for one in records:
        letters.take(one)
    letters.forget({("dlq", 1): firsts})
    return letters.oldest_s(10 * HOUR_MS)


def test_it_is_as_old_as_its_failure() -> None:
    assert oldest() == 0
    assert oldest(letter(0, 7 * HOUR_MS), letter(1, 9 * HOUR_MS)) == 3 * 3600
    assert oldest(letter(0)) == 5 * 3600  # it does not say: as old as its record


def test_whatever_was_done_with_a_letter_it_is_open_no_more() -> None:
    for action in DeadLetterAction:
        assert oldest(letter(0, 7 * HOUR_MS), done(0, action), letter(1, 9 * HOUR_MS)) == 3600
    assert oldest(done(0), letter(0, 7 * HOUR_MS)) == 0


def test_what_expired_or_cannot_be_read_does_not_count() -> None:
    assert oldest(letter(0, 7 * HOUR_MS), letter(1, 9 * HOUR_MS), firsts=1) == 3600
    assert oldest(letter(0, 7 * HOUR_MS), record("dlq.state", 0, None)) == 3 * 3600


def test_a_clock_that_is_behind_makes_no_letter_from_the_future() -> None:
    assert oldest(letter(0, 11 * HOUR_MS)) == 0
