"""Spend is the invoice, to the nano-dollar; and the run would notice if it were not."""

import random
from dataclasses import replace

import pytest

from forebay.contract.records import WindowKind
from forebay_agents.cost.spending.facts import of_rows
from loadtest.scenarios.invoice import Run, booked, differences, report


def test_two_thousand_requests_of_five_hundred_users_add_up() -> None:
    found = report(2_000, seed=7)
    assert found["differences"] == []
    assert found["spend_nanousd"] == found["invoice_nanousd"] > 0
    assert found["users"] > 450
    assert min(found["doubled"], found["replayed"], found["cost_worker_killed"]) > 2
    assert found["groups_compared"] > 450


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_thousand_requests_add_up(seed: int) -> None:
    found = report(20_000, seed)
    assert found["differences"] == []
    assert found["users"] == 500


async def test_a_nano_dollar_too_much_or_on_another_day_is_noticed() -> None:
    run = Run(100, seed=3)
    await run.make()
    rows, _ = booked(run, random.Random(3))
    days = [row for row in rows if row.window is WindowKind.DAY]
    assert differences(of_rows(days), run)[1] == []
    dearer = [replace(days[0], cost_nanousd=days[0].cost_nanousd + 1), *days[1:]]
    assert len(differences(of_rows(dearer), run)[1]) == 5, "by user, model, tier, purpose and day"
    late = [replace(days[0], window_start=days[0].window_start + 86_400_000), *days[1:]]
    assert differences(of_rows(late), run)[1]
    assert differences(of_rows(days[1:]), run)[1]
