"""How does an application ask? A client: publish a request, wait for its response.

For services with very many requests a consumer group of their own is the better way:
docs/how-to/consume-responses.md.
"""

from typing import TYPE_CHECKING, Any, Self

from forebay.client.errors import InvalidRequestError

# As they were found here first, and are still.
from forebay.client.errors import NotDeliveredError as NotDeliveredError
from forebay.client.errors import RequestTooLargeError as RequestTooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from types import TracebackType

    from forebay.avro.registry import Registry
    from forebay.client.asking import Asked
    from forebay.client.channel import Channel
    from forebay.contract.records import Feedback, Request, Response
    from forebay.settings import Settings

_ROOM_S = 0.1


class ForebayClient:
    """Publishes requests and waits for their responses; thread-safe; close it, or use it in a ``with``.

    Args:
        settings: by default those of the installation at hand: what the environment names, else the embedded stack
            that runs in the current directory, else what ``forebay.yaml`` says.
        on_response: called, on the client's own thread, with each response to one of this client's requests.
        channel: instead of all these, a connection that is open already, or stands for one.

    Raises:
        BrokerUnavailableError: no broker answers within 15 s, or the topics are not there.
        ConfigurationError: the settings cannot be used, or the brokers refuse who asks.
    """

    def __init__(
        self,
        settings: "Settings | None" = None,
        *,
        registry: "Registry | None" = None,
        on_response: "Callable[[Response], None] | None" = None,
        channel: "Channel | None" = None,
    ) -> None:
        if channel is None:
            # Imported here: commands that only read a file must not pay for librdkafka.
            from forebay.client.kafka_channel import open_channel

            channel = open_channel(settings, registry, on_response)
        self._channel = channel

    def submit(self, request: "Asked", **fields: Any) -> "Future[Response]":
        """Publish a request without waiting.

        Args:
            request: a request (record or mapping), its messages (records, or mappings as OpenAI has them), or the text
                of one user message.
            fields: further fields of the request, when ``request`` is only its messages.

        Returns:
            A future of the response; it fails with :class:`NotDeliveredError` when the brokers did not take it.

        Raises:
            InvalidRequestError: a field does not exist, or cannot have that value.
            RequestTooLargeError: it is too long to be accepted.
            ValueError: a field does not fit the schema (a number of more than 64 bits).
            ClientClosedError: the client is closed.
        """
        record = _complete(request, fields)
        return self._publish(record.request_id, self.encode(record), record)

    def encode(self, request: "Request") -> bytes:
        """The bytes of a complete request, for :meth:`submit_raw`. Raises what :meth:`submit` does."""
        from forebay.contract.ids import id_fault

        if (fault := id_fault(request)) is not None:
            raise InvalidRequestError(fault)
        return self._channel.encode("requests", request)

    def submit_raw(self, request_id: str, value: bytes) -> "Future[Response]":
        """Publish the bytes of a request that was encoded before, under the key ``request_id``.

        All futures of an id get its one response; who gives one of them up leaves the others waiting.
        """
        return self._publish(request_id, value, None)

    def ask(self, request: "Asked", *, timeout_s: float | None = 60.0, **fields: Any) -> "Response":
        """Publish a request and wait for its response. Raises ``TimeoutError`` after ``timeout_s`` seconds."""
        record = _complete(request, fields)
        future = self.submit(record)
        try:
            return future.result(timeout_s)
        finally:
            self._channel.give_up(record.request_id, future)

    async def ask_async(self, request: "Asked", *, timeout_s: float | None = 60.0, **fields: Any) -> "Response":
        """As :meth:`ask`, without blocking the event loop; :class:`AsyncForebayClient` has all methods like this."""
        import asyncio

        record = _complete(request, fields)
        future = self.submit(record)
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.wrap_future(future)
        finally:
            self._channel.give_up(record.request_id, future)

    def send_feedback(self, feedback: "Feedback", *, timeout_s: float = 30.0) -> None:
        """Publish what a user thinks of an answer, and wait until the brokers have it.

        Raises:
            InvalidRequestError: it names no request.
            NotDeliveredError: the brokers did not take it.
            TimeoutError: they have not taken it after ``timeout_s`` seconds; they may still.
        """
        from forebay.client.asking import feedback_of

        record = feedback_of(feedback)
        value = self._channel.encode("feedback", record)
        while True:
            try:
                return self._channel.deliver("feedback", record.request_id, value).result(timeout_s)
            except BufferError:
                self._channel.make_room(_ROOM_S)

    @property
    def outstanding(self) -> int:
        """Ids that still wait for a response."""
        return self._channel.outstanding

    def close(self) -> None:
        """Deliver what is queued, stop reading; requests that still wait are cancelled.

        What the brokers have not taken after 30 s fails with :class:`NotDeliveredError`.
        """
        self._channel.close()

    def _publish(self, request_id: str, value: bytes, request: "Request | None") -> "Future[Response]":
        while True:
            try:
                return self._channel.ask(request_id, value, request)
            except BufferError:  # librdkafka's queue is full
                self._channel.make_room(_ROOM_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        import asyncio

        await asyncio.to_thread(self.close)


def _complete(asked: "Asked", fields: dict[str, Any]) -> "Request":
    from forebay.client.asking import request_of  # pydantic, which reads mappings

    return request_of(asked, fields)
