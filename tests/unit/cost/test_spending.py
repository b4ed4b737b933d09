"""``forebay spend``: sums by whatever is asked for, exact over all groups, the same from rows, entries and lines."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from forebay.contract.json_lines import to_json
from forebay.contract.records import CallPurpose, Spend, UsageEvent, UsageStatus, WindowKind
from forebay.operations.choices import InvalidChoiceError
from forebay.privacy.people.names import Names
from forebay_agents.cost.cli import app
from forebay_agents.cost.operations import in_hours, query_of, window_read
from forebay_agents.cost.projection import Projection, record_of
from forebay_agents.cost.spending.facts import Amounts, Entered, of_attempts, of_rows
from forebay_agents.cost.spending.grouping import Spending, SpendQuery, grouped, zone_of


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOON = ms("2026-11-04T12:00")


def entry(attempt: str, status: UsageStatus = UsageStatus.SETTLED, **fields: Any) -> UsageEvent:
    known: dict[str, Any] = {"tenant_id": "acme", "user_id": "ann", "model": "m", "tier": "small", "booked_at": NOON}
    if status is UsageStatus.SETTLED:
        known |= {"cost_nanousd": 70, "prompt_tokens": 9, "completion_tokens": 2, "reserved_nanousd": 900}
    if status is UsageStatus.STARTED:
        known |= {"cost_nanousd": 900, "reserved_nanousd": 900}
    return UsageEvent(attempt_id=attempt, status=status, **(known | {"started_at": known["booked_at"]} | fields))


def line(of: UsageEvent, offset: int = 0, partition: int = 0, taken: int = NOON) -> str:
    """As ``forebay tail usage`` writes it."""
    place = {"topic": "usage", "partition": partition, "offset": offset, "key": "k", "timestamp": taken, "headers": {}}
    return json.dumps(place | {"value": to_json(of)})


def asked(entries: Iterable[UsageEvent], names: Names | None = None, **query: Any) -> Spending:
    return grouped(of_attempts(Entered(entry=one) for one in entries), SpendQuery(**query), names)


def costs(found: Spending) -> dict[tuple[Any, ...], int]:
    return {group.keys: group.amounts.cost_nanousd for group in found.groups}


def test_an_attempt_counts_once_by_its_newest_status_in_any_order() -> None:
    begun, paid = entry("a", UsageStatus.STARTED), entry("a")
    for order in ([begun, paid], [paid, begun], [begun, paid, paid, begun]):
        assert asked(order).total == Amounts(calls=1, input_tokens=9, output_tokens=2, cost_nanousd=70)
    assert asked([begun]).total == Amounts(calls=1, pending_nanousd=900)
    assert asked([begun, entry("a", UsageStatus.FAILED)]).total == Amounts(calls=1, failed=1)


def test_of_two_closing_entries_the_first_of_the_partition_counts_as_in_the_projection() -> None:
    late = Entered(entry=entry("a", cost_nanousd=1), place=(0, 9))
    first = Entered(entry=entry("a", cost_nanousd=2), place=(0, 4))
    for order in ([late, first], [first, late]):
        assert grouped(of_attempts(order), SpendQuery()).total.cost_nanousd == 2


@pytest.mark.parametrize("when", [-(2**63), -1, 253_402_300_800_000, 2**63 - 1])
@pytest.mark.parametrize("by", ["hour", "day", "month"])
def test_a_time_that_is_none_is_unknown_and_its_cost_counts(by: str, when: int) -> None:
    found = asked([entry("a", booked_at=when), entry("b")], by=(by,))
    assert costs(found)["unknown",] == 70
    assert found.total.cost_nanousd == 140
    lines = f"{line(entry('a', booked_at=when))}\n{line(entry('b'))}"
    for form in ([], ["--json"], ["--csv"]):
        assert spend("--by", by, *form, lines=lines)[0] == 0


def test_every_amount_has_its_name() -> None:
    kinds = entry(
        "a", cached_prompt_tokens=1, cache_write_tokens=2, cache_write_1h_tokens=3, reasoning_tokens=1,
        saved_tier_nanousd=-5, saved_compression_nanousd=6, priced=False, cost_nanousd=0,
    )  # fmt: skip
    total = asked([kinds, entry("b", UsageStatus.AVOIDED, saved_nanousd=8)]).total
    assert total == Amounts(
        calls=1, avoided=1, input_tokens=9, cached_tokens=1, cache_write_tokens=5, output_tokens=2, reasoning_tokens=1,
        saved_cache_nanousd=8, saved_tier_nanousd=-5, saved_compression_nanousd=6, unpriced_calls=1,
    )  # fmt: skip


MIXED = [
    entry("a", cost_nanousd=1),
    entry("b", cost_nanousd=2, tier="large", model="n", key_id="k1", task="faq", labels={"team": "red"}),
    entry("c", cost_nanousd=4, user_id="bob", booked_at=NOON - 86_400_000, purpose=CallPurpose.JUDGE),
    entry("d", cost_nanousd=8, tenant_id="ac,me", booked_at=NOON + 3_600_000, labels={"team": "blue"}),
]
DAY, BEFORE = ms("2026-11-04"), ms("2026-11-03")


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (("tenant",), {("ac,me",): 8, ("acme",): 7}),
        (("day",), {(DAY,): 11, (BEFORE,): 4}),
        (("hour", "user"), {(NOON + 3_600_000, "ann"): 8, (NOON, "ann"): 3, (NOON - 86_400_000, "bob"): 4}),
        (("month",), {(ms("2026-11-01"),): 15}),
        (("purpose", "tier"), {("completion", "large"): 2, ("completion", "small"): 9, ("judge", "small"): 4}),
        (("key",), {("",): 13, ("k1",): 2}),
        (("task",), {("",): 13, ("faq",): 2}),
        (("label:team",), {("",): 5, ("blue",): 8, ("red",): 2}),
    ],
)
def test_sums_are_by_what_is_asked_for_the_newest_first(by: tuple[str, ...], expected: dict[Any, int]) -> None:
    found = asked(MIXED, by=by)
    assert list(costs(found).items()) == list(expected.items())
    assert found.total.cost_nanousd == 15


def test_the_total_is_over_all_groups_also_of_those_that_are_not_shown() -> None:
    found = asked(MIXED, by=("model", "tenant"), top=1)
    assert costs(found) == {("m", "ac,me"): 8}
    assert found.total == asked(MIXED).total


def test_a_period_is_half_open_at_the_moment_for_which_an_attempt_is_booked() -> None:
    assert asked(MIXED, by=("model",), since_ms=NOON, until_ms=NOON + 3_600_000).total.cost_nanousd == 3
    late = Entered(entry=entry("a", booked_at=0, started_at=NOON + 9 * 86_400_000), taken_ms=NOON)
    assert grouped(of_attempts([late]), SpendQuery(by=("day",))).groups[0].keys == (DAY,), "no clock books tomorrow"


def test_a_user_is_one_whatever_records_call_him() -> None:
    names = Names(b"\2" * 32)
    ann = names.user("acme", "ann")
    both = [entry("a", cost_nanousd=1), entry("b", cost_nanousd=2, user_id=ann), entry("c", user_id="bob")]
    for given in ("ann", ann):
        assert costs(asked(both, names, by=("user",), user=given)) == {(ann,): 3}
    assert costs(asked(both, by=("user",), user="ann")) == {("ann",): 1}


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("", "2026-11-04"),
        ("+13:00", "2026-11-04T11:00"),
        ("Europe/Berlin", "2026-11-03T23:00"),
        ("-05:00", "2026-11-04T05:00"),
    ],
)
def test_days_may_be_those_of_another_zone(zone: str, day: str) -> None:
    found = asked([entry("a")], by=("day",), zone=zone_of(zone))
    assert [group.keys for group in found.groups] == [(ms(day),)]


def test_a_month_of_another_zone_begins_with_its_first_day() -> None:
    last = entry("a", booked_at=ms("2026-10-31T23:30"))
    assert costs(asked([last], by=("month",), zone=zone_of("Europe/Berlin"))) == {(ms("2026-10-31T23:00"),): 70}


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "+05:30", "Mars", "../etc/passwd", "+25:00", "Europe"])
def test_a_zone_that_is_not_whole_hours_off_or_none_is_refused(zone: str) -> None:
    with pytest.raises(InvalidChoiceError, match="--zone"):
        zone_of(zone)


@pytest.mark.parametrize(
    "query",
    [{"by": "nothing"}, {"by": "day,day"}, {"by": "label:"}, {"since": "2026-11-02", "until": "2026-11-01"},
     {"since": "yesterday"}],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidChoiceError):
        query_of(**query)


def test_rows_say_the_same_as_entries() -> None:
    rows: dict[str, Any] = {}
    projection = Projection({}, rows)
    entries = [one for each in MIXED for one in (entry(each.attempt_id, UsageStatus.STARTED), each)]
    entries[4] = entry("c", UsageStatus.STARTED, user_id="bob", booked_at=NOON - 86_400_000, purpose=CallPurpose.JUDGE)
    entries[2] = entry("b", UsageStatus.STARTED, tier="large", model="n")
    entries[6] = entry("d", UsageStatus.STARTED, tenant_id="ac,me", booked_at=NOON + 3_600_000)
    for offset, one in enumerate(entries):
        projection.apply(one, partition=0, offset=offset, taken_ms=NOON * 2, now_ms=1)
    for by in ("day,tenant,user,model", "hour,tier", "month", "purpose"):
        query = query_of(by=by)
        read = [record_of(row) for row in rows.values()]
        of_kind = [row for row in read if row.window is window_read(query)]
        assert grouped(of_rows(of_kind), query) == asked(entries, by=query.by)


def test_a_row_from_before_has_no_tier_and_says_so() -> None:
    [group] = grouped(of_rows([Spend(calls=1)]), SpendQuery(by=("tier", "purpose"))).groups
    assert group.keys == ("unknown", "unknown")


def test_a_row_of_nothing_is_no_group() -> None:
    found = grouped(of_rows([Spend(user_id="gone", revision=9), Spend(calls=1)]), SpendQuery(by=("user",)))
    assert [group.keys for group in found.groups] == [("anonymous",)]


def test_rows_are_read_by_the_longest_windows_that_say_it_and_periods_by_hours() -> None:
    kinds = [window_read(query_of(by=by)) for by in ("", "month,user", "user", "hour,day")]
    assert kinds == [WindowKind.DAY, WindowKind.MONTH, WindowKind.MONTH, WindowKind.HOUR]
    assert window_read(query_of(zone="+02:00")) is WindowKind.HOUR
    query = query_of(since="2026-11-04T12:59", until="2026-11-04T14:01")
    assert window_read(query) is WindowKind.HOUR
    read = in_hours(query)
    assert (read.since_ms, read.until_ms) == (NOON, NOON + 2 * 3_600_000)


LINES = "\n".join(
    [
        line(MIXED[0], 1), line(entry("a", UsageStatus.STARTED), 0), line(MIXED[1], 2), line(MIXED[1], 3), "",
        json.dumps(to_json(MIXED[2])),
        json.dumps({"topic": "usage", "value": {"attempt_id": "old", "status": "settled", "cost_nanousd": 3}}),
        json.dumps({"topic": "usage", "value": {"attempt_id": "new", "status": "refunded", "cost_nanousd": 3}}),
        json.dumps({"topic": "usage", "error": {"code": "undecodable", "message": "?"}}),
        json.dumps({"topic": "usage", "value": {"attempt_id": "x", "status": "settled", "cost_nanousd": 10**30}}),
        line(MIXED[3])[:-40],
    ]
)  # fmt: skip


def spend(*options: str, lines: str = LINES) -> tuple[int, str, str]:
    done = CliRunner(env={"COLUMNS": "40", "TERM": "dumb"}).invoke(app, ["--from", "-", *options], input=lines)
    return done.exit_code, done.stdout, done.stderr


def test_a_file_of_lines_is_summed_and_what_is_no_entry_is_told() -> None:
    status, out, told = spend("--json", "--by", "day,user")
    assert status == 0
    *groups, total = [json.loads(one) for one in out.splitlines()]
    assert [(one["day"], one["user"], one["cost_nanousd"]) for one in groups] == [
        ("2026-11-04T00:00:00Z", "ann", 3),
        ("2026-11-03T00:00:00Z", "bob", 4),
        ("1970-01-01T00:00:00Z", "anonymous", 3),
    ]
    assert (total["total"], total["cost_nanousd"], total["calls"]) == (True, 10, 4)
    assert set(total) == {"total", *Amounts._fields}
    assert "4 lines are no entries of the ledger and were left out: line 8, 9, 10, 11" in told


def test_csv_has_the_same_columns_and_a_row_of_the_total() -> None:
    lines = "\n".join(map(line, MIXED))
    status, out, _ = spend("--csv", "--by", "tenant,tier", lines=lines)
    head, *rows = out.splitlines()
    assert status == 0
    assert head.split(",") == ["tenant", "tier", *Amounts._fields]
    assert rows[0].startswith('"ac,me",small,1,0,0,9,')
    assert rows[-1].startswith("total,,4,")


def test_a_table_has_its_total_and_never_cuts_an_id() -> None:
    long = "tenant-" + "x" * 290
    status, out, _ = spend("--by", "tenant,month", lines=line(entry("a", tenant_id=long, cost_nanousd=2_000_000_000)))
    assert status == 0
    assert long in out
    assert "2026-11" in out
    [total] = [one for one in out.splitlines() if one.split()[:1] == ["total"]]
    assert total.split() == ["total", "1", "11", "2.00"]


@pytest.mark.parametrize(
    "options",
    [("--since", "2026-11-02", "--until", "2026-11-01"), ("--by", "colour"), ("--zone", "+05:30"),
     ("--window", "day", "--by", "user"), ("--json", "--csv"), ("--top", "0")],
)  # fmt: skip
def test_a_wrong_use_ends_with_status_2(options: tuple[str, ...]) -> None:
    status, out, told = spend(*options)
    assert (status, out) == (2, "")
    assert "Traceback" not in told


def test_a_file_that_is_not_there_ends_with_status_2() -> None:
    done = CliRunner().invoke(app, ["--from", "/nowhere/usage.jsonl"])
    assert (done.exit_code, done.stdout) == (2, "")


def test_nothing_spent_is_a_total_of_nothing() -> None:
    _, out, _ = spend("--json", lines="")
    assert [json.loads(one) for one in out.splitlines()] == [{"total": True, **Amounts()._asdict()}]


def test_many_entries_are_summed_exactly() -> None:
    many = 2_000
    lines = [
        line(entry(f"a{number}", cost_nanousd=10**9 + number, user_id=f"u{number % 50}")) for number in range(many)
    ]
    status, out, _ = spend("--json", "--by", "user", lines="\n".join(lines))
    assert status == 0
    assert json.loads(out.splitlines()[-1])["cost_nanousd"] == many * 10**9 + many * (many - 1) // 2
