"""Records of the changelogs: several rows in one, of before and of now, in whatever order they are read."""

import json

from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.records import Spend, UsageEvent, UsageStatus, WindowKind
from forebay.history.plausible import _MOST_TEXT
from forebay_agents.cost.gathering.rows import apart, folded, newest_attempt, newest_sums, together, unfolded
from forebay_agents.cost.projection import Projection, keys_of, record_of
from tests.unit.cost.gathering.bench import Disk, Tables
from tests.unit.cost.ledgers import HOUR, entry, settled, started

A_RECORD = 1_000_000
"""Bytes that a changelog takes of one."""


def applied(*entries: UsageEvent) -> tuple[dict[str, object], dict[str, object]]:
    attempts: dict[str, object] = {}
    spend: dict[str, object] = {}
    for offset, one in enumerate(entries):
        Projection(attempts, spend).apply(  # type: ignore[arg-type]  # whatever rows are
            one, partition=0, offset=offset, taken_ms=500 * HOUR, now_ms=3
        )
    return attempts, spend


@given(st.text(), st.text(), st.text(), st.text())
def test_three_windows_are_one_record_and_three_again(tenant: str, user: str, model: str, tier: str) -> None:
    one = settled("a", 7, prompt_tokens=3, tenant_id=tenant, user_id=user, model=model, tier=tier)
    _, spend = applied(one)
    key, value = folded(keys_of(one, 10 * HOUR), spend)  # type: ignore[arg-type]
    assert dict(unfolded(key, json.loads(json.dumps(value)))) == spend


def test_a_record_names_its_owner_once_and_no_sum_that_is_nothing() -> None:
    one = settled("a", 7, tenant_id="of-acme")
    _, spend = applied(one)
    key, value = folded(keys_of(one, 10 * HOUR), spend)  # type: ignore[arg-type]
    assert "of-acme" in key
    assert "of-acme" not in json.dumps(value)
    assert value["hour"].keys() == {"window_start", "cost_nanousd", "pending_nanousd", "updated_at", "revision", "seen"}


def test_a_row_of_before_is_read_as_it_is_and_goes_on() -> None:
    disk = Disk()
    old = {
        "tenant_id": "t", "user_id": "u", "model": "m", "window": "day", "window_start": 0, "tier": "",
        "purpose": "completion", "calls": 4, "cost_nanousd": 50, "pending_nanousd": 0, "updated_at": 1, "revision": 41,
    }  # fmt: skip
    [_, day, _] = keys_of(settled("a", 7), 10 * HOUR)
    disk.write("spend", 0, day, old)
    tables = Tables(disk)
    assert record_of(tables.spend.rows[day]) == Spend(**{**old, "window": WindowKind.DAY})
    Projection({}, tables.spend.rows).apply(settled("a", 7), partition=0, offset=42, taken_ms=500 * HOUR, now_ms=3)
    assert tables.spend.rows[day]["cost_nanousd"] == 57


def test_an_attempt_of_before_is_known_and_its_own_record_is_deleted_when_it_is_forgotten() -> None:
    disk = Disk()
    disk.write("attempts", 0, "old", {"partition": 0, "at": 5, "closed": 3, "cost": 7})
    disk.write("attempts", 0, "key", {"attempts": {"new": {"partition": 0, "at": 9, "closed": 4, "cost": 7}}})
    tables = Tables(disk)
    assert tables.attempts.rows.keys() == {"old", "new"}
    sent: list[tuple[int, str, object]] = []
    tables.attempts.send = lambda *record: sent.append(record)
    tables.attempts.forget(["old"], before_ms=6)
    assert sent == [(0, "old", None)]
    tables.attempts.forget(["new"], before_ms=10)
    assert sent == [(0, "old", None), (0, "key", None)]
    assert not tables.attempts.rows


def test_a_record_of_attempts_stays_as_long_as_one_of_them_is_remembered() -> None:
    disk = Disk()
    both = {"old": {"partition": 0, "at": 5, "closed": 3, "cost": 7}, "new": {"partition": 0, "at": 9, "opened": 4}}
    disk.write("attempts", 0, "key", {"attempts": both})
    tables = Tables(disk)
    sent: list[object] = []
    tables.attempts.send = lambda *record: sent.append(record)
    tables.attempts.forget(["old"], before_ms=6)
    assert (sent, [*tables.attempts.rows]) == ([], ["new"])


def test_deleted_records_are_nothing() -> None:
    disk = Disk()
    disk.write("attempts", 0, "old", {"partition": 0, "at": 5, "closed": 3, "cost": 7})
    disk.write("attempts", 0, "key", {"attempts": {"new": {"partition": 0, "at": 9, "closed": 4, "cost": 7}}})
    disk.write("attempts", 0, "old", None)
    disk.write("attempts", 0, "key", None)
    assert Tables(disk).attempts.rows.keys() == {"new"}, "whoever deletes a record has forgotten what is in it"


@given(st.permutations([2, 5, 9]))
def test_in_whatever_order_rows_are_read_the_newest_counts(revisions: list[int]) -> None:
    known = None
    for revision in revisions:
        known = newest_sums(known, {"revision": revision})
    assert known == {"revision": 9}
    opened, closed = {"opened": 1}, {"opened": 1, "closed": 4}
    assert newest_attempt(closed, opened) is closed
    assert newest_attempt(opened, closed) is closed


def test_no_record_is_too_large_whatever_ids_the_entries_have() -> None:
    text = "\x01" * (_MOST_TEXT // 2)  # each six bytes as JSON, seven in a key that is JSON in JSON
    opened = [started(f"{number}", tenant_id="\x01" * _MOST_TEXT) for number in range(5)]
    attempts, _ = applied(*opened)
    for value in together(attempts.items()):  # type: ignore[arg-type]
        assert len(json.dumps(value).encode()) < A_RECORD
        assert len(apart(value) or ()) == 1
    one = entry("a", UsageStatus.SETTLED, tenant_id=text, user_id=text)
    _, spend = applied(one)
    key, value = folded(keys_of(one, 10 * HOUR), spend)  # type: ignore[arg-type]
    assert len(json.dumps(key).encode()) + len(json.dumps(value).encode()) < A_RECORD


def test_small_rows_share_a_record() -> None:
    attempts, _ = applied(*(settled(f"a{number}", 1) for number in range(300)))
    assert len([*together(attempts.items())]) == 1  # type: ignore[arg-type]
