"""What a test of the history needs: a file, records in their places, and all that is in the file."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forebay.contract.wire import Delivered
from forebay.history.sqlite.opening import open_for_writing
from forebay.history.sqlite.writing import SqliteWriter
from forebay.history.store import Place, Position, Written
from forebay.kafka.decoding import ReadRecord

NOW = 1_796_000_000_000
TABLES = (
    *("requests", "calls", "sums", "stage_sums", "call_sums", "spend", "evaluations", "alerts", "letters", "audit"),
    "corrections",
)


@contextmanager
def writer(path: Path, *, days: int = 30, max_bytes: int = 1 << 40) -> Iterator[SqliteWriter]:
    """The writer of the file."""
    found = SqliteWriter(open_for_writing(path), days=days, max_bytes=max_bytes)
    try:
        yield found
    finally:
        found.close()


class Topics:
    """Gives records their offsets."""

    def __init__(self) -> None:
        self.ends: dict[Place, int] = {}

    def record(self, topic: str, value: Any, *, at: int = NOW, partition: int = 0, **headers: str) -> ReadRecord:
        """The next record of a topic; ``headers`` with _ for -."""
        offset = self.ends.get((topic, partition), 0)
        self.ends[topic, partition] = offset + 1
        source = Delivered(
            topic=topic,
            partition=partition,
            offset=offset,
            key=b"",
            value=value if isinstance(value, bytes) else b"",
            headers={name.replace("_", "-"): text.encode() for name, text in headers.items()},
            timestamp_ms=at,
        )
        return ReadRecord(source=source, value=value, error=None)


def write(to: SqliteWriter, records: Sequence[ReadRecord], *, moved: bool = True) -> Written:
    """Write a batch; ``moved``: with where to read on."""
    ends = {(one.source.topic, one.source.partition): Position(next=one.source.offset + 1) for one in records}
    return to.write(records, ends if moved else {})


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, with names in place of their numbers: two files are equal if they say the same."""
    database = sqlite3.connect(path)
    names: dict[int, str] = dict(database.execute("SELECT number, name FROM names"))
    found = {}
    for table in TABLES:
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        named = {
            *("tenant", "user", "key", "task", "status", "error", "source", "tier", "model", "deployment", "cache"),
            *("purpose", "price", "stage", "code", "class", "topic", "kind", "severity", "action", "by", "reviewer"),
            *("judge", "rubric", "outcome", "state"),
        } - ({"action", "state"} if table == "alerts" else set())
        rows = [
            tuple(
                names.get(value, value)
                if column in named and isinstance(value, int) and value
                else _said(column, value)
                for column, value in zip(columns, row, strict=True)
            )
            for row in database.execute(f"SELECT * FROM {table}")
        ]
        found[table] = sorted(rows, key=repr)
    database.close()
    return found


def _said(column: str, value: Any) -> Any:
    """Hops and redactions hold numbers of names, which depend on the order in which names came."""
    return value if column not in ("spans", "redactions") or value is None else len(value) > 0
