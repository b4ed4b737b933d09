"""Do the history's own sums say what ``spend`` says? Asked every hour, of every hour that is over.

The history adds the ledger's entries up by itself, by the rules of the stage ``cost``; ``spend`` is what that stage
made of them. The two differ while one of them is read and the other is not yet: so only what differs by the same amount
at a second look, a minute later, with both topics read to their ends, is a difference.
"""

import sqlite3
from collections.abc import Mapping

from forebay.contract.topics import HOUR_MS

_MINUTE_MS = 60_000
_SETTLED_MS = 10 * _MINUTE_MS
"""How long an hour is over before it is looked at."""
_NANO = 1_000_000_000


def apart(database: sqlite3.Connection, since_ms: int, until_ms: int) -> dict[int, int]:
    """Hour (ms since the epoch) to the nano-dollars by which ``spend`` is above the history's sums, where it is not 0.

    Args:
        since_ms: hours that begin before are left out; ``until_ms``: those that do not end by then.
    """
    first, end = -(-since_ms // HOUR_MS) * HOUR_MS, until_ms // HOUR_MS * HOUR_MS
    spend = dict(
        database.execute(
            "SELECT at, sum(cost) FROM spend WHERE span = 'hour' AND at >= ? AND at < ? GROUP BY at", (first, end)
        )
    )
    own = {
        at * _MINUTE_MS: cost
        for at, cost in database.execute(
            "SELECT at, sum(cost) FROM call_sums WHERE at >= ? AND at < ? GROUP BY at",
            (first // _MINUTE_MS, end // _MINUTE_MS),
        )
    }
    hours = sorted(spend.keys() | own.keys())
    return {hour: amount for hour in hours if (amount := spend.get(hour, 0) - own.get(hour, 0))}


class Comparison:
    """Compares once an hour, and again a minute after a difference.

    Args:
        since_ms: from when on the history has every entry of the ledger.
        keep_ms: how long it keeps them.
    """

    def __init__(self, database: sqlite3.Connection, *, since_ms: int, keep_ms: int) -> None:
        self._database = database
        self._since_ms, self._keep_ms = since_ms, keep_ms
        self._before: Mapping[int, int] | None = None
        self._next_ms = 0

    def look(self, now_ms: int, *, read: bool) -> float | None:
        """US dollars by which hours are apart, added up without their signs; ``None``: it is not the time to say.

        Args:
            read: whether both topics were read to their ends.
        """
        if now_ms < self._next_ms or not read:
            return None
        since = max(self._since_ms, now_ms - self._keep_ms + HOUR_MS)
        found = apart(self._database, since, now_ms - _SETTLED_MS)
        before, self._before = self._before, found or None
        if not found:
            self._next_ms = (now_ms // HOUR_MS + 1) * HOUR_MS + _SETTLED_MS
            return 0.0
        self._next_ms = now_ms + _MINUTE_MS
        if before is None:
            return None
        self._next_ms = now_ms + 5 * _MINUTE_MS
        return sum(abs(amount) for hour, amount in found.items() if before.get(hour) == amount) / _NANO
