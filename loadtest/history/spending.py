"""What would the stage cost say of the ledger's entries? Its own rules, with plain dictionaries for tables."""

from collections.abc import Iterator
from typing import Any

from forebay.contract.records import Spend, UsageEvent
from forebay.contract.topics import DAY_MS, HOUR_MS
from forebay_agents.cost.projection import Projection


class Spending:
    """Rows of ``spend``, and which of them have changed."""

    def __init__(self) -> None:
        self._attempts: dict[str, Any] = {}
        self._projection = Projection(self._attempts, {})
        self._changed: dict[str, Spend] = {}
        self._offset = 0
        self._forgot_ms = 0

    def take(self, entry: UsageEvent) -> None:
        """Take an entry in."""
        at = entry.finished_at or entry.started_at
        rows = self._projection.apply(entry, partition=0, offset=self._offset, taken_ms=at, now_ms=at)
        self._offset += 1
        self._changed |= dict(rows)

    def changed(self, at: int) -> Iterator[tuple[str, Spend]]:
        """Key and row of what has changed since the last call; once an hour attempts of a day ago are forgotten."""
        rows, self._changed = self._changed, {}
        if at - self._forgot_ms > HOUR_MS:
            self._forgot_ms = at
            for attempt_id in [name for name, row in self._attempts.items() if row["at"] < at - DAY_MS]:
                del self._attempts[attempt_id]
        yield from rows.items()
