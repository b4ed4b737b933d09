"""What is forgotten, and how without holding up the writer? The oldest, in deletes of some milliseconds each.

A step is one transaction; the next takes half as many rows where it took over 25 ms, so that none holds the lock for
50. The sums of minutes are kept for eight days, to compare an hour with that of a week ago; days and months of spend,
and who did what, as long as the topics keep the ledger.
"""

import sqlite3
import time
from collections.abc import Callable

from forebay.contract.topics import DAY_MS
from forebay.history.packing import Packed
from forebay.history.sqlite.sums import HOUR, MINUTE, MINUTE_MS

_MINUTES_MS = 8 * DAY_MS
_LEDGER_MS = 400 * DAY_MS
_WALK_MS = DAY_MS
"""Between two walks through all calls, for those whose request never had an outcome."""
_LONG_S, _SHORT_S = 0.025, 0.008
_FEWEST, _FIRST, _MOST = 10, 100, 2_000

_OF_REQUESTS = ("calls", "evaluations", "corrections")


class Retention:
    """Removes what is too old, or too much; between two batches.

    Args:
        days: for how long requests are kept.
        max_bytes: of the file; beyond it the oldest goes, however young.
    """

    def __init__(
        self, database: sqlite3.Connection, *, days: int, max_bytes: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._database = database
        self._keep_ms, self._max_bytes = days * DAY_MS, max_bytes
        self._clock = clock
        self._rows = _FIRST
        self._floor = 0
        self._more = False
        self._walked_ms = 0
        self._at: tuple[Packed | int, Packed | int] | None = None

    def step(self, now_ms: int) -> bool:
        """One delete; whether there may be more to remove. ``now_ms`` counts up to a day after the newest request."""
        newest = self._database.execute("SELECT max(at) FROM requests").fetchone()[0]
        if newest is not None:  # a clock that is a month ahead empties nothing
            now_ms = min(now_ms, newest + DAY_MS)
        if not self._more and self._too_large():  # what is before the floor goes first, from all tables
            self._floor = max(self._floor, self._next_floor(now_ms))
        before = max(now_ms - self._keep_ms, self._floor)
        began = self._clock()
        self._database.execute("BEGIN IMMEDIATE")
        self._more = self._remove(before, now_ms)
        self._database.execute("COMMIT")
        took = self._clock() - began
        if took > _LONG_S:
            self._rows = max(_FEWEST, self._rows // 2)
        elif took < _SHORT_S:
            self._rows = min(_MOST, 2 * self._rows)
        return self._more or self._at is not None or self._too_large()

    def _remove(self, before: int, now_ms: int) -> bool:
        if self._requests(before):
            return True
        minutes, ledger = before // MINUTE_MS, now_ms - _LEDGER_MS
        for table, key, where, values in (
            ("letters", "part, place", "at < ? ORDER BY at", (before,)),
            ("evaluations", "request, evaluation", "at < ? ORDER BY at", (before,)),
            ("alerts", "fingerprint, starts_at", "at < ? AND state != 'firing'", (before,)),
            ("sums", "span, at, tenant, status, error, source, tier", "span = ? AND at < ?", (HOUR, minutes)),
            *(
                (table, key, "span = ? AND at < ?", (MINUTE, max(minutes, (now_ms - _MINUTES_MS) // MINUTE_MS)))
                for table, key in (
                    ("sums", "span, at, tenant, status, error, source, tier"),
                    ("stage_sums", "span, at, stage"),
                )
            ),
            ("stage_sums", "span, at, stage", "span = ? AND at < ?", (HOUR, minutes)),
            ("call_sums", "at, tenant, purpose, tier, model", "at < ?", (minutes,)),
            ("spend", "span, at, tenant, user, model, tier, purpose", "span = 'hour' AND at < ?", (before,)),
            ("spend", "span, at, tenant, user, model, tier, purpose", "span = 'day' AND at < ?", (ledger,)),
            ("audit", "at, id", "at < ?", (ledger,)),
        ):
            chosen = f"SELECT {key} FROM {table} WHERE {where} LIMIT {self._rows}"
            done = self._database.execute(f"DELETE FROM {table} WHERE ({key}) IN ({chosen})", values)
            if done.rowcount > 0:
                return True
        self._walk(before, now_ms)
        return False

    def _requests(self, before: int) -> bool:
        found = self._database.execute(
            "SELECT rowid, id FROM requests INDEXED BY requests_at WHERE at < ? ORDER BY at LIMIT ?",
            (before, self._rows),
        ).fetchall()
        if not found:
            return False
        self._database.executemany("DELETE FROM requests WHERE rowid = ?", [(row[0],) for row in found])
        for table in _OF_REQUESTS:
            self._database.executemany(f"DELETE FROM {table} WHERE request = ?", [(row[1],) for row in found])
        return True

    def _walk(self, before: int, now_ms: int) -> None:
        """A few calls on the walk through all of them; one begins once a day."""
        if self._at is None:
            if now_ms - self._walked_ms < _WALK_MS:
                return
            self._walked_ms, self._at = now_ms, (0, 0)  # numbers come before texts, and those before bytes
        found = self._database.execute(
            "SELECT request, attempt, at FROM calls WHERE (request, attempt) > (?, ?) "
            "ORDER BY request, attempt LIMIT ?",
            (*self._at, self._rows),
        ).fetchall()
        old = [(request, attempt) for request, attempt, at in found if at < before]
        self._database.executemany("DELETE FROM calls WHERE request = ? AND attempt = ?", old)
        self._at = (found[-1][0], found[-1][1]) if found else None

    def _too_large(self) -> bool:
        pages, free, size = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return bool((pages - free) * size > self._max_bytes)

    def _next_floor(self, now_ms: int) -> int:
        """Before when to remove next where there is too much: the time of one of the oldest rows."""
        found = [
            row[0]
            for table in ("requests", "letters")
            if (row := self._database.execute(
                f"SELECT at FROM {table} ORDER BY at LIMIT 1 OFFSET ?", (_FIRST,)
            ).fetchone())
        ]  # fmt: skip
        return min(found, default=now_ms)
