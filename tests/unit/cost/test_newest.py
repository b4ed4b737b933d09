"""Of many entries at once the newest row of a key is told, and told last: nothing older stands after it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.records import Spend, UsageEvent, UsageStatus
from forebay_agents.cost.projection import Projection

HOUR = 3_600_000


def entry(attempt: int, status: UsageStatus, user: str) -> UsageEvent:
    amount = {"cost_nanousd": 70, "reserved_nanousd": 900}
    return UsageEvent(
        attempt_id=f"a{attempt}",
        status=status,
        tenant_id="t",
        user_id=user,
        model="m",
        started_at=10 * HOUR,
        booked_at=10 * HOUR,
        **(amount if status is UsageStatus.SETTLED else {"cost_nanousd": 900, "reserved_nanousd": 900}),
    )


def test_a_call_that_ended_while_its_beginning_was_held_is_told_of_once() -> None:
    projection = Projection({}, {})
    began = apply(projection, entry(1, UsageStatus.STARTED, "u"), 0)
    ended = apply(projection, entry(1, UsageStatus.SETTLED, "u"), 1)
    assert projection.newest(began) == []
    assert projection.newest(ended) == ended
    assert {row.pending_nanousd for _, row in ended} == {0}


def test_a_call_that_still_runs_is_told_of() -> None:
    projection = Projection({}, {})
    began = apply(projection, entry(1, UsageStatus.STARTED, "u"), 0)
    apply(projection, entry(2, UsageStatus.STARTED, "somebody else"), 1)
    assert projection.newest(began) == began
    assert {row.pending_nanousd for _, row in began} == {900}


def test_what_is_delivered_again_is_told_again() -> None:
    projection = Projection({}, {})
    apply(projection, entry(1, UsageStatus.STARTED, "u"), 0)
    ended = apply(projection, entry(1, UsageStatus.SETTLED, "u"), 1)
    again = apply(projection, entry(1, UsageStatus.STARTED, "u"), 0)
    assert projection.newest(again) == again
    assert [row.cost_nanousd for _, row in again] == [row.cost_nanousd for _, row in ended] == [70, 70, 70]


def test_rows_of_a_partition_that_went_elsewhere_are_told_as_they_were() -> None:
    spend: dict[str, Any] = {}
    projection = Projection({}, spend)
    began = apply(projection, entry(1, UsageStatus.STARTED, "u"), 0)
    spend.clear()
    assert projection.newest(began) == began


@given(
    calls=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=20),
    order=st.randoms(use_true_random=False),
)
def test_whoever_is_held_how_long_the_last_that_is_told_of_a_key_is_the_tables_row(
    calls: list[tuple[int, bool]], order: Any
) -> None:
    spend: dict[str, Any] = {}
    projection = Projection({}, spend)
    held: list[list[tuple[str, Spend]]] = []
    told: dict[str, Spend] = {}

    def tell(rows: list[tuple[str, Spend]]) -> None:
        told.update(projection.newest(rows))

    offset = 0
    for number, (user, ends) in enumerate(calls):
        for status in (UsageStatus.STARTED, UsageStatus.SETTLED) if ends else (UsageStatus.STARTED,):
            held.append(apply(projection, entry(number, status, f"u{user}"), offset))
            offset += 1
            if order.random() < 0.5:
                tell(held.pop(order.randrange(len(held))))
    while held:
        tell(held.pop(order.randrange(len(held))))
    assert {key: row.revision for key, row in told.items()} == {key: row["revision"] for key, row in spend.items()}
    assert {key: row.cost_nanousd for key, row in told.items()} == {
        key: row["cost_nanousd"] for key, row in spend.items()
    }


def apply(projection: Projection, item: UsageEvent, offset: int) -> list[tuple[str, Spend]]:
    return projection.apply(item, partition=0, offset=offset, taken_ms=11 * HOUR, now_ms=11 * HOUR)
