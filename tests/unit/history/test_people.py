"""A person's rows go, the sums stay, and the recorder goes on with the right names."""

from pathlib import Path

import pytest

from forebay.contract.records import Evaluation, UsageEvent
from forebay.history.sqlite.people import erased, rows_of
from forebay.history.sqlite.reading import SqliteReader
from forebay.history.store import HistoryError
from forebay.operations.people.history_place import HistoryPlace
from forebay.operations.people.person import Person
from forebay.privacy.people.names import Names
from tests.unit.history.kept import Topics, content, write, writer
from tests.unit.history.test_writing import outcome

NAMES = Names(b"k" * 32)
ADA, BEN = NAMES.user("acme", "ada@example.com"), NAMES.user("acme", "ben@example.com")


def of(user: str, name: str, topics: Topics, tenant: str = "acme"):  # type: ignore[no-untyped-def]  # records
    return [
        topics.record("outcomes", outcome(request_id=name, user_id=user, tenant_id=tenant)),
        topics.record("usage", UsageEvent(attempt_id=name, request_id=name, tenant_id=tenant, user_id=user)),
        topics.record("usage", UsageEvent(attempt_id=name, request_id=f"{name}-open", tenant_id=tenant, user_id=user)),
        topics.record("evaluations", Evaluation(request_id=name)),
        topics.record("dlq", b"x", forebay_dlq_request_id=name),
    ]


async def test_an_erasure_takes_a_persons_rows_and_nobody_elses(tmp_path: Path) -> None:
    path, topics = tmp_path / "history.db", Topics()
    with writer(path) as to:
        for number in range(450):
            write(to, of(ADA, f"a-{number}", topics))
        write(to, [*of(BEN, "b", topics), *of(ADA, "c", topics, tenant="globex")])
        place, person = HistoryPlace(path), Person(tenant_id="acme", given="ada@example.com", names=NAMES)
        assert len(await place.told(person)) == 450
        assert (await place.erase(person)).removed == 450
        assert (await place.erase(person)).removed == 0
        assert await place.told(person) == []
        write(to, of(ADA, "again", topics))
    found = content(path)
    assert sorted(row[0] for row in found["requests"]) == ["again", "b", "c"]
    assert {len(found[table]) for table in ("evaluations", "letters")} == {3}
    assert len(found["calls"]) == 6
    with SqliteReader(path) as reader:
        story = reader.story("again")
        assert story is not None
        assert story.request.user_id == ADA
        assert sum(point.n for point in reader.points(0, 1 << 50)) == 453


async def test_where_there_is_no_history_nothing_is_found(tmp_path: Path) -> None:
    place = HistoryPlace(tmp_path / "none.db")
    person = Person(tenant_id="acme", given="ada@example.com", names=NAMES)
    assert not (await place.erase(person)).known
    assert await place.told(person) == []


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(b"no database" * 100)
    for ask in (erased, rows_of):
        with pytest.raises(HistoryError, match="cannot be read"):
            ask(path, "acme", [ADA])
