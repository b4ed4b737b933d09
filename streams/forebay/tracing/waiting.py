"""Where do spans wait to be sent? In a bounded queue that a thread empties: a collector holds nobody up."""

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")
_BATCH = 512
_EVERY_S = 1.0
_LAST_S = 3.0
"""How long a worker that ends waits for what is left."""


class Waiting(Generic[T]):
    """Hands what is put in to ``send`` in batches of up to 512, a second after the first of them at the latest.

    Args:
        size: how many wait; what comes beyond that is dropped.
        send: whether a batch was taken; may take as long as it likes, and may raise.
        count: told what became of how many: ``sent``, ``refused`` (by the collector, or it did not answer), ``dropped``
            (since the queue was full).
    """

    def __init__(self, size: int, send: Callable[[Sequence[T]], bool], count: Callable[[str, int], None]) -> None:
        self._queue: Queue[T] = Queue(size)
        self._send = send
        self._count = count
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Never waits."""
        try:
            self._queue.put_nowait(item)
        except Full:
            self._count("dropped", 1)

    def close(self) -> None:
        """Send what is left, for three seconds at most."""
        self._over.set()
        self._thread.join(_LAST_S)

    def _run(self) -> None:
        while not (self._over.is_set() and self._queue.empty()):
            if batch := self._batch():
                try:
                    taken = self._send(batch)
                except Exception:  # noqa: BLE001 - whatever the exporter does, the thread goes on
                    taken = False
                self._count("sent" if taken else "refused", len(batch))

    def _batch(self) -> list[T]:
        found: list[T] = []
        deadline = time.monotonic() + _EVERY_S
        while len(found) < _BATCH and (left := deadline - time.monotonic()) > 0:
            try:
                found.append(self._queue.get(timeout=0.05 if self._over.is_set() else left))
            except Empty:
                break
        return found
