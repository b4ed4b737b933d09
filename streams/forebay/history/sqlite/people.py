"""What is in the file of one person, and how does it go? By another connection than the recorder's, a little at a time.

Rows go; sums hold nobody and stay. The name goes last, so that an erasure that was interrupted can be repeated; the
recorder sees that somebody else has changed the file, and forgets which number the name had.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from forebay.history.packing import unpacked_id
from forebay.history.sqlite.names import USERS, Kind, Names
from forebay.history.sqlite.opening import open_for_reading, refused
from forebay.history.store import HistoryError

_AT_ONCE = 200
_PATIENCE_S = 30.0
_OF_REQUESTS = ("calls", "evaluations", "corrections", "letters")


def erased(path: Path, tenant_id: str, names: Sequence[str]) -> int:
    """Remove all rows of a user of a tenant who may be called each of ``names``; how many requests that were.

    Raises:
        HistoryError: the file cannot be written, or is not of this version.
    """
    open_for_reading(path).close()  # of the right version
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_S)) as database:
            removed = 0
            for number in _numbers(database, tenant_id, names):
                removed += _rows(database, number)
                database.execute("DELETE FROM names WHERE number = ?", (number,))
            return removed
    except sqlite3.Error as error:
        raise refused(error, path) from None


def rows_of(path: Path, tenant_id: str, names: Sequence[str]) -> list[Mapping[str, Any]]:
    """Which requests there are of him. Raises :class:`HistoryError`."""
    try:
        with closing(open_for_reading(path)) as database:
            return [
                {"request_id": unpacked_id(request), "at": at}
                for number in _numbers(database, tenant_id, names)
                for request, at in database.execute("SELECT id, at FROM requests WHERE user = ? ORDER BY at", (number,))
            ]
    except sqlite3.Error as error:
        raise HistoryError(f"the history cannot be read: {error}") from None


def _numbers(database: sqlite3.Connection, tenant_id: str, names: Sequence[str]) -> list[int]:
    known = Names(database)
    tenant = known.known(Kind.TENANT, tenant_id)
    if tenant is None:
        return []
    return [number for name in names if (number := known.known(USERS + tenant, name)) is not None]


def _rows(database: sqlite3.Connection, user: int) -> int:
    """Remove a user's rows, some at a time: the recorder gets its turn in between."""
    removed = 0
    while True:
        database.execute("BEGIN IMMEDIATE")
        found = database.execute("SELECT rowid, id FROM requests WHERE user = ? LIMIT ?", (user, _AT_ONCE)).fetchall()
        for table in _OF_REQUESTS:
            database.executemany(f"DELETE FROM {table} WHERE request = ?", [(row[1],) for row in found])
        database.executemany("DELETE FROM requests WHERE rowid = ?", [(row[0],) for row in found])
        if not found:
            database.execute("DELETE FROM calls WHERE user = ?", (user,))  # of requests that had no outcome yet
        database.execute("COMMIT")
        removed += len(found)
        if not found:
            return removed
        time.sleep(0.001)
