"""How does the recorder go on, whatever happens? What was read is written, or waits; what nobody can write is skipped.

A batch is written with where to read on, so a recorder that is killed goes on where its store is. While the store
takes nothing (locked, disk full) or a schema cannot be asked for, the batch waits, and ``/readyz`` says why. A store
that breaks is moved aside, and the topics are read again as far as they are kept. Nothing waits for any of it.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from forebay.avro.registry import RegistryUnavailableError
from forebay.contract.clock import Clock, elapsed_s, now_ms
from forebay.history.sqlite.opening import BrokenError, SecondWriterError
from forebay.history.sqlite.writing import SqliteWriter
from forebay.history.store import HistoryError, Place, Position
from forebay.kafka.decoding import ReadRecord
from forebay.kafka.queries import broker_errors
from forebay.observability.metrics import METRICS as ALL
from forebay.observability.metrics import StageMetrics
from forebay.recorder.drift import Comparison
from forebay.recorder.metrics import RecorderMetrics
from forebay.recorder.source import NAME, Batch

MOST = 5_000
WAIT_S = 0.2
"""A batch is so many records, or what comes in so long."""
_SHORTEST_S, _LONGEST_S = 0.5, 10.0
"""Between two tries to write what could not be written."""
_TELL_S, _LOOK_S = 1.0, 5.0
_PRUNE_EVERY_S = 1.0

log = structlog.get_logger(__name__)


class Source(Protocol):
    """The part of :class:`forebay.recorder.source.TopicSource` that is needed here."""

    def read(self, most: int, seconds: float) -> Batch: ...

    def decoded(self, batch: Batch) -> list[ReadRecord]: ...

    def commit(self, positions: Mapping[Place, Position]) -> None: ...

    def lag(self) -> dict[Place, tuple[int, float]]: ...

    def at_end(self, *topics: str) -> bool: ...

    def take_grown(self) -> None: ...

    def close(self) -> None: ...


class Loop:
    """Reads and writes until told to stop; on a thread of its own.

    Args:
        open_store: opens the store as its only writer; with a reason: made anew.
        open_source: opens the topics where a store's positions say.
        keep_ms: how long the store keeps what it has.
    """

    def __init__(
        self,
        open_store: Callable[[str], SqliteWriter],
        open_source: Callable[[Mapping[Place, Position]], Source],
        metrics: RecorderMetrics,
        *,
        keep_ms: int,
        clock: Clock = now_ms,
    ) -> None:
        self._open_store, self._open_source = open_store, open_source
        self._metrics, self._keep_ms, self._clock = metrics, keep_ms, clock
        self._stage = StageMetrics(NAME)
        self._stopping = threading.Event()
        self.problems: dict[str, str] = {}
        self.warnings: dict[str, str] = {}
        self.lag: dict[str, tuple[int, float]] = {}
        """Topic to records that were not read and to seconds since the oldest was written, as last looked at."""
        self.started = False
        self.grown = False
        """Whether there are partitions that are not read."""

    def stop(self) -> None:
        """Have :meth:`run` come back after what it is doing."""
        self._stopping.set()

    def run(self) -> None:
        """Go on until told to stop. Raises :class:`ConfigurationError`: the brokers refuse who asks."""
        because = ""
        while not self._stopping.is_set():
            try:
                store = self._open_store(because)
            except HistoryError as error:
                self._cannot("second_recorder" if isinstance(error, SecondWriterError) else _code(error), error)
                self._stopping.wait(_LONGEST_S / 5)
                continue
            because = ""
            try:
                if store.said:
                    self._metrics.made_anew.inc()
                    self.warnings["history_made_anew"] = f"{store.said}; what was there is beside it as .aside"
                    log.error("history_made_anew", reason=store.said)
                self._with_store(store)
            except BrokenError as error:
                because = str(error)
            except (HistoryError, sqlite3.Error) as error:
                self._cannot(_code(error), error)
                self._stopping.wait(_SHORTEST_S)
            finally:
                store.close()

    def _with_store(self, store: SqliteWriter) -> None:
        since = store.since(self._clock() - self._keep_ms)
        comparison = Comparison(store.database, since_ms=since, keep_ms=self._keep_ms)
        source: Source | None = None
        while source is None and not self._stopping.is_set():
            try:
                source = self._open_source(store.positions())
            except broker_errors() as error:
                self._cannot("no_broker", error)
                self._stopping.wait(_SHORTEST_S)
        if source is None:
            return
        self.problems.clear()
        self.started = True
        log.info("worker_ready")
        told_s = pruned_s = looked_s = 0.0
        behind: dict[Place, Position] = {}
        try:
            while not self._stopping.is_set():
                behind |= self._step(source, store)
                now_s = elapsed_s()
                if behind and now_s - told_s >= _TELL_S:
                    source.commit(behind)
                    behind, told_s = {}, now_s
                if now_s - pruned_s >= _PRUNE_EVERY_S and not self._prune(store):
                    pruned_s = now_s
                if now_s - looked_s >= _LOOK_S:
                    looked_s = now_s
                    self._look(source, store, comparison)
            if behind:
                source.commit(behind)
        finally:
            source.close()

    def _step(self, source: Source, store: SqliteWriter) -> Mapping[Place, Position]:
        """One batch; where it ends, once it is written."""
        batch = source.read(MOST, WAIT_S)
        if not batch.positions:
            return {}
        began, wait_s = time.perf_counter(), _SHORTEST_S
        while True:
            try:
                self._write(store, source.decoded(batch), batch.positions)
            except (HistoryError, RegistryUnavailableError) as error:
                if isinstance(error, BrokenError):
                    raise
                self._cannot(_code(error), error)
                if not store.there:
                    raise BrokenError("the file is gone, or was emptied") from None
                if self._stopping.wait(wait_s):
                    return {}
                wait_s = min(2 * wait_s, _LONGEST_S)
            else:
                self.problems.clear()
                self._metrics.batch.observe(time.perf_counter() - began)
                return batch.positions

    def _write(self, store: SqliteWriter, records: Sequence[ReadRecord], positions: Mapping[Place, Position]) -> None:
        try:
            written = store.write(records, positions)
        except HistoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one record that nobody has thought of must not stop all others
            self._one_by_one(store, records, error)
            store.write((), positions)
            return
        for topic, count in (written.skipped or {}).items():
            self._skip(topic, "undecodable", count)
        self._metrics.times_off.inc(written.times_off)
        counts: dict[str, int] = {}
        for record in records:
            counts[record.source.topic] = counts.get(record.source.topic, 0) + 1
        for topic, count in counts.items():
            ALL.records_in.labels(NAME, topic).inc(count)

    def _one_by_one(self, store: SqliteWriter, records: Sequence[ReadRecord], error: Exception) -> None:
        """Halve until what cannot be written is alone."""
        if len(records) <= 1:
            for record in records:
                at = record.source
                why = type(error).__name__
                log.warning("record_not_kept", topic=at.topic, partition=at.partition, offset=at.offset, error=why)
                self._skip(at.topic, "unusable", 1)
            return
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            ends = {(one.source.topic, one.source.partition): Position(next=one.source.offset + 1) for one in half}
            try:
                store.write(half, ends)
            except HistoryError:
                raise
            except Exception as again:  # noqa: BLE001 - as above
                self._one_by_one(store, half, again)

    def _skip(self, topic: str, reason: str, count: int) -> None:
        self._metrics.skipped.labels(topic, reason).inc(count)
        self.warnings[f"{reason}:{topic}"] = f"records of {topic} are not in the history: they are {reason}"

    def _prune(self, store: SqliteWriter) -> bool:
        """Remove a little; whether there is more."""
        began = time.perf_counter()
        try:
            more = store.prune(self._clock())
        except HistoryError as error:
            if isinstance(error, BrokenError):
                raise
            self._cannot(_code(error), error)
            return False
        self._metrics.prune.observe(time.perf_counter() - began)
        return more

    def _look(self, source: Source, store: SqliteWriter, comparison: Comparison) -> None:
        if not store.there:
            raise BrokenError("the file is gone, or was emptied")
        if self.grown:
            try:
                source.take_grown()
                self.grown = False
            except broker_errors() as error:
                self._cannot("no_broker", error)
        lag: dict[str, tuple[int, float]] = {}
        for (topic, partition), (records, seconds) in source.lag().items():
            self._stage.lag(topic, partition, records, seconds)
            before = lag.get(topic, (0, 0.0))
            lag[topic] = before[0] + records, max(before[1], seconds)
        self.lag = lag
        self._metrics.size.set(store.size)
        drift = comparison.look(self._clock(), read=source.at_end("usage", "spend"))
        if drift is not None:
            self._metrics.ledger_drift.set(drift)
            if drift:
                log.error("ledger_drift", value=drift)

    def _cannot(self, code: str, error: Exception) -> None:
        if code not in self.problems:
            log.warning("recorder_waits", code=code, message=str(error))
        self.problems[code] = str(error)


def _code(error: Exception) -> str:
    return getattr(error, "code", "") or (
        "registry_unavailable" if isinstance(error, RegistryUnavailableError) else "broken"
    )
