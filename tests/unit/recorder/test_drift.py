"""What the history adds up by itself is what spend says, or it is said by how much it is not."""

from pathlib import Path

import pytest

from forebay.contract.topics import DAY_MS, HOUR_MS
from forebay.history.sqlite.writing import SqliteWriter
from forebay.recorder.drift import Comparison, apart
from loadtest.history.command import ends
from loadtest.history.made import made
from tests.unit.history.kept import NOW, writer

OVER = NOW + 2 * HOUR_MS


def filled(to: SqliteWriter) -> None:
    records = list(made(600, NOW, days=1, seed=4, users=20))
    to.write(records, ends(records))


def compare(to: SqliteWriter) -> Comparison:
    return Comparison(to.database, since_ms=NOW - 2 * DAY_MS, keep_ms=30 * DAY_MS)


def test_what_agrees_is_no_drift(tmp_path: Path) -> None:
    with writer(tmp_path / "history.db") as to:
        filled(to)
        assert apart(to.database, 0, OVER) == {}
        assert compare(to).look(OVER, read=True) == 0.0


@pytest.mark.parametrize(
    ("spoil", "dollars"),
    [
        ("UPDATE spend SET cost = cost + 5000000 WHERE rowid_of", 0.005),
        ("DELETE FROM call_sums", None),
        ("DELETE FROM spend", None),
    ],
)
def test_what_differs_by_the_same_twice_is_told(tmp_path: Path, spoil: str, dollars: float | None) -> None:
    with writer(tmp_path / "history.db") as to:
        filled(to)
        one = (
            "(span, at, tenant, user, model, tier, purpose) = (SELECT span, at, tenant, user, model, tier, purpose "
            "FROM spend WHERE span = 'hour' LIMIT 1)"
        )
        to.database.execute(spoil.replace("rowid_of", one))
        comparison = compare(to)
        assert comparison.look(OVER, read=True) is None
        assert comparison.look(OVER + 1, read=True) is None  # not yet time for the second look
        found = comparison.look(OVER + 60_000, read=True)
        whole = to.database.execute("SELECT sum(cost) FROM calls WHERE phase = 3").fetchone()[0] / 1e9
        assert found == pytest.approx(whole if dollars is None else dollars)


def test_what_is_different_at_the_second_look_is_none(tmp_path: Path) -> None:
    with writer(tmp_path / "history.db") as to:
        filled(to)
        to.database.execute("UPDATE spend SET cost = cost + 7 WHERE span = 'hour'")
        comparison = compare(to)
        assert comparison.look(OVER, read=True) is None
        to.database.execute("UPDATE spend SET cost = cost + 7 WHERE span = 'hour'")
        assert comparison.look(OVER + 60_000, read=True) == 0.0


def test_nothing_is_said_while_topics_are_not_read_to_their_ends(tmp_path: Path) -> None:
    with writer(tmp_path / "history.db") as to:
        filled(to)
        to.database.execute("DELETE FROM spend")
        assert compare(to).look(OVER, read=False) is None


def test_hours_of_before_the_history_began_are_left_out(tmp_path: Path) -> None:
    with writer(tmp_path / "history.db") as to:
        filled(to)
        to.database.execute("DELETE FROM spend")
        assert apart(to.database, NOW + 1, OVER) == {}
