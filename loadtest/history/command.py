"""How is a history made? By the recorder's own writer, a batch at a time; N requests, and what it took."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from forebay.contract.clock import now_ms
from forebay.history.sqlite.opening import open_for_writing
from forebay.history.sqlite.writing import SqliteWriter
from forebay.history.store import Place, Position
from forebay.kafka.decoding import ReadRecord
from loadtest.history.made import made

BATCH = 5_000
_BYTES = 1 << 40


def make(path: Path, requests: int, *, days: float = 7.0, seed: int = 1, end_ms: int | None = None) -> dict[str, Any]:
    """Make the file; what it took. Raises :class:`forebay.history.store.HistoryError`: it cannot be made."""
    end_ms = end_ms or now_ms()
    with closing(SqliteWriter(open_for_writing(path), days=400, max_bytes=_BYTES)) as writer:
        cpu, records = 0.0, 0
        for batch in batches(made(requests, end_ms, days=days, seed=seed)):
            began = time.process_time()
            records += writer.write(batch, ends(batch)).records
            cpu += time.process_time() - began
        writer.checkpoint()
    size = path.stat().st_size
    return {
        "file": str(path),
        "requests": requests,
        "records": records,
        "bytes": size,
        "bytes_a_request": round(size / max(1, requests), 1),
        "writer_cpu_s": round(cpu, 2),
        "requests_a_cpu_second": round(requests / cpu) if cpu else None,
    }


def batches(records: Iterator[ReadRecord], size: int = BATCH) -> Iterator[list[ReadRecord]]:
    """``size`` at a time."""
    batch: list[ReadRecord] = []
    for record in records:
        batch.append(record)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def ends(batch: Sequence[ReadRecord]) -> dict[Place, Position]:
    """Where each partition is read on after ``batch``."""
    return {(one.source.topic, one.source.partition): Position(next=one.source.offset + 1) for one in batch}
