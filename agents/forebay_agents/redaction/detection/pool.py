"""Where does detection run? Off the event loop: in threads, or in processes when there are cores to spare.

A thread is enough on two cores: the encoder releases the interpreter lock; the rest runs in slices of a millisecond.
Whenever a thread or process is free it takes all requests that wait, up to a few: the names model reads them at once.
Nobody waits for a batch to fill, so that a lone request is not delayed (figures in docs/performance.md).

A process that dies (killed for its memory, say) takes its pool with it: another takes its place, and what was being
read is read again, each request by itself; one that kills whoever reads it goes to the retry topics alone.
"""

import asyncio
import multiprocessing
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from forebay.contract.failures import Transient
from forebay_agents.redaction.detection.detector import Asked, Detector, Found
from forebay_agents.redaction.handler import Find
from forebay_agents.redaction.metrics import METRICS, RedactionMetrics
from forebay_agents.redaction.repeated import finding
from forebay_agents.redaction.settings import RedactionSettings

MOST = 8
"""Requests that are read at once: the gain levels off, and the first of them waits for the last."""
_MOST_CHARS = 4_000
"""Of all of them together: a long text fills a run of the encoder by itself, and others need not wait for it."""

FindAll = Callable[[Sequence[Asked]], list[Found | Exception]]
"""See :meth:`forebay_agents.redaction.detection.detector.Detector.find_all`."""
_find_all: FindAll | None = None
"""Detection in a worker process."""


class Batches:
    """Hands requests to a pool, as many at once as wait.

    Args:
        open_pool: makes a pool that runs ``find_all``.
        find_all: detection.
        workers: threads or processes of the pool.
        seen: told how many requests are read at once, each time.
    """

    def __init__(
        self,
        open_pool: Callable[[], Executor],
        find_all: FindAll,
        workers: int,
        seen: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._open_pool = open_pool
        self._pool = open_pool()
        self._find_all = find_all
        self._free = workers
        self._seen = seen
        self._waiting: deque[tuple[Asked, asyncio.Future[Found]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def find(self, asked: Asked) -> Found:
        """See :data:`forebay_agents.redaction.handler.Find`."""
        future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        self._start()
        return await future

    def _start(self) -> None:
        while self._free and (batch := self._next()):
            self._free -= 1
            self._seen(len(batch))
            task = asyncio.get_running_loop().create_task(self._run(batch))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _next(self) -> list[tuple[Asked, asyncio.Future[Found]]]:
        """The requests that have waited longest; those that nobody waits for any more are dropped."""
        batch: list[tuple[Asked, asyncio.Future[Found]]] = []
        chars = 0
        while self._waiting and len(batch) < MOST:
            asked, future = self._waiting[0]
            chars += sum(len(part.text) for part in asked.parts)
            if batch and chars > _MOST_CHARS:
                break
            self._waiting.popleft()
            if not future.done():
                batch.append((asked, future))
        return batch

    async def _run(self, batch: Sequence[tuple[Asked, asyncio.Future[Found]]]) -> None:
        outcomes: Sequence[Found | Exception]
        asked = [one for one, _ in batch]
        try:
            outcomes = await self._read(asked)
            if isinstance(outcomes[0], BrokenExecutor):
                outcomes = [(await self._read([one]))[0] for one in asked]
        finally:
            self._free += 1
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, BrokenExecutor):
                future.set_exception(Transient("redaction_interrupted", "the process that read the request died"))
            elif isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self._start()

    async def _read(self, asked: Sequence[Asked]) -> Sequence[Found | Exception]:
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, self._find_all, asked)
        except BrokenExecutor as error:
            if pool is self._pool:  # the first to notice
                self._pool = self._open_pool()
                pool.shutdown(wait=False, cancel_futures=True)
            return [error] * len(asked)
        except Exception as error:  # noqa: BLE001 - all who wait are told
            return [error] * len(asked)

    def close(self) -> None:
        """Read nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@asynccontextmanager
async def finder(settings: RedactionSettings, metrics: RedactionMetrics = METRICS) -> AsyncIterator[Find]:
    """A warm :data:`forebay_agents.redaction.handler.Find`."""
    if settings.processes:
        batches = Batches(partial(_processes, settings), _found, settings.processes, metrics.read_together)
        await batches.find(Asked(parts=[]))  # returns once a process is ready
    else:
        find_all = await asyncio.to_thread(_opened, settings)
        threads = partial(ThreadPoolExecutor, settings.threads, thread_name_prefix="redaction")
        batches = Batches(threads, find_all, settings.threads, metrics.read_together)
    try:
        yield batches.find
    finally:
        batches.close()


def _processes(settings: RedactionSettings) -> Executor:
    # Spawned, not forked: the encoder's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(settings.processes, context, initializer=_start, initargs=(settings,))


def _start(settings: RedactionSettings) -> None:
    global _find_all
    _find_all = _opened(settings)


def _opened(settings: RedactionSettings) -> FindAll:
    return finding(Detector(settings), settings.kept_requests)


def _found(asked: Sequence[Asked]) -> list[Found | Exception]:
    assert _find_all is not None
    return _find_all(asked)
