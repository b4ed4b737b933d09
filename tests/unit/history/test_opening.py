"""One writes; what cannot be used is moved aside and made anew, and nobody who only reads changes anything."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from forebay.history.sqlite.opening import (
    BrokenError,
    SecondWriterError,
    UnwritableError,
    open_for_reading,
    open_for_writing,
)
from forebay.history.store import HistoryError
from tests.unit.history.kept import Topics, write, writer
from tests.unit.history.test_writing import outcome


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "history.db"


def filled(path: Path) -> None:
    topics = Topics()
    with writer(path) as to:
        for number in range(300):
            write(to, [topics.record("outcomes", outcome(request_id=f"r-{number}"))])


def test_a_new_file_is_its_owners_alone(path: Path) -> None:
    with writer(path) as to:
        assert to.said == ""
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_second_writer_is_refused_until_the_first_is_gone(path: Path) -> None:
    with writer(path), pytest.raises(SecondWriterError, match="another recorder"):
        open_for_writing(path)
    open_for_writing(path).close()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def of_a_newer_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")


def no_database(path: Path) -> None:
    path.write_bytes(b"SELECT * FROM letters;" * 500)


def cut(path: Path) -> None:
    os.truncate(path, 6_000)


def without_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE positions")


@pytest.mark.parametrize("spoil", [emptied, of_a_newer_version, no_database, cut, without_tables])
def test_what_cannot_be_used_is_moved_aside_and_said(path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    filled(path)
    spoil(path)
    size = path.stat().st_size
    with writer(path) as to:
        assert to.said
        assert to.positions() == {}
    assert Path(f"{path}.aside").stat().st_size == size
    with writer(path) as to:
        assert to.said == ""


def test_a_file_that_breaks_while_it_is_written_says_so(path: Path) -> None:
    filled(path)
    topics = Topics()
    with writer(path) as to:
        content = path.read_bytes()
        with path.open("r+b") as file:
            file.seek(4_096)
            file.write(b"\xff" * (len(content) - 4_096))
        more = [topics.record("outcomes", outcome(request_id=f"n-{number}"), partition=1) for number in range(3_000)]
        with pytest.raises(BrokenError):
            write(to, more)


def test_a_file_that_is_gone_or_emptied_is_noticed(path: Path) -> None:
    with closing(open_for_writing(path)) as opened:
        assert opened.there
        path.rename(f"{path}.elsewhere")
        assert not opened.there
        path.write_bytes(b"")
        assert not opened.there


def test_a_file_that_somebody_locks_is_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forebay.history.sqlite.opening.BUSY_MS", 10)
    topics = Topics()
    with writer(path) as to:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        record = topics.record("outcomes", outcome())
        with pytest.raises(UnwritableError) as refused:
            write(to, [record])
        assert refused.value.code == "locked"
        other.execute("ROLLBACK")
        other.close()
        assert write(to, [record]).records == 1


def test_a_disk_that_is_full_loses_nothing(path: Path) -> None:
    topics = Topics()
    with writer(path) as to:
        pages = to._database.execute("PRAGMA page_count").fetchone()[0]
        to._database.execute(f"PRAGMA max_page_count = {pages + 1}")
        records = [topics.record("outcomes", outcome(request_id=f"r-{number}" * 40)) for number in range(500)]
        with pytest.raises(UnwritableError) as refused:
            write(to, records)
        assert refused.value.code == "disk_full"
        assert to.positions() == {}
        to._database.execute("PRAGMA max_page_count = 100000")
        assert write(to, records).records == 500
        assert to._database.execute("SELECT sum(n) FROM sums WHERE span = 60").fetchone() == (500,)


def test_readers_are_told_what_is_missing(path: Path) -> None:
    with pytest.raises(HistoryError, match="there is no history"):
        open_for_reading(path)
    filled(path)
    of_a_newer_version(path)
    with pytest.raises(HistoryError, match="version 99"):
        open_for_reading(path)


def test_a_reader_cannot_write(path: Path) -> None:
    filled(path)
    with closing(open_for_reading(path)) as database, pytest.raises(sqlite3.OperationalError, match="readonly"):
        database.execute("DELETE FROM requests")
