"""Which calls belong to an invoice's period? Those that began in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from forebay.contract import clock
from forebay.contract.records import UsageEvent
from forebay.operations.choices import moment
from forebay_agents.cost.reconciliation import InvoiceLine


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Half-open, in ms since the epoch; ``None`` is unbounded."""

    since: int | None
    until: int | None

    @classmethod
    def of(cls, since: str, until: str, now_ms: int | None = None) -> Self:
        """From ISO 8601 times (UTC unless they say otherwise) or ages. Raises :class:`InvalidChoiceError`."""
        now = clock.now_ms() if now_ms is None else now_ms
        return cls(since=moment(since, now), until=moment(until, now))

    def cut(
        self, entries: Sequence[UsageEvent], lines: Sequence[InvoiceLine]
    ) -> tuple[Sequence[UsageEvent], Sequence[InvoiceLine]]:
        """Entries of the period, and the lines but those of calls that the ledger has outside of it."""
        inside = [entry for entry in entries if self._holds(entry.started_at)]
        outside = {entry.attempt_id for entry in entries} - {entry.attempt_id for entry in inside}
        return inside, [line for line in lines if line.attempt_id not in outside]

    def _holds(self, at_ms: int) -> bool:
        return (self.since is None or at_ms >= self.since) and (self.until is None or at_ms < self.until)
