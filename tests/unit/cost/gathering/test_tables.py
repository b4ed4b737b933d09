"""Tables as Faust has them: where rows go, and which are forgotten."""

from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.types import TP

from forebay_agents.cost.gathering.tables import AttemptsTable
from tests.unit.cost.gathering.bench import Disk, Tables


@pytest.fixture
def told() -> list[int | None]:
    return []


@pytest.fixture
def table(told: list[int | None]) -> Any:
    app = faust.App("cost", broker="kafka://nowhere.invalid", store="memory://", autodiscover=False)
    table: Any = AttemptsTable(app, name="attempts", key_type=str, value_type=None)
    assert table.changelog_topic_name == "cost-attempts-changelog"  # made with the app that there is now
    table.app = SimpleNamespace(consumer=SimpleNamespace(topic_partitions=lambda _topic: told.pop(0)))
    return table


def test_nobody_has_told_how_many_partitions_there_are(table: Any, told: list[int | None]) -> None:
    told += [None, 0]
    assert (table.size, table.size) == (None, None)


def test_a_client_that_forgets_them_for_a_moment_sends_nothing_to_others(table: Any, told: list[int | None]) -> None:
    told += [4, 0, None]
    assert [table.partition(7), table.partition(7), table.partition(7)] == [3, 3, 3]


async def test_what_went_to_other_workers_is_forgotten_with_where_it_stood() -> None:
    disk = Disk()
    for partition in (0, 1):
        row = {"partition": partition, "at": 5, "closed": 3, "cost": 7}
        disk.write("attempts", partition, f"key-{partition}", {"attempts": {f"a-{partition}": row}})
        disk.write("attempts", partition, f"alone-{partition}", row)
    tables = Tables(disk)
    await tables.attempts.on_recovery_completed({TP("attempts", 1)}, set())
    assert tables.attempts.rows.keys() == {"a-1", "alone-1"}
    sent: list[tuple[int, str, object]] = []
    tables.attempts.send = lambda *record: sent.append(record)
    tables.attempts.forget(["a-1", "alone-1"], before_ms=6)
    assert sent == [(1, "alone-1", None), (1, "key-1", None)]
