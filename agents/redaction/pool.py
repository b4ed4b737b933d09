"""Where does detection run? Off the event loop: in threads, or in processes when there are cores to spare.

A thread is enough on two cores: the encoder releases the interpreter lock; the rest runs in slices of a millisecond.
Requests are not gathered into batches: padding made a batch of sixteen no faster per text than one by one (figures in
docs/performance.md), and waiting for a batch costs latency.
"""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from agents.redaction.detection import Detector, Found
from agents.redaction.handler import Find
from agents.redaction.parts import Part
from agents.redaction.settings import RedactionSettings

_detector: Detector | None = None
"""The detector of a worker process."""


@asynccontextmanager
async def finder(settings: RedactionSettings) -> AsyncIterator[Find]:
    """A warm :data:`agents.redaction.handler.Find`."""
    loop = asyncio.get_running_loop()
    pool: Executor
    if settings.processes:
        # Spawned, not forked: the encoder's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(settings.processes, context, initializer=_start, initargs=(settings,))
        run = _found
        await loop.run_in_executor(pool, _ready)
    else:
        pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="redaction")
        run = (await loop.run_in_executor(pool, Detector, settings)).find

    async def find(parts: Sequence[Part], known: Mapping[str, str], tenant_id: str) -> Found:
        return await loop.run_in_executor(pool, partial(run, parts, dict(known), tenant_id))

    try:
        yield find
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _start(settings: RedactionSettings) -> None:
    global _detector
    _detector = Detector(settings)


def _ready() -> None:
    """Returns once a process has started."""


def _found(parts: Sequence[Part], known: Mapping[str, str], tenant_id: str) -> Found:
    assert _detector is not None
    return _detector.find(parts, known, tenant_id)
