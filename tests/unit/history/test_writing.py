"""Sums are those of the rows that are there, whatever comes twice, late, or in another order."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forebay.contract.records import (
    Alert,
    AlertState,
    AnswerSource,
    Attempt,
    CallPurpose,
    DeadLetterAction,
    DeadLetterState,
    Outcome,
    ResponseStatus,
    Spend,
    UsageEvent,
    UsageStatus,
    WindowKind,
)
from forebay.contract.topics import DAY_MS
from forebay.history.packing import counts_of
from forebay.history.sqlite.writing import SqliteWriter
from loadtest.history.command import batches, ends
from loadtest.history.made import made
from tests.unit.history.kept import NOW, Topics, content, write, writer

ID = "019354f4-6f2b-7c11-8a53-6d1f0a2b3c4d"


def outcome(**changed: object) -> Outcome:
    base = Outcome(
        request_id=ID,
        tenant_id="acme",
        user_id="u_" + "A" * 24,
        status=ResponseStatus.OK,
        source=AnswerSource.MODEL,
        tier="small",
        model="gemma",
        cost_nanousd=700,
        prompt_tokens=10,
        trace_id="ab" * 16,
        accepted_at=NOW - 4_000,
        responded_at=NOW,
        spans=f"redaction;{NOW - 3_990};10;5000;ok,completion;{NOW - 3_000};20;2000000;retry:provider_timeout",
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def sums(to: SqliteWriter, table: str = "sums", span: int = 60) -> list[tuple[int, ...]]:
    columns = {"sums": "n, cost, total_ms, slow", "stage_sums": "n, retried, waited_ms, worked_us"}[table]
    return to._database.execute(f"SELECT {columns} FROM {table} WHERE span = {span}").fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def test_a_request_is_in_the_sums_of_its_minute_and_its_hour(path: Path) -> None:
    with writer(path) as to:
        assert write(to, [Topics().record("outcomes", outcome())]).records == 1
        assert sums(to) == sums(to, span=1) == [(1, 700, 4_000, 1)]
        assert sums(to, "stage_sums") == [(1, 0, 10, 5_000), (1, 1, 20, 2_000_000)]
        [(latency,)] = to._database.execute("SELECT latency FROM sums WHERE span = 60").fetchall()
        assert list(counts_of(latency).values()) == [1]
        [(kept, trace)] = to._database.execute("SELECT id, trace FROM requests").fetchall()
        assert (len(kept), len(trace)) == (16, 16)


def test_a_later_outcome_of_a_request_takes_the_earlier_one_out_of_the_sums(path: Path) -> None:
    topics = Topics()
    failed = outcome(status=ResponseStatus.FAILED, error_code="provider_timeout", source=AnswerSource.NONE)
    replayed = outcome(responded_at=NOW + 90_000, supersedes="provider_timeout", cost_nanousd=50)
    with writer(path) as to:
        write(to, [topics.record("outcomes", failed)])
        write(to, [topics.record("outcomes", replayed)])
        assert sums(to) == sums(to, span=1) == [(1, 50, 94_000, 1)]
        assert to._database.execute("SELECT count(*), max(seen) FROM requests").fetchone() == (1, 2)


def test_an_outcome_that_is_older_than_the_one_that_is_there_changes_no_sum(path: Path) -> None:
    topics = Topics()
    with writer(path) as to:
        write(to, [topics.record("outcomes", outcome(responded_at=NOW + 10))])
        before = sums(to)
        write(to, [topics.record("outcomes", outcome(cost_nanousd=1))])
        assert sums(to) == before


def test_what_was_read_already_is_passed_over(path: Path) -> None:
    topics = Topics()
    records = [topics.record("outcomes", outcome()), topics.record("usage", UsageEvent(attempt_id="a", request_id=ID))]
    with writer(path) as to:
        write(to, records)
    before = content(path)
    with writer(path) as to:
        assert write(to, records).again == 2
    assert content(path) == before


def test_a_call_is_booked_once_for_when_its_first_entry_says(path: Path) -> None:
    topics = Topics()
    opened = UsageEvent(attempt_id="a", request_id=ID, status=UsageStatus.STARTED, cost_nanousd=900, booked_at=NOW)
    settled = replace(opened, status=UsageStatus.SETTLED, cost_nanousd=200, booked_at=NOW + DAY_MS)
    with writer(path) as to:
        write(to, [topics.record("usage", opened)])
        for entry in (settled, replace(settled, cost_nanousd=999), opened, replace(opened, status=UsageStatus.FAILED)):
            write(to, [topics.record("usage", entry)])
        rows = to._database.execute("SELECT at, n, failed, cost FROM call_sums").fetchall()
    hour = NOW // 3_600_000 * 60
    assert rows == [(hour, 1, 0, 200)]


def test_the_outcome_says_of_a_call_what_the_ledger_does_not(path: Path) -> None:
    topics = Topics()
    entry = UsageEvent(attempt_id="a", request_id=ID, status=UsageStatus.SETTLED, cost_nanousd=5, booked_at=NOW)
    told = outcome(attempts=(Attempt(attempt_id="a", outcome="escalated", first_token_ms=120),))
    for order in ([("usage", entry), ("outcomes", told)], [("outcomes", told), ("usage", entry)]):
        path.unlink(missing_ok=True)
        with writer(path) as to:
            for topic, value in order:
                write(to, [topics.record(topic, value)])
            assert to._database.execute("SELECT cost, first_token_ms FROM calls").fetchall() == [(5, 120)]
            assert to._database.execute("SELECT count(*) FROM call_sums").fetchall() == [(1,)]


def test_of_spend_the_greater_revision_counts(path: Path) -> None:
    topics = Topics()
    row = Spend(window=WindowKind.HOUR, window_start=NOW, cost_nanousd=8, revision=8, purpose=CallPurpose.JUDGE.value)
    with writer(path) as to:
        for one in (replace(row, revision=3, cost_nanousd=3), row, replace(row, revision=7, cost_nanousd=7)):
            write(to, [topics.record("spend", one)])
        assert to._database.execute("SELECT cost FROM spend").fetchall() == [(8,)]


def test_what_was_done_with_a_letter_is_known_whichever_comes_first(path: Path) -> None:
    topics = Topics()
    letter = topics.record("dlq", b"", forebay_dlq_stage="completion", forebay_dlq_code="never_seen_before")
    state = topics.record("dlq.state", DeadLetterState(dead_letter_id="0-0", action=DeadLetterAction.PARKED, at=NOW))
    odd = topics.record("dlq.state", DeadLetterState(dead_letter_id="' OR 1=1 --", at=NOW))
    for order in ([letter, state, odd], [odd, state, letter]):
        path.unlink(missing_ok=True)
        with writer(path) as to:
            for record in order:
                to.write([record], {})
        [row] = content(path)["letters"]
        assert {"completion", "never_seen_before", "parked"} <= set(row)


def test_an_end_is_the_end_of_the_alert_that_fires(path: Path) -> None:
    topics = Topics()
    fires = Alert(kind="budget", subject="acme", created_at=NOW, starts_at=NOW)
    ends = replace(fires, state=AlertState.RESOLVED, created_at=NOW + 9, starts_at=NOW + 9, ends_at=NOW + 9)
    with writer(path) as to:
        write(to, [topics.record("alerts", fires)])
        write(to, [topics.record("alerts", ends)])
        assert to._database.execute("SELECT count(*) FROM alerts WHERE state = 'firing'").fetchone() == (0,)


@pytest.mark.parametrize(
    "odd",
    [
        outcome(accepted_at=NOW + 3 * 3_600_000),
        outcome(responded_at=0, accepted_at=0),
        outcome(responded_at=1, accepted_at=-5),
        outcome(spans="x" * 10_000),
        outcome(spans="\x00\ufffd;;"),
        outcome(request_id="x" * 10_000),
        outcome(request_id="a\x00b'; DROP TABLE requests; --\u202e"),
        outcome(request_id=""),
        outcome(trace_id="no trace"),
        outcome(error_code="a_code_of_next_year", status=ResponseStatus.FAILED),
        outcome(tenant_id="t" * 5_000),
        outcome(prompt_tokens=-3),
    ],
)
def test_odd_requests_are_kept_and_counted_once(path: Path, odd: Outcome) -> None:
    topics = Topics()
    with writer(path) as to:
        write(to, [topics.record("outcomes", odd)])
        write(to, [topics.record("outcomes", odd, partition=1)])
        [(count, at)] = to._database.execute("SELECT count(*), max(at) FROM requests").fetchall()
        assert count == 1
        assert abs(at - NOW) < DAY_MS
        assert [row[0] for row in sums(to)] == [1]
        assert all(row[2] >= 0 for row in sums(to))


def test_times_that_cannot_be_are_counted(path: Path) -> None:
    with writer(path) as to:
        assert write(to, [Topics().record("outcomes", outcome(accepted_at=NOW + 3 * 3_600_000))]).times_off == 1


@settings(max_examples=12)
@given(size=st.integers(1, 700), again=st.integers(0, 3))
def test_however_records_are_cut_into_batches_the_file_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, size: int, again: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    records = list(made(80, NOW, days=0.2, seed=3, users=9))
    with writer(folder / "whole.db") as to:
        to.write(records, ends(records))
    with writer(folder / "cut.db") as to:
        for batch in batches(iter(records), size):
            to.write(batch, ends(batch))
            for _ in range(again):
                to.write(batch, ends(batch))
    assert content(folder / "cut.db") == content(folder / "whole.db")


def test_the_sums_of_a_made_history_are_those_of_its_rows(path: Path) -> None:
    records = list(made(2_000, NOW, days=2, seed=5, users=50))
    with writer(path) as to:
        to.write(records, ends(records))
        one = to._database.execute
        rows = one("SELECT count(*), sum(cost), sum(saved), sum(total_ms) FROM requests").fetchone()
        for span in (1, 60):
            assert (
                one("SELECT sum(n), sum(cost), sum(saved), sum(total_ms) FROM sums WHERE span = ?", (span,)).fetchone()
                == rows
            )
        calls = one("SELECT count(*), sum(cost) FROM calls WHERE phase = 3").fetchone()
        assert one("SELECT sum(n), sum(cost) FROM call_sums").fetchone() == calls
        assert one("SELECT sum(cost) FROM spend WHERE span = 'hour'").fetchone() == calls[1:]
