"""How is the file opened? By one writer, and by readers that cannot change it.

What cannot be read, is empty or was written by another version is moved aside (``history.db.aside``, the last one only)
and made anew from the topics: it holds nothing that they do not have, as far back as they are kept.
"""

import fcntl
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from forebay.history.sqlite import schema
from forebay.history.store import HistoryError

BUSY_MS = 2_000
_CACHE_KB = 16_384
_BESIDE = ("-wal", "-shm")
_LOG_BYTES = 64 << 20

_CODES = {sqlite3.SQLITE_FULL: "disk_full", sqlite3.SQLITE_BUSY: "locked", sqlite3.SQLITE_LOCKED: "locked"}
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_SHORT_READ}
_WORDS = {
    "disk_full": "the disk is full; what is read waits in the topics until there is room",
    "locked": "another process has the file locked; what is read waits in the topics until it is free",
    "unwritable": "the file cannot be written; see its rights and its disk",
}


class UnwritableError(HistoryError):
    """Nothing can be written now; ``code`` is ``disk_full``, ``locked`` or ``unwritable``."""

    def __init__(self, code: str, path: Path) -> None:
        super().__init__(f"{path}: {_WORDS[code]}")
        self.code = code


class SecondWriterError(HistoryError):
    """Another recorder has the file."""


class BrokenError(HistoryError):
    """The file cannot be read: it wants to be moved aside."""


def refused(error: sqlite3.Error, path: Path) -> HistoryError:
    """What an error of the library means."""
    code = getattr(error, "sqlite_errorcode", None) or 0
    primary = code & 0xFF
    if code in _BROKEN or primary in _BROKEN or "no such table" in str(error):
        return BrokenError(f"{path} cannot be read: {error}")
    return UnwritableError(_CODES.get(primary, "unwritable"), path)


@dataclass(kw_only=True)
class Opened:
    """The file, open for its only writer; ``said``: why it was made anew, empty where it was not."""

    database: sqlite3.Connection
    path: Path
    said: str
    lock: IO[bytes]
    inode: int

    @property
    def there(self) -> bool:
        """Whether what the path names is still this file, with something in it."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return found.st_ino == self.inode and found.st_size > 0

    def close(self) -> None:
        """Close the file, and let another writer have it."""
        self.database.close()
        self.lock.close()


def open_for_writing(path: Path, because: str = "") -> Opened:
    """Open the file as its only writer, made anew where it cannot be used.

    Args:
        because: why the file is to be moved aside, whatever is in it.

    Raises:
        SecondWriterError: another process has it.
        UnwritableError: it cannot be opened or made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = Path(f"{path}.lock").open("ab")  # noqa: SIM115 - held for as long as the file is
    except OSError:
        raise UnwritableError("unwritable", path) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SecondWriterError(f"another recorder writes {path}") from None
        said = because or _unusable(path)
        if said:
            _move_aside(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        try:
            database = _made(path)
        except sqlite3.DatabaseError as error:
            if not isinstance(refused(error, path), BrokenError):
                raise
            said = f"it cannot be read: {error}"
            _move_aside(path)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            database = _made(path)
        return Opened(database=database, path=path, said=said, lock=lock, inode=path.stat().st_ino)
    except sqlite3.Error as error:
        lock.close()
        raise refused(error, path) from None
    except OSError:
        lock.close()
        raise UnwritableError("unwritable", path) from None
    except BaseException:
        lock.close()
        raise


def open_for_reading(path: Path) -> sqlite3.Connection:
    """The file for someone who only reads. Raises :class:`HistoryError`: it is not there, or of another version."""
    if not path.exists():
        raise HistoryError(f"there is no history at {path}: the worker `recorder` makes it (history.path)")
    database: sqlite3.Connection | None = None
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        database.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        tables = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'requests'").fetchone()[0]
    except sqlite3.Error as error:
        if database is not None:
            database.close()
        raise HistoryError(f"the history at {path} cannot be read: {error}") from None
    if version != schema.VERSION or not tables:
        database.close()
        raise HistoryError(f"the history at {path} is of version {version}; this Forebay reads {schema.VERSION}")
    return database


def _unusable(path: Path) -> str:
    """Why the file is moved aside; empty: it is not there, or can be used."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return ""
    if size == 0:
        return "it was empty"
    database = sqlite3.connect(path, isolation_level=None)
    try:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        database.execute("SELECT count(*) FROM positions")
    except sqlite3.DatabaseError as error:
        if (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN):
            raise
        return f"it cannot be read: {error}"
    else:
        return "" if version == schema.VERSION and tables else f"it is of version {version}, not {schema.VERSION}"
    finally:
        database.close()


def _made(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection) -> None:
    for line in (
        f"busy_timeout = {BUSY_MS}",
        "journal_mode = WAL",
        "synchronous = NORMAL",  # a crash of the machine may lose the last batches, with their offsets: read again
        f"cache_size = -{_CACHE_KB}",
        "temp_store = MEMORY",
        f"journal_size_limit = {_LOG_BYTES}",
    ):
        database.execute(f"PRAGMA {line}")
    if database.execute("PRAGMA user_version").fetchone()[0] != schema.VERSION:
        database.execute("BEGIN IMMEDIATE")
        for table in schema.TABLES:
            database.execute(table)
        database.execute(f"PRAGMA user_version = {schema.VERSION}")
        database.execute("COMMIT")


def _move_aside(path: Path) -> None:
    path.replace(f"{path}.aside") if path.exists() else None
    for ending in _BESIDE:
        Path(f"{path}{ending}").unlink(missing_ok=True)
