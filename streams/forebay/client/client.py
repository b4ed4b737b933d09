"""How does an application ask? A client on confluent-kafka: publish a request, wait for its response.

Production is idempotent (KIP-98) and partitioned like Java's and aiokafka's clients (murmur2). Responses are read from
the whole topic, from the moment the client was opened; of repeated responses the first counts. For services with very
many requests a consumer group of their own is the better way: docs/how-to/consume-responses.md.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from types import TracebackType
from typing import Any, Self

import structlog

from forebay.avro.codec import Codec, UndecodableError
from forebay.avro.registry import Registry, open_registry
from forebay.client.pending import Waiting
from forebay.contract import headers as h
from forebay.contract.json_lines import complete
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Message, Request, Response
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.queries import partitions_of, watermarks
from forebay.settings import KafkaSettings, Settings, load

_POLL_S = 0.1
_FLUSH_S = 30.0

log = structlog.get_logger(__name__)


class RequestTooLargeError(ValueError):
    """The encoded request exceeds ``kafka.max_record_bytes``."""


class NotDeliveredError(Exception):
    """The brokers did not take the request."""


class ForebayClient:
    """Publishes requests and waits for their responses; thread-safe; close it, or use it in a ``with``.

    Args:
        settings: by default those of ``forebay.yaml`` and the environment.
        on_response: called, on the client's own thread, with each response to one of this client's requests.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        registry: Registry | None = None,
        on_response: Callable[[Response], None] | None = None,
    ) -> None:
        # Imported here: commands that only read a file must not pay for librdkafka.
        from confluent_kafka import Producer

        settings = settings or load()
        self._kafka = settings[KafkaSettings]
        registry = registry or open_registry(settings)
        self._requests = Codec(Request, topic_on_broker("requests-value", self._kafka), registry)
        self._responses = Codec(Response, topic_on_broker("responses-value", self._kafka), registry)
        self._on_response = on_response
        self._waiting = Waiting()
        self._stopping = threading.Event()
        self._producer = Producer(
            confluent_options(self._kafka)
            | {
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2_random",
                "linger.ms": 2,
                "message.max.bytes": self._kafka.max_record_bytes + 65_536,
                "delivery.timeout.ms": 120_000,
            },
            logger=silent(),
        )
        self._consumer = self._open_consumer()
        self._threads = [
            threading.Thread(target=self._read_responses, name="forebay-responses", daemon=True),
            threading.Thread(target=self._poll_deliveries, name="forebay-deliveries", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, request: Request | str | Iterable[Message], **fields: Any) -> "Future[Response]":
        """Publish a request without waiting.

        Args:
            request: a request, its messages, or the text of one user message.
            fields: further fields of the request, when ``request`` is none itself.

        Returns:
            A future of the response.

        Raises:
            RequestTooLargeError: it is too long to be accepted.
            ValueError: a field does not fit the schema (a number of more than 64 bits).
        """
        record = _request(request, fields)
        return self._publish(record.request_id, self.encode(record), record)

    def encode(self, request: Request) -> bytes:
        """The bytes of a complete request, for :meth:`submit_raw`. Raises what :meth:`submit` does."""
        value = self._requests.encode(request)
        if len(value) > self._kafka.max_record_bytes:
            raise RequestTooLargeError(
                f"the request has {len(value):,} bytes, at most {self._kafka.max_record_bytes:,} are accepted"
            )
        return value

    def submit_raw(self, request_id: str, value: bytes) -> "Future[Response]":
        """Publish the bytes of a request that was encoded before, under the key ``request_id``.

        All futures of an id get its one response; who gives one of them up leaves the others waiting.
        """
        return self._publish(request_id, value, None)

    def _publish(self, request_id: str, value: bytes, request: Request | None) -> "Future[Response]":
        future = self._waiting.add(request_id, request)

        def delivered(error: Any, _message: Any) -> None:
            if error is not None:
                self._waiting.remove(request_id, future)
                _settle([future], NotDeliveredError(str(error)))

        topic = topic_on_broker("requests", self._kafka)
        while True:
            try:
                self._producer.produce(topic, value, request_id.encode(), on_delivery=delivered)
            except BufferError:  # librdkafka's queue is full: wait for room
                self._producer.poll(_POLL_S)
            else:
                return future

    def ask(
        self, request: Request | str | Iterable[Message], *, timeout_s: float | None = 60.0, **fields: Any
    ) -> Response:
        """Publish a request and wait for its response. Raises ``TimeoutError`` after ``timeout_s`` seconds."""
        record = _request(request, fields)
        future = self.submit(record)
        try:
            return future.result(timeout_s)
        finally:
            self._waiting.remove(record.request_id, future)

    async def ask_async(
        self, request: Request | str | Iterable[Message], *, timeout_s: float | None = 60.0, **fields: Any
    ) -> Response:
        """As :meth:`ask`, without blocking the event loop."""
        record = _request(request, fields)
        future = self.submit(record)
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.wrap_future(future)
        finally:
            self._waiting.remove(record.request_id, future)

    @property
    def outstanding(self) -> int:
        """Ids that still wait for a response."""
        return len(self._waiting)

    def close(self) -> None:
        """Deliver what is queued, stop reading; requests that still wait are cancelled.

        What the brokers have not taken after 30 s fails with :class:`NotDeliveredError`.
        """
        if self._producer.flush(_FLUSH_S):
            self._producer.purge()
            self._producer.flush(1)
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._consumer.close()
        for future in self._waiting.take_all():
            future.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def _open_consumer(self) -> Any:
        """A consumer of all partitions from their present ends, fixed before the first request can be answered."""
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer(
            confluent_options(self._kafka)
            | {
                "group.id": topic_on_broker("client", self._kafka),
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
                "fetch.message.max.bytes": 4 * self._kafka.max_record_bytes,
            },
            logger=silent(),
        )
        topic = topic_on_broker("responses", self._kafka)
        numbers = partitions_of(consumer, topic, self._kafka)
        partitions = [TopicPartition(topic, number) for number in numbers]
        for partition in partitions:
            partition.offset = watermarks(consumer, partition)[1]
        consumer.assign(partitions)
        return consumer

    def _poll_deliveries(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(_POLL_S)

    def _read_responses(self) -> None:
        while not self._stopping.is_set():
            message = self._consumer.poll(_POLL_S)
            if message is None or message.error():
                continue
            try:
                request_id = (message.key() or b"").decode()
            except UnicodeDecodeError:
                continue
            if not self._waiting.has(request_id):
                continue  # another client's, or a repetition
            about = h.text(h.from_kafka(message.headers()), h.FINGERPRINT) or ""
            try:
                response = self._responses.decode(message.value())
            except UndecodableError as error:
                _settle(self._waiting.take(request_id, about), error)
                continue
            futures = self._waiting.take(request_id, about)
            _settle(futures, response)
            if futures and self._on_response is not None:
                try:
                    self._on_response(response)
                except Exception as error:  # noqa: BLE001 - whatever it is, the other requests' responses must be read
                    log.error("on_response_failed", error=type(error).__name__)


def _settle(futures: "Iterable[Future[Response]]", outcome: Response | Exception) -> None:
    """Give ``futures`` their outcome, unless whoever waited has gone."""
    for future in futures:
        try:
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        except InvalidStateError:  # cancelled by a time-out of ask_async, or not delivered after all
            continue


def _request(request: Request | str | Iterable[Message], fields: dict[str, Any]) -> Request:
    if isinstance(request, Request):
        if fields:
            raise TypeError("give fields either in the request or as arguments, not both")
        return complete(request)
    messages = (Message(content=request),) if isinstance(request, str) else tuple(request)
    return complete(Request(messages=messages, **fields))
