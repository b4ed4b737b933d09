"""What was read is written, or waits; what cannot be written by anybody is skipped, and nothing else with it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from forebay.avro.registry import RegistryUnavailableError
from forebay.contract.topics import DAY_MS
from forebay.history.sqlite.opening import SecondWriterError, UnwritableError, open_for_writing
from forebay.history.sqlite.writing import SqliteWriter
from forebay.history.store import Place, Position
from forebay.kafka.decoding import ReadRecord
from forebay.recorder.loop import Loop
from forebay.recorder.metrics import RecorderMetrics
from forebay.recorder.source import Batch
from tests.unit.history.kept import NOW, Topics, content
from tests.unit.history.test_writing import outcome


class Given:
    """A source that gives batches one by one, from where the store is."""

    def __init__(
        self, batches: Sequence[list[ReadRecord]], positions: Mapping[Place, Position], then: Callable[[], None]
    ):
        self._batches = [
            left for batch in batches if (left := [one for one in batch if one.source.offset >= _next(positions, one)])
        ]
        self._then = then
        self.committed: dict[Place, Position] = {}
        self.fails: list[Exception] = []
        self.closed = False

    def read(self, most: int, seconds: float) -> Batch:
        if not self._batches:
            self._then()
            return Batch([], {})
        batch = self._batches.pop(0)
        ends = {(one.source.topic, one.source.partition): Position(next=one.source.offset + 1) for one in batch}
        return Batch(batch, ends)

    def decoded(self, batch: Batch) -> list[ReadRecord]:
        if self.fails:
            raise self.fails.pop()
        return list(batch.messages)

    def commit(self, positions: Mapping[Place, Position]) -> None:
        self.committed |= positions

    def lag(self) -> dict[Place, tuple[int, float]]:
        return {("outcomes", 0): (0, 0.0)}

    def at_end(self, *topics: str) -> bool:
        return True

    def take_grown(self) -> None: ...

    def close(self) -> None:
        self.closed = True


def _next(positions: Mapping[Place, Position], one: ReadRecord) -> int:
    known = positions.get((one.source.topic, one.source.partition))
    return 0 if known is None else known.next


class Bench:
    """A recorder with batches that are given, until they are written."""

    def __init__(self, path: Path, batches: Sequence[list[ReadRecord]]) -> None:
        self.path, self.batches = path, batches
        self.metrics = RecorderMetrics(CollectorRegistry())
        self.sources: list[Given] = []
        self.fails: list[Exception] = []
        self.refuse: list[Exception] = []
        self.stores: list[SqliteWriter] = []
        self.seen: list[dict[str, str]] = []
        self.loop = Loop(self.store, self.source, self.metrics, keep_ms=30 * DAY_MS, clock=lambda: NOW)

    def store(self, because: str) -> SqliteWriter:
        self.seen.append(dict(self.loop.problems))
        if self.refuse:
            raise self.refuse.pop()
        self.stores.append(SqliteWriter(open_for_writing(self.path, because), days=30, max_bytes=1 << 40))
        return self.stores[-1]

    def source(self, positions: Mapping[Place, Position]) -> Given:
        self.sources.append(Given(self.batches, positions, self.loop.stop))
        self.sources[-1].fails = self.fails
        return self.sources[-1]

    def run(self) -> "Bench":
        self.loop.run()
        return self

    def count(self, name: str, **labels: str) -> float:
        metric: Any = getattr(self.metrics, name)
        found: float = (metric.labels(**labels) if labels else metric)._value.get()
        return found


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forebay.recorder.loop._SHORTEST_S", 0.001)
    monkeypatch.setattr("forebay.recorder.loop._LONGEST_S", 0.002)
    monkeypatch.setattr("forebay.recorder.loop._TELL_S", 0.0)


def records(count: int, **changed: object) -> list[ReadRecord]:
    topics = Topics()
    return [topics.record("outcomes", outcome(request_id=f"r-{number}", **changed)) for number in range(count)]


def test_batches_are_written_with_where_to_read_on_and_told_to_the_brokers(tmp_path: Path) -> None:
    path, all_of_them = tmp_path / "history.db", records(6)
    bench = Bench(path, [all_of_them[:4], all_of_them[4:]]).run()
    assert len(content(path)["requests"]) == 6
    assert bench.sources[0].committed == {("outcomes", 0): Position(next=6)}
    assert bench.sources[0].closed
    again = Bench(path, [all_of_them]).run()
    assert len(content(path)["requests"]) == 6
    assert again.sources[0].committed == {}


def test_a_record_that_cannot_be_written_is_skipped_alone_and_said(tmp_path: Path) -> None:
    path, batch = tmp_path / "history.db", records(7)
    odd = Topics().record("outcomes", outcome(request_id="odd", cost_nanousd=1 << 70))
    place = batch[3].source
    batch[3] = ReadRecord(source=place, value=odd.value, error=None)
    bench = Bench(path, [batch]).run()
    assert {row[0] for row in content(path)["requests"]} == {f"r-{number}" for number in (0, 1, 2, 4, 5, 6)}
    assert bench.count("skipped", topic="outcomes", reason="unusable") == 1
    assert "unusable:outcomes" in bench.loop.warnings
    assert bench.stores[0].positions() == {("outcomes", 0): Position(next=7)}


@pytest.mark.parametrize("error", [RegistryUnavailableError("away"), UnwritableError("disk_full", Path("x"))])
def test_what_passes_is_waited_for_and_nothing_is_lost(tmp_path: Path, error: Exception) -> None:
    bench = Bench(tmp_path / "history.db", [records(3)])
    bench.fails = [error, error, error]
    bench.run()
    assert len(content(tmp_path / "history.db")["requests"]) == 3
    assert bench.loop.problems == {}


def test_a_second_recorder_waits_and_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "history.db", [records(3)])
    bench.refuse = [SecondWriterError("another recorder writes it")]
    bench.run()
    assert bench.seen[1] == {"second_recorder": "another recorder writes it"}
    assert len(content(tmp_path / "history.db")["requests"]) == 3


def test_a_file_that_is_emptied_is_made_anew_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forebay.recorder.loop._LOOK_S", 0.0)
    path, all_of_them = tmp_path / "history.db", records(5)
    Bench(path, [all_of_them[:3]]).run()
    bench = Bench(path, [all_of_them])
    opened = bench.store

    def emptying(because: str) -> SqliteWriter:
        store = opened(because)
        if len(bench.stores) == 1:
            path.write_bytes(b"")
        return store

    bench.loop._open_store = emptying
    bench.run()
    assert len(content(path)["requests"]) == 5
    assert bench.count("made_anew") == 1
    assert "history_made_anew" in bench.loop.warnings
