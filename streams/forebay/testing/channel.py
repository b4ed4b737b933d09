"""How is an application tested without brokers? With the real client on a channel whose answers the test says.

The client does all that it does in production: it reads what the application asks, encodes it, waits. Requests and
responses lie in a pair of topics in memory, for whoever wants to look at the records or to consume them.
"""

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import replace
from threading import Lock
from typing import Any

from forebay.avro.encoding import record_limit
from forebay.client.errors import ClientClosedError, RequestTooLargeError
from forebay.client.pending import Waiting
from forebay.contract.failures import Failure, Rejected
from forebay.contract.records import Error, Request, Response, ResponseStatus
from forebay.settings import KafkaSettings
from forebay.testing.topics import MemoryTopics

Reply = str | Response | Exception | None
"""A text; a response; a :class:`~forebay.contract.failures.Failure`, which comes as a response with its code; any other
exception, such as ``NotDeliveredError``, which the client raises; or nothing (yet)."""


class MemoryChannel:
    """A :class:`forebay.client.channel.Channel` for ``ForebayClient`` and ``AsyncForebayClient``; safe to use from
    several threads.

    Args:
        reply: to each request at once, or a function that says it; without one requests wait for :meth:`answer`.
        topics: empty ones by default.

    Attributes:
        closed: whether the client was closed.
    """

    def __init__(self, reply: Reply | Callable[[Request], Reply] = None, *, topics: MemoryTopics | None = None) -> None:
        self.topics = topics or MemoryTopics()
        self.closed = False
        self._reply = reply
        self._waiting = Waiting()
        self._lock = Lock()

    @property
    def asked(self) -> list[Request]:
        """Requests in the order of their publication."""
        return self.topics.records("requests")

    def answer(self, request_id: str, reply: Reply) -> None:
        """Let the reply to a request come, for all who wait for it."""
        if reply is None:
            return
        outcome = _response(request_id, reply)
        if isinstance(outcome, Response):
            with self._lock:
                self.topics.publish("responses", outcome, key=request_id)
        for future in self._waiting.take(request_id, ""):
            _settle(future, outcome)

    @property
    def outstanding(self) -> int:
        """See :class:`forebay.client.channel.Channel`."""
        return len(self._waiting)

    def encode(self, topic: str, record: Any) -> bytes:
        """See :class:`forebay.client.channel.Channel`."""
        value = self.topics.codecs[topic].encode(record)
        limit = record_limit(topic, self.topics.settings[KafkaSettings])
        if len(value) > limit:
            raise RequestTooLargeError(f"the record has {len(value):,} bytes, at most {limit:,} are accepted")
        return value

    def ask(self, request_id: str, value: bytes, request: Request | None) -> "Future[Response]":
        """See :class:`forebay.client.channel.Channel`."""
        published = self._publish("requests", request_id, value)
        future = self._waiting.add(request_id, request)
        self.answer(request_id, self._reply(published) if callable(self._reply) else self._reply)
        return future

    def deliver(self, topic: str, key: str, value: bytes) -> "Future[None]":
        """See :class:`forebay.client.channel.Channel`."""
        self._publish(topic, key, value)
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def give_up(self, request_id: str, future: "Future[Response]") -> None:
        """See :class:`forebay.client.channel.Channel`."""
        self._waiting.remove(request_id, future)

    def make_room(self, seconds: float) -> None:
        """See :class:`forebay.client.channel.Channel`; here there is always room."""

    def close(self) -> None:
        """See :class:`forebay.client.channel.Channel`."""
        self.closed = True
        for future in self._waiting.take_all():
            future.cancel()

    def _publish(self, topic: str, key: str, value: bytes) -> Any:
        if self.closed:
            raise ClientClosedError("the client is closed")
        with self._lock:
            return self.topics.publish(topic, value, key=key).record


def _response(request_id: str, reply: str | Response | Exception) -> Response | Exception:
    if isinstance(reply, str):
        return Response(request_id=request_id, status=ResponseStatus.OK, content=reply)
    if isinstance(reply, Failure):
        status = ResponseStatus.REJECTED if isinstance(reply, Rejected) else ResponseStatus.FAILED
        return Response(request_id=request_id, status=status, error=Error(code=reply.code, message=reply.message))
    return replace(reply, request_id=request_id) if isinstance(reply, Response) else reply


def _settle(future: "Future[Response]", outcome: Response | Exception) -> None:
    try:
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
    except InvalidStateError:  # cancelled by who gave up
        return
