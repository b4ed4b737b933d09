"""Spend equals the ledger: under crashes, redelivery and repeated production, and whatever survived of the tables."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forebay.contract.records import CallPurpose, Spend, UsageEvent, UsageStatus, WindowKind
from forebay_agents.cost.projection import Projection, keys_of, record_of
from tests.unit.cost.ledgers import (
    DAY,
    HOUR,
    TOMORROW,
    entry,
    expected,
    folded_by,
    ledgers,
    settled,
    started,
    sums_of,
    taken_ms,
)


class Books:
    """Both tables, and the log that they were made from."""

    def __init__(self) -> None:
        self.attempts: dict[str, Any] = {}
        self.spend: dict[str, Any] = {}
        self.offset = 0

    def enter(self, *entries: UsageEvent, taken_ms: int = TOMORROW) -> list[Spend]:
        rows: list[Spend] = []
        for item in entries:
            projection = Projection(self.attempts, self.spend)
            applied = projection.apply(item, partition=0, offset=self.offset, taken_ms=taken_ms, now_ms=1)
            rows = [row for _, row in applied]
            self.offset += 1
        return rows

    def row(self, kind: WindowKind = WindowKind.DAY) -> Spend:
        [row] = [record_of(row) for row in self.spend.values() if row["window"] == kind.value]
        return row


@pytest.fixture
def books() -> Books:
    return Books()


def test_a_call_that_began_is_pending_with_its_worst_case(books: Books) -> None:
    books.enter(started("a", 900))
    assert (books.row().calls, books.row().cost_nanousd, books.row().pending_nanousd) == (1, 0, 900)


def test_a_settled_call_costs_what_it_cost_and_nothing_is_pending(books: Books) -> None:
    books.enter(started("a", 900), settled("a", 250, prompt_tokens=7, completion_tokens=3))
    row = books.row()
    assert (row.calls, row.cost_nanousd, row.pending_nanousd) == (1, 250, 0)
    assert (row.prompt_tokens, row.completion_tokens, row.failed) == (7, 3, 0)


def test_a_failed_call_is_free(books: Books) -> None:
    books.enter(started("a", 900), entry("a", UsageStatus.FAILED, reserved_nanousd=900))
    assert (books.row().calls, books.row().failed) == (1, 1)
    assert books.row().cost_nanousd == books.row().pending_nanousd == 0


def test_an_unsettled_call_stays_pending_until_it_is_settled(books: Books) -> None:
    lost = entry("a", UsageStatus.UNSETTLED, cost_nanousd=900, reserved_nanousd=900)
    books.enter(started("a", 900), lost)
    assert (books.row().cost_nanousd, books.row().pending_nanousd) == (0, 900)
    books.enter(settled("a", 250))
    assert (books.row().cost_nanousd, books.row().pending_nanousd) == (250, 0)


def test_an_avoided_call_is_no_call(books: Books) -> None:
    books.enter(entry("avoided-r", UsageStatus.AVOIDED, saved_nanousd=40))
    assert (books.row().calls, books.row().avoided, books.row().saved_nanousd) == (0, 1, 40)


def test_a_call_counts_in_its_hour_its_day_and_its_month(books: Books) -> None:
    rows = books.enter(settled("a", 5))
    assert {row.window for row in rows} == set(WindowKind)
    assert {row.cost_nanousd for row in rows} == {5}
    assert books.row(WindowKind.HOUR).window_start == 10 * HOUR
    assert books.row(WindowKind.MONTH).window_start == 0


def test_a_repetition_changes_nothing_and_is_published_nowhere(books: Books) -> None:
    books.enter(started("a"), settled("a", 250))
    before = dict(books.spend)
    assert books.enter(started("a")) == books.enter(settled("a", 250)) == []
    assert books.spend == before


def test_the_same_record_again_publishes_its_rows_again(books: Books) -> None:
    [*first] = books.enter(started("a"))
    books.offset = 0
    assert books.enter(started("a")) == first


def test_an_entry_from_beyond_time_leaves_no_half_of_itself(books: Books) -> None:
    with pytest.raises((ValueError, OverflowError, OSError)):
        books.enter(started("a", started_at=-(2**62)))
    assert not books.attempts
    assert not books.spend


@pytest.mark.parametrize("ahead", [26 * HOUR, 31_000, 2**62])
def test_a_clock_that_is_ahead_books_nothing_for_later_than_the_brokers_took_it(books: Books, ahead: int) -> None:
    taken = 20 * DAY - 1_000  # a second before midnight
    books.enter(started("a", 900, started_at=taken + ahead), taken_ms=taken)
    books.enter(settled("a", 70, started_at=taken + ahead), taken_ms=taken + 60_000)
    assert books.row().window_start == 19 * DAY
    assert (books.row().cost_nanousd, books.row().pending_nanousd) == (70, 0), "both in the window of the first"


def test_an_entry_within_the_tolerance_is_booked_for_its_own_time(books: Books) -> None:
    books.enter(settled("a", 70, started_at=10 * DAY + 1), taken_ms=10 * DAY - 1)
    assert books.row().window_start == 10 * DAY


def test_an_entry_that_comes_late_is_booked_for_when_its_call_began(books: Books) -> None:
    books.enter(settled("a", 70, started_at=3 * DAY), taken_ms=9 * DAY)
    assert books.row().window_start == 3 * DAY, "a replay, or a copy of the books, moves nothing to today"


def test_the_moment_that_the_entry_names_counts_before_the_clock_of_a_worker(books: Books) -> None:
    books.enter(started("a", 900, started_at=13 * DAY, booked_at=9 * DAY), taken_ms=9 * DAY)
    books.enter(settled("a", 70, started_at=13 * DAY, booked_at=9 * DAY), taken_ms=9 * DAY)
    assert (books.row().window_start, books.row().cost_nanousd) == (9 * DAY, 70)


def test_tiers_and_purposes_have_rows_of_their_own(books: Books) -> None:
    books.enter(
        settled("a", 1, tier="small"),
        settled("b", 2, tier="large"),
        settled("c", 4, tier="large", purpose=CallPurpose.JUDGE),
    )
    rows = [record_of(row) for row in books.spend.values() if row["window"] == "day"]
    found = {(row.tier, row.purpose): row.cost_nanousd for row in rows}
    assert found == {("small", "completion"): 1, ("large", "completion"): 2, ("large", "judge"): 4}


def test_each_kind_of_token_and_of_saving_is_added_up(books: Books) -> None:
    kinds = {
        "cached_prompt_tokens": 5,
        "cache_write_tokens": 6,
        "cache_write_1h_tokens": 7,
        "reasoning_tokens": 8,
        "saved_tier_nanousd": -90,
        "saved_compression_nanousd": 10,
    }
    books.enter(settled("a", 1, **kinds), settled("b", 0, **kinds, priced=False))
    row = books.row()
    assert {name: getattr(row, name) for name in kinds} == {name: 2 * amount for name, amount in kinds.items()}
    assert row.unpriced_calls == 1


def test_a_row_from_before_goes_on_to_be_read(books: Books) -> None:
    books.enter(settled("a", 250))
    [key] = [key for key, row in books.spend.items() if row["window"] == "day"]
    new = ("tier", "purpose", "unpriced_calls", "saved_tier_nanousd", "cached_prompt_tokens")
    books.spend[key] = {name: value for name, value in books.spend[key].items() if name not in new}
    books.enter(settled("b", 50))
    assert (books.row().cost_nanousd, books.row().tier) == (300, "")


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_two_owners_never_share_a_row(mine: tuple[str, str, str], yours: tuple[str, str, str]) -> None:
    keys = [
        keys_of(UsageEvent(tenant_id=tenant, user_id=user, model=model), HOUR) for tenant, user, model in (mine, yours)
    ]
    assert (keys[0] == keys[1]) == (mine == yours)


class Changelog(MutableMapping[str, Any]):
    """A table with a changelog: what a restart finds is a prefix of its writes."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self.writes: list[tuple[int, str, Any]] = []
        self.offset = 0

    def __getitem__(self, key: str) -> Any:
        return self.rows[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.rows[key] = value
        self.writes.append((self.offset, key, value))

    def __delitem__(self, key: str) -> None:
        raise AssertionError("the projection deletes nothing")

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def crash(self, committed: int, more: int) -> None:
        """Keep the writes of acknowledged records, and ``more`` of the rest."""
        certain = max((number for number, (at, _, _) in enumerate(self.writes, 1) if at < committed), default=0)
        self.writes = self.writes[: certain + more]
        self.rows = {key: value for _, key, value in self.writes}


@given(ledgers(), st.data())
@settings(max_examples=200, deadline=None)
def test_after_any_crashes_spend_is_the_sum_over_distinct_attempts(
    ledger: list[UsageEvent], data: st.DataObject
) -> None:
    attempts, spend = Changelog(), Changelog()
    committed = 0
    for _ in range(data.draw(st.integers(0, 3), label="crashes")):
        reached = data.draw(st.integers(committed, len(ledger)), label="reached")
        _run(ledger, attempts, spend, committed, reached)
        committed = data.draw(st.integers(committed, reached), label="committed")
        for table in (attempts, spend):
            table.crash(committed, data.draw(st.integers(0, 12), label="further writes that survive"))
    _run(ledger, attempts, spend, committed, len(ledger))
    for kind in WindowKind:
        assert sums_of((record_of(row) for row in spend.values()), kind) == folded_by(expected(ledger), kind)


def _run(ledger: list[UsageEvent], attempts: Changelog, spend: Changelog, begin: int, end: int) -> None:
    projection = Projection(attempts, spend)
    for offset in range(begin, end):
        attempts.offset = spend.offset = offset
        projection.apply(ledger[offset], partition=0, offset=offset, taken_ms=taken_ms(offset), now_ms=offset)
