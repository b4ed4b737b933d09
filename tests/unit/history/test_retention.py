"""The oldest goes first, a little at a time."""

from dataclasses import replace
from pathlib import Path

import pytest

from forebay.contract.records import Evaluation, UsageEvent, UsageStatus
from forebay.contract.topics import DAY_MS
from forebay.history.sqlite.retention import Retention
from forebay.history.sqlite.writing import SqliteWriter
from loadtest.history.command import ends
from loadtest.history.made import made
from tests.unit.history.kept import NOW, Topics, write, writer
from tests.unit.history.test_writing import outcome


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def pruned(to: SqliteWriter, now_ms: int = NOW) -> int:
    """Prune all; how many steps that took."""
    steps = 1
    while to.prune(now_ms):
        steps += 1
        assert steps < 10_000
    return steps


def counts(to: SqliteWriter, *tables: str) -> list[int]:
    return [to._database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]


def test_requests_go_with_their_calls_and_verdicts_after_their_days(path: Path) -> None:
    topics = Topics()
    with writer(path, days=2) as to:
        for name, at in (("old", NOW - 3 * DAY_MS), ("young", NOW - DAY_MS)):
            done = UsageEvent(attempt_id=name, request_id=name, status=UsageStatus.SETTLED, booked_at=at)
            write(
                to,
                [
                    topics.record("outcomes", outcome(request_id=name, responded_at=at, accepted_at=at - 1), at=at),
                    topics.record("usage", done, at=at),
                    topics.record("evaluations", Evaluation(request_id=name, created_at=at), at=at),
                ],
            )
        pruned(to)
        assert counts(to, "requests", "calls", "evaluations") == [1, 1, 1]
        assert to._database.execute("SELECT count(*) FROM sums WHERE span = 60").fetchone() == (1,)
        assert to._database.execute("SELECT id FROM requests").fetchone() == ("young",)


def test_calls_without_a_request_go_too(path: Path) -> None:
    topics = Topics()
    old = UsageEvent(attempt_id="a", request_id="r", status=UsageStatus.STARTED, booked_at=NOW - 9 * DAY_MS)
    with writer(path, days=2) as to:
        at = NOW - 9 * DAY_MS
        write(to, [topics.record("usage", old, at=at), topics.record("usage", replace(old, request_id="n"), at=NOW)])
        write(to, [topics.record("usage", replace(old, attempt_id="b", booked_at=NOW), at=NOW)])
        pruned(to)
        assert counts(to, "calls") == [1]


def test_a_clock_that_is_a_month_ahead_empties_nothing(path: Path) -> None:
    topics = Topics()
    with writer(path, days=2) as to:
        write(to, [topics.record("outcomes", outcome())])
        pruned(to, NOW + 40 * DAY_MS)
        assert counts(to, "requests") == [1]


def test_too_large_a_file_loses_its_oldest(path: Path) -> None:
    records = list(made(4_000, NOW, days=2, seed=2, users=50))
    with writer(path, days=400, max_bytes=800_000) as to:
        to.write(records, ends(records))
        [newest] = to._database.execute("SELECT max(at) FROM requests").fetchone()
        pruned(to)
        pages, free = (
            to._database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")
        )
        assert (pages - free) * 4_096 <= 800_000
        [count, oldest, last] = to._database.execute("SELECT count(*), min(at), max(at) FROM requests").fetchone()
        assert count > 100
        assert last == newest
        assert (
            to._database.execute("SELECT min(at) FROM sums WHERE span = 60").fetchone()[0] * 60_000 > oldest - 3_600_000
        )


def test_a_step_that_takes_long_is_followed_by_a_smaller_one(path: Path) -> None:
    records = list(made(3_000, NOW, days=2, seed=2, users=50))
    ticks = iter(range(100_000))
    with writer(path, days=400) as to:
        to.write(records, ends(records))
        before = counts(to, "requests")[0]
        retention = Retention(to._database, days=1, max_bytes=1 << 40, clock=lambda: next(ticks))
        removed = []
        for _ in range(5):
            retention.step(NOW)
            left = counts(to, "requests")[0]
            removed.append(before - left)
            before = left
    assert removed == [100, 50, 25, 12, 10]


def test_three_million_letters_without_requests_are_bounded_too(path: Path) -> None:
    topics = Topics()
    letters = [
        topics.record("dlq", b"x", at=NOW + number, forebay_dlq_request_id=f"r-{number}", forebay_dlq_code="not_avro")
        for number in range(5_000)
    ]
    with writer(path, days=400, max_bytes=300_000) as to:
        write(to, letters)
        pruned(to, NOW + 5_000)
        assert 100 < counts(to, "letters")[0] < 5_000
        assert to._database.execute("SELECT max(place) FROM letters").fetchone() == (4_999,)
