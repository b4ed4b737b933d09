"""What an operator may ask of redaction, called as a console calls it."""

from collections.abc import Sequence
from contextlib import contextmanager

import pytest

from forebay.operations.choices import InvalidChoiceError
from forebay_agents.redaction.daily_counts import DailyCount
from forebay_agents.redaction.offline.evaluating import evaluation
from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.offline.scoring import Labelled
from forebay_agents.redaction.operations import ReportQuery, report

COUNT = DailyCount(day="2026-03-01", tenant_id="acme", entity="PERSON", action="pseudonymise", count=3)


class Counts:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str | None]] = []

    async def rows(self, days: int, tenant_id: str | None = None) -> Sequence[DailyCount]:
        self.asked.append((days, tenant_id))
        return [COUNT]


async def test_counts_are_of_one_tenant_or_of_all() -> None:
    counts = Counts()
    assert await report(counts, ReportQuery()) == [COUNT]
    assert await report(counts, ReportQuery(days=400, tenant="acme")) == [COUNT]
    assert counts.asked == [(7, None), (400, "acme")]


@pytest.mark.parametrize("days", [0, -1, 401])
def test_days_that_are_not_kept_are_refused(days: int) -> None:
    with pytest.raises(InvalidChoiceError, match="400 days"):
        ReportQuery(days=days)


def test_whoever_evaluates_is_told_how_far_it_is(redactor: Redactor) -> None:
    told: list[tuple[str, int]] = []

    @contextmanager
    def progress(title: str, total: int):  # type: ignore[no-untyped-def]  # a generator of a function
        told.append((title, total))
        yield lambda done: told.append((title, done))

    rows = [Labelled(text="nothing here", spans=(), source="s")] * 2
    found = evaluation(rows, {"forebay": redactor}, "default", baseline=False, progress=progress)
    assert found["texts"] == 2
    assert told == [("forebay", 2), ("forebay", 1), ("forebay", 1)]
