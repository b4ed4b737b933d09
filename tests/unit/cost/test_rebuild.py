"""``forebay spend rebuild``: what the tables hold follows from the ledger, whatever they held."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from forebay.contract.json_lines import to_json
from forebay.contract.records import Spend, UsageEvent, UsageStatus, WindowKind
from forebay_agents.cost.projection import SEEN, Projection, record_of
from forebay_agents.cost.rebuild import Rebuilding, Rebuilt

HOUR = 3_600_000
DAY = 24 * HOUR
MONTH = 31 * DAY
"""Begin of February 1970."""

Place = tuple[int, int]
Ledger = list[tuple[Place, UsageEvent]]


def entry(attempt: str, status: UsageStatus, user: str = "u", **fields: Any) -> UsageEvent:
    known: dict[str, Any] = {"tenant_id": "t", "model": "m", "started_at": MONTH + HOUR, "booked_at": MONTH + HOUR}
    return UsageEvent(attempt_id=attempt, status=status, user_id=user, **known | fields)


def call(attempt: str, cost: int, partition: int, offset: int, user: str = "u", **fields: Any) -> Ledger:
    opened = entry(attempt, UsageStatus.STARTED, user, cost_nanousd=900, reserved_nanousd=900, **fields)
    closed = replace(opened, status=UsageStatus.SETTLED, cost_nanousd=cost)
    return [((partition, offset), opened), ((partition, offset + 1), closed)]


MOVED: Ledger = [
    *call("a", 10, 0, 0),
    *call("b", 20, 0, 2, "v"),
    *call("c", 30, 2, 0),  # u, since there are more partitions
]


def taken_in(ledger: Iterable[tuple[Place, UsageEvent]], finished: Mapping[int, int] | None = None) -> Rebuilding:
    found = Rebuilding(finished={0: 99, 2: 99} if finished is None else finished)
    for (partition, offset), one in ledger:
        found.take(one, partition=partition, offset=offset, taken_ms=2 * MONTH)
    return found


def rebuilt(
    ledger: Iterable[tuple[Place, UsageEvent]],
    there: Mapping[str, Spend],
    finished: Mapping[int, int] | None = None,
    *,
    complete_since_ms: int = 0,
) -> Rebuilt:
    return taken_in(ledger, finished).rebuilt(
        there,
        ends={0: 4, 1: 0, 2: 2, 3: 0},
        partition_of=lambda key: {"t|u": 2, "t|v": 0}.get(key, 3),
        complete_since_ms=complete_since_ms,
        remembered_since_ms=0,
    )


def published(ledger: Iterable[tuple[Place, UsageEvent]]) -> dict[str, Spend]:
    """What a stage makes of it that has all partitions."""
    rows: dict[str, Any] = {}
    projection = Projection({}, rows)
    for (partition, offset), one in ledger:
        projection.apply(one, partition=partition, offset=offset, taken_ms=2 * MONTH, now_ms=5)
    return {key: record_of(row) for key, row in rows.items()}


def cost(rows: Mapping[str, Spend], user: str) -> int:
    [row] = [row for row in rows.values() if row.window is WindowKind.DAY and row.user_id == user]
    return row.cost_nanousd


def after(done: Rebuilt, there: Mapping[str, Spend]) -> dict[str, Spend]:
    return {**there, **dict(done.published)}


def test_rows_that_are_right_stay_and_nothing_is_published() -> None:
    there = published(MOVED)
    done = rebuilt(MOVED, there)
    assert (done.explained, done.same, done.published) == (True, 6, [])
    assert done.before == done.after
    assert (done.after.calls, done.after.cost_nanousd, done.after.pending_nanousd) == (3, 60, 0)
    assert {key: record_of(row) for _, key, row in done.spend} == there


def test_rows_lie_where_the_entries_of_their_users_go_now() -> None:
    done = rebuilt(MOVED, {})
    assert {(record_of(row).user_id, place) for place, _, row in done.spend} == {("u", 2), ("v", 0)}
    assert {(attempt, place) for place, attempt, _ in done.attempts} == {("a", 2), ("b", 0), ("c", 2)}


def test_what_a_second_worker_forgot_is_corrected_and_told() -> None:
    there = published(MOVED[:4]) | published(MOVED[4:])  # the worker of the new partition began at nothing
    assert cost(there, "u") == 30
    done = rebuilt(MOVED, there)
    assert (done.explained, done.corrected, done.same) == (False, 3, 3)
    assert (done.before.cost_nanousd, done.after.cost_nanousd) == (50, 60)
    assert cost(after(done, there), "u") == 40
    assert all(row.revision > there[key].revision for key, row in done.published)


def test_entries_that_were_not_in_yet_explain_a_difference() -> None:
    there = published(MOVED[:2])
    done = rebuilt(MOVED, there, {0: 2})
    assert (done.explained, done.entries, done.waiting) == (True, 6, 4)
    assert done.after.cost_nanousd == 60
    assert not rebuilt(MOVED, published(MOVED[2:4]), {0: 2}).explained


def test_once_more_changes_nothing() -> None:
    there = after(rebuilt(MOVED, {}), {})
    again = rebuilt(MOVED, there)
    assert (again.published, again.explained) == ([], True)


def test_rows_of_nothing_in_the_ledger_become_zeros_that_readers_take() -> None:
    there = published(MOVED)
    old = Spend(tenant_id="t", user_id="u", model="m", window_start=MONTH, calls=3, cost_nanousd=40, revision=7)
    done = rebuilt(MOVED, {**there, "old": old})
    assert done.cleared == 1
    [(key, row)] = done.published
    assert (key, row.calls, row.cost_nanousd, row.revision) == ("old", 0, 0, 8)
    again = rebuilt(MOVED, {**there, "old": row})
    assert (again.published, again.explained) == ([], True)


def test_windows_of_which_entries_expired_stay_as_they_are() -> None:
    there = published([*call("x", 70, 0, 0, booked_at=HOUR), *MOVED])
    done = rebuilt(MOVED, there, complete_since_ms=MONTH)
    assert (done.kept, done.published, done.explained) == (3, [], True)
    assert done.after.cost_nanousd == 130


def test_the_stage_goes_on_from_there_and_adds_nothing_twice() -> None:
    done = rebuilt(MOVED, {})
    attempts = {key: dict(row) for _, key, row in done.attempts}
    spend = {key: dict(row) for _, key, row in done.spend}
    projection = Projection(attempts, spend)
    for (partition, offset), one in MOVED:  # the whole ledger again, as after a rebuild that was killed
        projection.apply(one, partition=partition, offset=offset, taken_ms=2 * MONTH, now_ms=5)
    projection.apply(MOVED[1][1], partition=2, offset=2, taken_ms=2 * MONTH, now_ms=5)  # a repetition
    assert cost({key: record_of(row) for key, row in spend.items()}, "u") == 40
    for _, one in call("d", 5, 2, 3):
        projection.apply(one, partition=2, offset=3 + (one.status is UsageStatus.SETTLED), taken_ms=2 * MONTH, now_ms=5)
    assert cost({key: record_of(row) for key, row in spend.items()}, "u") == 45


def test_killed_while_it_wrote_its_rows_the_stage_takes_in_what_is_missing() -> None:
    done = rebuilt(MOVED, {})
    for written in range(len(done.spend)):  # rows come first, and attempts only behind the last of them
        attempts: dict[str, Any] = {}
        spend = {key: dict(row) for _, key, row in done.spend[:written]}
        projection = Projection(attempts, spend)
        for (partition, offset), one in MOVED:
            projection.apply(one, partition=partition, offset=offset, taken_ms=2 * MONTH, now_ms=5)
        found = {key: record_of(row) for key, row in spend.items()}
        assert (cost(found, "u"), cost(found, "v")) == (40, 20)


def test_rows_say_up_to_where_they_have_each_partition() -> None:
    done = rebuilt(MOVED, {})
    [seen] = {tuple(row[SEEN].items()) for _, _, row in done.spend if record_of(row).user_id == "u"}
    assert seen == (("0", 1), ("2", 1))
    assert all(to_json(record_of(row))["revision"] >= 0 for _, _, row in done.spend)


def test_attempts_are_remembered_with_all_that_was_seen_of_them() -> None:
    opened = entry("a", UsageStatus.STARTED, cost_nanousd=900)
    unsettled = replace(opened, status=UsageStatus.UNSETTLED)
    settled = replace(opened, status=UsageStatus.SETTLED, cost_nanousd=7)
    ledger: Ledger = [
        ((0, 0), opened),
        ((0, 1), unsettled),
        ((0, 5), settled),
        ((0, 6), replace(opened, attempt_id="b")),
    ]
    kept = {attempt: row for _, attempt, row in rebuilt(ledger, {}).attempts}
    table: dict[str, Any] = {}
    for (partition, offset), one in ledger:
        Projection(table, {}).apply(one, partition=partition, offset=offset, taken_ms=2 * MONTH, now_ms=2 * MONTH)
    assert kept.keys() == table.keys() == {"a", "b"}
    for attempt, row in kept.items():
        assert row.keys() == table[attempt].keys()
        assert (row["at"], row.get("cost"), row.get("entry")) == (
            table[attempt]["at"],
            table[attempt].get("cost"),
            table[attempt].get("entry"),
        )
