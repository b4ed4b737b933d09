"""Which record was the worker at when it died? What its successor needs to know, lest the same record end it again.

A crash of a library, or memory that runs out, ends a process before it can say why. So it notes in a small file, mapped
into its memory, whose code is running: one note of 24 bytes before each step of a handler, one after it. The kernel
keeps what was written, however the process ends. A note that is left behind is a death that record is to blame for; a
worker that was killed from outside was nearly always waiting, and leaves none. After the second death the record is not
handled any more (:meth:`FlightRecorder.deaths`).

Committed offsets would say less: behind the oldest unfinished record up to ``stage.window`` others are at work, and all
of them would be suspects each time that somebody kills a worker. Redis would be asked before each step, and may be what
is down. A file is of one machine: with N workers a record may end N + 1 of them before it is known everywhere.
"""

import fcntl
import mmap
import os
import struct
import types
from collections.abc import Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4
from zlib import crc32

import orjson
import structlog

from forebay.settings import KafkaSettings, Settings, WorkerSettings

log = structlog.get_logger(__name__)

Place = tuple[str, int, int]
"""What was at work (``STAGE/TOPIC``; ``/TOPIC`` while a batch was unpacked), partition, offset."""

DEADLY = 2
"""Deaths after which a record is not handled any more."""

_NOTE = struct.Struct("=qqq")  # what was at work, by its number, from 1; partition; offset
_NOBODY = _NOTE.pack(0, 0, 0)
_STEP_AT, _READ_AT, _TEXT_AT = 0, 32, 64
_BYTES = 65_536
_MOST = 200
"""Records that are remembered, the latest ones: a file of fixed size cannot run out of room when it matters."""


class FlightRecorder:
    """Notes of one worker.

    Args:
        folder: where files of this worker and its like lie; ``None``, or one that cannot be written: no notes.
        name: what this worker shares with those that may read its notes, part of a file's name.
    """

    def __init__(self, folder: Path | None = None, name: str = "worker") -> None:
        self._numbers: dict[str, int] = {}
        self._deaths: dict[Place, int] = {}
        self._file: Path | None = None
        self._memory: Any = bytearray(_BYTES)
        self._handle: Any = None
        if folder is not None:
            try:
                self._open(folder, name)
            except OSError as error:
                log.info("no_flight_recorder", folder=str(folder), error=type(error).__name__)

    def deaths(self, place: Place) -> int:
        """How many workers ended while this record's code was running."""
        return self._deaths.get(place, 0) if self._deaths else 0

    def forget(self, place: Place) -> None:
        """The record has ended: it needs no warning any more."""
        if self._deaths and self._deaths.pop(place, None) is not None:
            self._write()

    def number_of(self, what: str) -> int:
        """The number of something that may be at work, for :meth:`watch`."""
        number = self._numbers.get(what)
        if number is None:
            number = self._numbers[what] = len(self._numbers) + 1
            self._write()
        return number

    @types.coroutine
    def watch(
        self, number: int, partition: int, offset: int, work: Coroutine[Any, Any, Any]
    ) -> Generator[Any, Any, Any]:
        """Await ``work`` and note, during each of its steps, that this record's code is running."""
        note = _NOTE.pack(number, partition, offset)
        memory, argument = self._memory, None
        step: Any = work.send
        while True:
            memory[_STEP_AT : _STEP_AT + 24] = note
            try:
                waiting_for = step(argument)
            except StopIteration as end:
                return end.value
            finally:
                memory[_STEP_AT : _STEP_AT + 24] = _NOBODY
            try:
                argument = yield waiting_for
                step = work.send
            except BaseException as error:  # noqa: BLE001 - cancellation too is for the work to see
                argument, step = error, work.throw

    @contextmanager
    def reading(self, what: str, partition: int, offset: int) -> Iterator[None]:
        """Note, for the length of a ``with``, that a batch which begins at ``offset`` is being unpacked."""
        self._memory[_READ_AT : _READ_AT + 24] = _NOTE.pack(self.number_of(what), partition, offset)
        try:
            yield
        finally:
            self._memory[_READ_AT : _READ_AT + 24] = _NOBODY

    def close(self) -> None:
        """The worker ends in order: what it knows stays behind only if there is anything."""
        if self._file is not None:
            if not self._deaths:
                with suppress(OSError):
                    self._file.unlink()
            self._handle.close()
            self._file = None

    def _open(self, folder: Path, name: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder.glob(f"{name}-*.flight"):
            self._take_over(left)
        file = folder / f"{name}-{uuid4().hex[:12]}.flight"
        handle = file.open("x+b")
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.posix_fallocate(handle.fileno(), 0, _BYTES)  # a page without room behind it would be a signal, not an error
        self._handle, self._file = handle, file
        self._memory = mmap.mmap(handle.fileno(), _BYTES)
        self._write()
        for place, count in self._deaths.items():
            log.error("record_ended_its_worker", what=place[0], partition=place[1], offset=place[2], times=count)

    def _take_over(self, left: Path) -> None:
        """Take in what a dead worker left; a living one holds a lock on its file."""
        try:
            with left.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                if os.fstat(file.fileno()).st_uid != os.getuid():
                    return
                content = file.read(_BYTES)
                left.unlink()
            known = orjson.loads(content[_TEXT_AT:].rstrip(b"\0"))
            for what, partition, offset, count in known["deaths"]:
                place = (what, partition, offset)
                self._deaths[place] = max(count, self._deaths.get(place, 0))
            for at in (_STEP_AT, _READ_AT):
                number, partition, offset = _NOTE.unpack_from(content, at)
                if number:
                    place = (known["names"][number - 1], partition, offset)
                    self._deaths[place] = self._deaths.get(place, 0) + 1
        except (OSError, ValueError, KeyError, IndexError, TypeError, struct.error):
            return  # its worker lives, or it is no file of ours
        self._deaths = dict(list(self._deaths.items())[-_MOST:])

    def _write(self) -> None:
        deaths = [[*place, count] for place, count in self._deaths.items()]
        text = orjson.dumps({"names": list(self._numbers), "deaths": deaths})
        self._memory[_TEXT_AT:] = text[: _BYTES - _TEXT_AT].ljust(_BYTES - _TEXT_AT, b"\0")


def open_recorder(settings: Settings, stages: Sequence[str]) -> FlightRecorder:
    """The recorder of a worker that runs ``stages``; workers of the same stages and brokers read each other's notes."""
    chosen, kafka = settings[WorkerSettings].flight_dir, settings[KafkaSettings]
    folder = Path(chosen) if chosen else Path(gettempdir()) / f"forebay-{os.getuid()}"
    which = crc32(f"{kafka.bootstrap} {kafka.topic_prefix} {sorted(stages)}".encode())
    return FlightRecorder(folder, f"{stages[0] if len(stages) == 1 else 'all'}-{which:08x}")
