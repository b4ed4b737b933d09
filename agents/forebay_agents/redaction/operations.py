"""What may an operator ask of redaction? How much was redacted of what, for whom; never what it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from forebay.operations.choices import InvalidChoiceError
from forebay_agents.redaction.daily_counts import KEPT_DAYS, DailyCount
from forebay_agents.redaction.daily_counts import open_daily as open_daily


class Counts(Protocol):
    """The part of :class:`forebay_agents.redaction.daily_counts.Daily` that is needed here."""

    async def rows(self, days: int, tenant_id: str | None = None) -> Sequence[DailyCount]:
        """Counts of the last ``days`` days, newest first."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportQuery:
    """Which counts? Of the last ``days`` days, today included; of one tenant, or of all.

    Raises:
        InvalidChoiceError: so many days are not kept.
    """

    days: int = 7
    tenant: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.days <= KEPT_DAYS:
            raise InvalidChoiceError(f"counts are kept for {KEPT_DAYS} days", "days")


async def report(daily: Counts, query: ReportQuery) -> Sequence[DailyCount]:
    """Findings by entity and action of each tenant and day; counts only, since no value is kept.

    Raises:
        Transient: Redis does not answer.
    """
    return await daily.rows(query.days, query.tenant or None)
