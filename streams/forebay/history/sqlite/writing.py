"""How do records get into the file? A batch at a time, with where to read on, in one transaction.

What a record says is put under its own key, and the newest counts: so a record that comes again changes nothing. A
record before where a partition is read on is passed over. Sums change by what a row's columns say, and by what those
of the row it replaces had said.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from forebay.contract.records import Outcome, UsageEvent
from forebay.history.booking import booked_for
from forebay.history.packing import Packed, packed_id
from forebay.history.plausible import plausible
from forebay.history.sqlite import beside, schema
from forebay.history.sqlite.names import Kind, Names
from forebay.history.sqlite.opening import Opened, refused
from forebay.history.sqlite.retention import Retention
from forebay.history.sqlite.rows import TIMES_OFF, CallRow, RequestRow, call_row, phase_of, request_row
from forebay.history.sqlite.sums import Sums
from forebay.history.store import Place, Position, Written
from forebay.kafka.decoding import ReadRecord

_AT_ONCE = 500

_UPSERT_REQUEST = (
    f"INSERT INTO requests ({', '.join(schema.REQUEST)}) VALUES ({', '.join('?' * len(schema.REQUEST))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in schema.REQUEST[1:])}"
)
_UPSERT_CALL = (
    f"INSERT INTO calls ({', '.join(schema.CALL)}) VALUES ({', '.join('?' * len(schema.CALL))}) "
    f"ON CONFLICT (request, attempt) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in schema.CALL[2:])}"
)
_TOLD_CALL = (
    "INSERT INTO calls (request, attempt, at, outcome, first_token_ms) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (request, attempt) DO UPDATE SET outcome = excluded.outcome, first_token_ms = excluded.first_token_ms"
)
_POSITION = (
    "INSERT INTO positions (topic, part, next, topic_id) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (topic, part) DO UPDATE SET next = excluded.next, topic_id = excluded.topic_id"
)


class SqliteWriter:
    """See :class:`forebay.history.store.Writer`; one thread at a time.

    Args:
        opened: the file, of which nobody else is the writer.
        days: for how long requests are kept.
        max_bytes: of the file.
    """

    def __init__(self, opened: Opened, *, days: int, max_bytes: int) -> None:
        self._opened = opened
        self._database = opened.database
        self._names = Names(self._database)
        self._sums = Sums(self._names)
        self._retention = Retention(self._database, days=days, max_bytes=max_bytes)
        self._changed_by_others = self._version()
        self._positions = {
            (topic, part): Position(next=at, topic_id=topic_id)
            for topic, part, at, topic_id in self._database.execute("SELECT topic, part, next, topic_id FROM positions")
        }

    @property
    def said(self) -> str:
        """Why the file was made anew; empty: it was not."""
        return self._opened.said

    @property
    def database(self) -> sqlite3.Connection:
        """The connection, for who compares sums between two batches."""
        return self._database

    @property
    def there(self) -> bool:
        """Whether the path still names the file that is written."""
        return self._opened.there

    @property
    def size(self) -> int:
        """Bytes of the file, without what is free in it."""
        pages, free, size = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def since(self, otherwise_ms: int) -> int:
        """From when on the topics were read, ms since the epoch; noted now where that is not known.

        Raises:
            HistoryError: it cannot be written now.
        """
        try:
            self._database.execute("INSERT OR IGNORE INTO about VALUES ('since', ?)", (otherwise_ms,))
            found: int = self._database.execute("SELECT value FROM about WHERE name = 'since'").fetchone()[0]
        except sqlite3.Error as error:
            raise refused(error, self._opened.path) from None
        return found

    def positions(self) -> Mapping[Place, Position]:
        """See the protocol."""
        return self._positions

    def write(self, records: Sequence[ReadRecord], positions: Mapping[Place, Position]) -> Written:
        """See the protocol."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            written = self._take(records)
            self._database.executemany(
                _POSITION, [(topic, part, at.next, at.topic_id) for (topic, part), at in positions.items()]
            )
            self._database.execute("COMMIT")
        except BaseException as error:
            self._undo()
            if isinstance(error, sqlite3.Error):
                raise refused(error, self._opened.path) from None
            raise
        self._positions.update(positions)
        return written

    def prune(self, now_ms: int) -> bool:
        """See the protocol."""
        try:
            return self._retention.step(now_ms)
        except sqlite3.Error as error:
            self._undo()
            raise refused(error, self._opened.path) from None

    def checkpoint(self) -> None:
        """Move what the log beside the file holds into it: between batches, when nothing waits."""
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """See the protocol."""
        self._opened.close()

    def _undo(self) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
        self._names.forget()
        self._sums.forget()

    def _version(self) -> int:
        found: int = self._database.execute("PRAGMA data_version").fetchone()[0]
        return found

    def _take(self, records: Sequence[ReadRecord]) -> Written:
        if (version := self._version()) != self._changed_by_others:  # an erasure: names may be gone
            self._changed_by_others = version
            self._names.forget()
        by_topic: defaultdict[str, list[ReadRecord]] = defaultdict(list)
        skipped: dict[str, int] = {}
        again = 0
        for record in records:
            source = record.source
            before = self._positions.get((source.topic, source.partition))
            if before is not None and source.offset < before.next:
                again += 1
            elif record.error is not None:
                skipped[source.topic] = skipped.get(source.topic, 0) + 1
            else:
                by_topic[source.topic].append(record)
        off = self._outcomes(by_topic.pop("outcomes", ()))
        self._usage(by_topic.pop("usage", ()))
        for topic, found in by_topic.items():
            beside.take(self._database, self._names, topic, found)
        self._sums.write(self._database)
        return Written(
            records=len(records) - again - sum(skipped.values()), again=again, skipped=skipped, times_off=off
        )

    def _outcomes(self, records: Iterable[ReadRecord]) -> int:
        """Take outcomes in; how many have times that cannot be."""
        rows, told, off = list[RequestRow](), list[tuple[Any, ...]](), 0
        for record in records:
            source, outcome = record.source, record.value
            if not isinstance(outcome, Outcome):  # a tombstone
                continue
            row = request_row(outcome, source.timestamp_ms, source.partition, source.offset, self._names)
            rows.append(row)
            off += bool(row.flags & TIMES_OFF)
            told += [
                (
                    row.id,
                    packed_id(attempt.attempt_id),
                    attempt.started_at or row.at,
                    self._names.number(Kind.CODE, attempt.outcome),
                    attempt.first_token_ms,
                )
                for attempt in outcome.attempts
                if attempt.first_token_ms is not None or attempt.outcome != "ok"
            ]
        there = {
            found[0]: RequestRow._make(found)
            for found in self._there(f"SELECT {', '.join(schema.REQUEST)} FROM requests WHERE id", rows)
        }
        changed: dict[Packed, RequestRow] = {}
        for row in rows:
            before = changed.get(row.id) or there.get(row.id)
            if before is not None:
                if (before.seen_part, before.seen_place) == (row.seen_part, row.seen_place):
                    continue
                newer, older = (row, before) if row.newest > before.newest else (before, row)
                changed[row.id] = newer._replace(seen=before.seen + 1)
                if newer is row:
                    self._sums.request(older, -1)
                    self._sums.request(newer, 1)
            else:
                changed[row.id] = row
                self._sums.request(row, 1)
        self._database.executemany(_UPSERT_REQUEST, changed.values())
        self._database.executemany(_TOLD_CALL, told)
        return off

    def _usage(self, records: Iterable[ReadRecord]) -> None:
        first: dict[tuple[str, str], int] = {}
        last: dict[tuple[str, str], tuple[int, UsageEvent]] = {}
        for record in records:
            entry = record.value
            if isinstance(entry, UsageEvent) and plausible(entry):
                of = entry.request_id, entry.attempt_id
                phase = phase_of(entry.status)
                if of not in last:
                    first[of] = booked_for(entry, record.source.timestamp_ms)
                if of not in last or phase > last[of][0]:
                    last[of] = phase, entry
        rows = [call_row(entry, phase, first[of], self._names) for of, (phase, entry) in last.items()]
        there = {
            (found[0], found[1]): CallRow._make(found)
            for found in self._there(f"SELECT {', '.join(schema.CALL)} FROM calls WHERE phase > 0 AND request", rows)
        }
        changed = []
        for row in rows:
            before = there.get((row.request, row.attempt))
            if before is not None:
                if row.phase <= before.phase:
                    continue
                self._sums.call(before, -1)
                row = row._replace(at=before.at)  # booked for when its first entry says, as the stage cost does
            changed.append(row)
            self._sums.call(row, 1)
        self._database.executemany(_UPSERT_CALL, changed)

    def _there(self, select: str, rows: Sequence[RequestRow] | Sequence[CallRow]) -> Iterator[tuple[Any, ...]]:
        """Rows that are in the file already, of the requests of ``rows``."""
        ids = list({row[0] for row in rows})
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            yield from self._database.execute(f"{select} IN ({', '.join('?' * len(some))})", some)
