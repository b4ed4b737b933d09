"""A channel without brokers: what was published, and answers when a test says so."""

from concurrent.futures import Future
from threading import Lock
from typing import Any

from forebay.avro.codec import Codec, open_codecs
from forebay.avro.registry import LocalRegistry
from forebay.client.errors import ClientClosedError
from forebay.contract.records import Feedback, Request, Response, ResponseStatus
from forebay.settings import load


class HeldChannel:
    """Keeps requests until :meth:`answer`; encodes as the real one does.

    Attributes:
        room: how many offers are taken before the queue is full; ``None``: it never is.
        asked: requests in the order of their publication.
        rooms_made: how often somebody waited for room in a full queue.
    """

    def __init__(self, *, room: int | None = None) -> None:
        self.room = room
        self.asked: list[Request] = []
        self.delivered: list[Feedback] = []
        self.raw: dict[str, bytes] = {}
        self.rooms_made = 0
        self.closed = False
        self._waiting: dict[str, list[Future[Response]]] = {}
        self._codecs: dict[str, Codec[Any]] = open_codecs(load(), LocalRegistry(prefix="forebay."))
        self._lock = Lock()

    @property
    def outstanding(self) -> int:
        with self._lock:
            return len(self._waiting)

    def encode(self, topic: str, record: Any) -> bytes:
        return self._codecs[topic].encode(record)

    def ask(self, request_id: str, value: bytes, request: Request | None) -> "Future[Response]":
        self._enter()
        self.asked.append(self._codecs["requests"].decode(value))
        if request is None:
            self.raw[request_id] = value
        future: Future[Response] = Future()
        with self._lock:
            self._waiting.setdefault(request_id, []).append(future)
        return future

    def deliver(self, topic: str, key: str, value: bytes) -> "Future[None]":
        self._enter()
        record = self._codecs[topic].decode(value)
        assert record.request_id == key
        self.delivered.append(record)
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def give_up(self, request_id: str, future: "Future[Response]") -> None:
        with self._lock:
            rest = [one for one in self._waiting.pop(request_id, []) if one is not future]
            if rest:
                self._waiting[request_id] = rest

    def make_room(self, seconds: float) -> None:
        self.rooms_made += 1
        self.room = None

    def close(self) -> None:
        self.closed = True
        with self._lock:
            futures = [future for waiting in self._waiting.values() for future in waiting]
            self._waiting.clear()
        for future in futures:
            future.cancel()

    def answer(self, request_id: str, content: str = "19") -> None:
        """The response to ``request_id`` comes."""
        with self._lock:
            futures = self._waiting.pop(request_id)
        for future in futures:
            future.set_result(Response(request_id=request_id, status=ResponseStatus.OK, content=content, tier="small"))

    def fail(self, request_id: str, error: Exception) -> None:
        """The request ends without a response."""
        with self._lock:
            futures = self._waiting.pop(request_id)
        for future in futures:
            future.set_exception(error)

    def _enter(self) -> None:
        if self.closed:
            raise ClientClosedError("the client is closed")
        if self.room is not None:
            if self.room == 0:
                raise BufferError
            self.room -= 1


class AnsweringChannel(HeldChannel):
    """Answers at once."""

    def ask(self, request_id: str, value: bytes, request: Request | None) -> "Future[Response]":
        future = super().ask(request_id, value, request)
        self.answer(request_id)
        return future
