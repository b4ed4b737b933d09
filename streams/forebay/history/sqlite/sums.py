"""How are sums kept, so that no page reads requests to draw a chart? A row's part comes in, and goes out again.

A row adds to a sum what its own columns say and nothing else: so a row that is replaced is taken out by what it says,
and the sums are those of the rows that are there, whatever was delivered twice. They are written in the transaction
of the rows.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence

from forebay.history.packing import bucket, counts_of, packed_counts
from forebay.history.sqlite import schema
from forebay.history.sqlite.names import Names
from forebay.history.sqlite.rows import CLOSED, DEGRADED, ESCALATED, UNPRICED, CallRow, RequestRow
from forebay.history.sqlite.spans import hops

MINUTE_MS = 60_000
_LARGEST = (1 << 63) - 1
MINUTE, HOUR = 1, 60
"""Lengths of ``span``, in minutes; ``at`` of a sum is in minutes since the epoch."""


Change = tuple[list[int], tuple[dict[int, int], ...]]
"""Numbers, and for each histogram counts by bucket, that are to be added to a row."""


class Table:
    """Changes of one table of sums, until they are written.

    Args:
        key: columns of its key.
        sums: columns of numbers; a row in which the first is 0 counts nothing, and goes.
        histograms: columns of packed counts.
    """

    def __init__(self, name: str, key: Sequence[str], sums: Sequence[str], histograms: Sequence[str] = ()) -> None:
        self._sums, self._histograms = len(sums), len(histograms)
        self._changes: dict[tuple[int, ...], Change] = {}
        where = " AND ".join(f"{column} = ?" for column in key)
        named = ", ".join((*sums, *histograms))
        marks = ", ".join("?" * (len(key) + len(sums) + len(histograms)))
        self._read = f"SELECT {named} FROM {name} WHERE {where}"
        self._write = f"REPLACE INTO {name} ({', '.join(key)}, {named}) VALUES ({marks})"
        self._delete = f"DELETE FROM {name} WHERE {where}"

    def change(self, key: tuple[int, ...]) -> Change:
        """What is added to the row of ``key``; to be changed in place."""
        found = self._changes.get(key)
        if found is None:
            found = [0] * self._sums, tuple(defaultdict[int, int](int) for _ in range(self._histograms))
            self._changes[key] = found
        return found

    def add(self, key: tuple[int, ...], change: Change) -> None:
        """Add a change to the row of ``key``."""
        numbers, counts = self.change(key)
        for at, value in enumerate(change[0]):
            numbers[at] += value
        for mine, theirs in zip(counts, change[1], strict=True):
            for number, count in theirs.items():
                mine[number] += count

    def taken(self) -> dict[tuple[int, ...], Change]:
        """All changes; none are left."""
        changes, self._changes = self._changes, {}
        return changes

    def write(self, database: sqlite3.Connection) -> None:
        """Write what has changed."""
        rows, gone = [], []
        for key, (numbers, counts) in self.taken().items():
            found = database.execute(self._read, key).fetchone()
            if found is not None:
                numbers = [value + was for value, was in zip(numbers, found, strict=False)]
                for of, packed in zip(counts, found[self._sums :], strict=True):
                    for number, count in counts_of(packed).items():
                        of[number] = of.get(number, 0) + count
            if numbers[0] > 0:
                rows.append((*key, *map(_within, numbers), *map(packed_counts, counts)))
            elif found is not None:
                gone.append(key)
        database.executemany(self._write, rows)
        database.executemany(self._delete, gone)


def _within(value: int) -> int:
    """What a column can hold: a sum stays at its largest number, as the stage cost has it."""
    return min(max(value, -_LARGEST), _LARGEST)


class Sums:
    """All sums of requests, stages and calls."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._retries: dict[int, bool] = {}
        self._requests = Table("sums", schema.SUM_KEY, schema.SUMS, ("latency",))
        self._stages = Table("stage_sums", schema.STAGE_KEY, schema.STAGE_SUMS, ("waited", "worked"))
        self._calls = Table("call_sums", schema.CALL_KEY, schema.CALL_SUMS)

    def forget(self) -> None:
        """Drop what was not written, after a transaction that failed."""
        self._retries.clear()
        for table in (self._requests, self._stages, self._calls):
            table.taken()

    def request(self, row: RequestRow, sign: int) -> None:
        """Count a row of ``requests`` in (``sign`` 1) or out (-1)."""
        minute = row.at // MINUTE_MS
        numbers, (latency,) = self._requests.change(
            (0, minute, row.tenant, row.status, row.error or 0, row.source, row.tier or 0)
        )
        total = row.total_ms or 0
        numbers[0] += sign
        numbers[1] += sign * (total > schema.SLOW_MS)
        numbers[2] += sign * bool(row.flags & DEGRADED)
        numbers[3] += sign * bool(row.flags & ESCALATED)
        numbers[4] += sign * row.attempts
        numbers[5] += sign * row.prompt
        numbers[6] += sign * row.completion
        numbers[7] += sign * row.cached
        numbers[8] += sign * row.cost
        numbers[9] += sign * row.saved
        numbers[10] += sign * total
        if row.total_ms is not None:
            latency[bucket(total)] += sign
        for hop in hops(row.spans):
            values, (waited, worked) = self._stages.change((0, minute, hop.stage))
            values[0] += sign
            values[1] += sign * self._is_retry(hop.outcome)
            values[2] += sign * hop.waited_ms
            values[3] += sign * hop.worked_us
            waited[bucket(hop.waited_ms)] += sign
            worked[bucket(hop.worked_us)] += sign

    def call(self, row: CallRow, sign: int) -> None:
        """Count a row of ``calls`` in or out: what the stage ``cost`` adds to an hour."""
        numbers, _ = self._calls.change(
            (row.at // MINUTE_MS // HOUR * HOUR, row.tenant, row.purpose, row.tier, row.model)
        )
        status = self._names.name(row.status)
        settled = row.phase == CLOSED and status == "settled"
        numbers[0] += sign
        numbers[1] += sign * (status == "failed")
        numbers[2] += sign * (status == "avoided")
        if settled:
            numbers[3] += sign * bool(row.flags & UNPRICED)
            numbers[4] += sign * row.prompt
            numbers[5] += sign * row.completion
            numbers[6] += sign * row.cached
            numbers[7] += sign * row.cost
        elif status == "avoided":
            numbers[8] += sign * row.saved

    def write(self, database: sqlite3.Connection) -> None:
        """Write all of them, in the transaction that is open."""
        for key, change in self._requests.taken().items():
            _, minute, tenant, *others = key
            self._requests.add((MINUTE, minute, 0, *others), change)
            self._requests.add((HOUR, minute // HOUR * HOUR, tenant, *others), change)
        for key, change in self._stages.taken().items():
            _, minute, stage = key
            self._stages.add((MINUTE, minute, stage), change)
            self._stages.add((HOUR, minute // HOUR * HOUR, stage), change)
        for table in (self._requests, self._stages, self._calls):
            table.write(database)

    def _is_retry(self, outcome: int) -> bool:
        found = self._retries.get(outcome)
        if found is None:
            found = self._retries[outcome] = (self._names.name(outcome) or "").startswith("retry:")
        return found
