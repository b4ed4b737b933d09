"""Which calls belong to an invoice's period? Those that began in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from forebay.contract import clock
from forebay.contract.records import UsageEvent
from forebay_agents.cost.reconciliation import InvoiceLine

_AGE = re.compile(r"(\d+)([smhd])")
_AGE_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class InvalidPeriodError(ValueError):
    """A text is neither a time nor an age."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Half-open, in ms since the epoch; ``None`` is unbounded."""

    since: int | None
    until: int | None

    @classmethod
    def of(cls, since: str, until: str, now_ms: int | None = None) -> Self:
        """From ISO 8601 times (UTC unless they say otherwise) or ages. Raises :class:`InvalidPeriodError`."""
        now = clock.now_ms() if now_ms is None else now_ms
        return cls(since=_moment(since, now), until=_moment(until, now))

    def cut(
        self, entries: Sequence[UsageEvent], lines: Sequence[InvoiceLine]
    ) -> tuple[Sequence[UsageEvent], Sequence[InvoiceLine]]:
        """Entries of the period, and the lines but those of calls that the ledger has outside of it."""
        inside = [entry for entry in entries if self._holds(entry.started_at)]
        outside = {entry.attempt_id for entry in entries} - {entry.attempt_id for entry in inside}
        return inside, [line for line in lines if line.attempt_id not in outside]

    def _holds(self, at_ms: int) -> bool:
        return (self.since is None or at_ms >= self.since) and (self.until is None or at_ms < self.until)


def _moment(text: str, now_ms: int) -> int | None:
    if not text:
        return None
    if age := _AGE.fullmatch(text):
        return now_ms - int(age[1]) * _AGE_MS[age[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidPeriodError(f"{text!r} is neither a time such as 2026-11-23T10:00 nor an age such as 6h") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
