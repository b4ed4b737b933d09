"""People are told when sums are not what the attempts cost, once, and when they are again."""

from typing import Any

import pytest

from forebay.contract.records import Alert, AlertState, UsageEvent, UsageStatus
from forebay.state.conditions import Conditions, MemoryConditions
from forebay_agents.cost.drift import DriftTeller, apart, few_tables
from forebay_agents.cost.projection import SEEN, Projection

HOUR = 3_600_000
NOW = 1_000 * HOUR


class Books:
    def __init__(self) -> None:
        self.attempts: dict[str, Any] = {}
        self.spend: dict[str, Any] = {}
        self.offset = 0
        self.clock_s = 0.0
        self.teller = DriftTeller(Conditions(MemoryConditions(), lambda: NOW, lambda: self.clock_s))

    def settle(self, attempt: str, cost: int, *, partition: int = 0, hour: int = 0, user: str = "u") -> None:
        for status, nanousd in ((UsageStatus.STARTED, 900), (UsageStatus.SETTLED, cost)):
            one = UsageEvent(
                attempt_id=attempt, status=status, user_id=user, cost_nanousd=nanousd, booked_at=NOW + hour * HOUR
            )
            Projection(self.attempts, self.spend).apply(
                one, partition=partition, offset=self.offset, taken_ms=NOW + 10 * HOUR, now_ms=NOW
            )
            self.offset += 1

    def lose(self, attempt: str, cost: int) -> None:
        """As a crash that took the sums with it and left the attempt."""
        kept = {key: dict(row) for key, row in self.spend.items()}
        self.settle(attempt, cost)
        self.spend = kept

    def apart(self, *partitions: int) -> dict[tuple[int, int], int]:
        return apart(self.attempts, self.spend, partitions=partitions or (0, 1), since_ms=NOW - HOUR)

    async def look(self) -> list[Alert]:
        self.clock_s += 61
        return list(await self.teller.tell(self.apart(), (0, 1), NOW))


@pytest.fixture
def books() -> Books:
    made = Books()
    made.settle("a", 10)
    made.settle("b", 20, partition=1, user="v")
    made.settle("c", 30, hour=1)
    return made


def test_sums_that_are_right_are_told_of_to_nobody(books: Books) -> None:
    assert books.apart() == {}


async def test_what_is_missing_in_the_sums_is_told_once_at_the_second_look(books: Books) -> None:
    books.lose("d", 5)
    assert books.apart() == {(0, NOW): -5}
    assert await books.look() == []  # it may be delivered again in a moment
    [alert] = await books.look()
    assert (alert.kind, alert.subject, alert.state) == ("ledger_drift", "usage/0", AlertState.FIRING)
    assert "-5 nano-dollars" in alert.message
    assert "forebay spend rebuild" in alert.action
    assert await books.look() == await books.look() == []


async def test_its_end_is_told_once(books: Books) -> None:
    before = {key: dict(row) for key, row in books.spend.items()}
    books.lose("d", 5)
    await books.look()
    [begun] = await books.look()
    del books.attempts["d"]
    books.spend = before
    [ended] = await books.look()
    assert (ended.state, ended.fingerprint) == (AlertState.RESOLVED, begun.fingerprint)
    assert await books.look() == []


async def test_what_a_crash_left_and_a_redelivery_mends_is_no_drift(books: Books) -> None:
    books.lose("d", 5)
    await books.look()
    books.attempts.pop("d")
    books.settle("d", 5)
    assert [await books.look() for _ in range(3)] == [[], [], []]


def test_hours_that_cannot_be_judged_are_left_out(books: Books) -> None:
    books.lose("d", 5)
    assert books.apart(1) == {}  # another worker's
    of_hour = [row for row in books.spend.values() if row["window"] == "hour" and row["window_start"] == NOW]
    seen = of_hour[0].pop(SEEN)
    assert books.apart() == {}  # from before it was known where entries came from
    of_hour[0][SEEN] = seen | {"1": 3}
    assert books.apart() == {}  # they came from two
    of_hour[0][SEEN] = seen
    del books.attempts["a"]["cost"]
    assert books.apart() == {}
    assert apart(books.attempts, books.spend, partitions=(0,), since_ms=NOW + HOUR) == {}


async def test_a_ledger_with_more_partitions_than_the_tables_is_told_with_the_command_that_mends_it(
    books: Books,
) -> None:
    assert not await books.teller.tell_of_partitions(4, 4, NOW)
    [alert] = await books.teller.tell_of_partitions(8, 4, NOW)
    assert (alert.kind, alert.subject, alert.value, alert.threshold) == ("ledger_drift", "usage", 8, 4)
    assert "forebay spend rebuild" in alert.action
    assert not await books.teller.tell_of_partitions(8, 4, NOW)
    [ended] = await books.teller.tell_of_partitions(8, 8, NOW)
    assert ended.state is AlertState.RESOLVED


def test_a_worker_says_what_to_do_about_too_few_tables_as_long_as_they_are() -> None:
    assert "forebay spend rebuild" in few_tables(8, 4)
    assert "8 partitions, and the tables 4" in few_tables(8, 4)
    assert few_tables(4, 4) == few_tables(4, 8) == ""
