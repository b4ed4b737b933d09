"""How do a client's requests reach the brokers, and the responses their askers? One producer, one consumer, one thread.

Production is idempotent (KIP-98) and partitioned like Java's and aiokafka's clients (murmur2). Responses are read from
the whole topic, from the moment the channel was opened; of repeated responses the first counts.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, InvalidStateError
from typing import Any

import structlog
from confluent_kafka import Consumer, Producer, TopicPartition

from forebay.avro.codec import Codec, UndecodableError
from forebay.avro.encoding import record_limit
from forebay.avro.registry import Registry, open_registry
from forebay.client.errors import ClientClosedError, NotDeliveredError, RequestTooLargeError
from forebay.client.pending import Waiting
from forebay.client.speaker import speaker
from forebay.contract import headers as h
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Feedback, Request, Response
from forebay.embedded.installation import installation
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.decoding import headers_of
from forebay.kafka.queries import partitions_of, watermarks
from forebay.settings import KafkaSettings, Settings

_POLL_S = 0.05
"""How long a delivery that failed may wait to be told: deliveries and responses are polled in turn."""
_FLUSH_S = 30.0
_PUBLISHED: Mapping[str, type[Request | Feedback]] = {"requests": Request, "feedback": Feedback}

log = structlog.get_logger(__name__)


def open_channel(
    settings: Settings | None, registry: Registry | None, on_response: Callable[[Response], None] | None = None
) -> "KafkaChannel":
    """The channel of a client that was given these arguments; by default to the installation at hand."""
    return KafkaChannel(settings or installation(), registry, on_response)


class KafkaChannel:
    """See :class:`forebay.client.channel.Channel`.

    Args:
        on_response: called, on the channel's own thread, with each response that somebody here waits for.

    Raises:
        BrokerUnavailableError: no broker answers within 15 s, or the topics are not there.
        UnknownSchemaError, RegistryUnavailableError: the schema registry does not know the records, or not now.
        ConfigurationError: the settings cannot be used, or the brokers refuse who asks.
    """

    def __init__(
        self, settings: Settings, registry: Registry | None, on_response: Callable[[Response], None] | None
    ) -> None:
        self._kafka = settings[KafkaSettings]
        self._speaker = speaker(settings)
        registry = registry or open_registry(settings)
        self._codecs = {
            topic: Codec(record, topic_on_broker(f"{topic}-value", self._kafka), registry)
            for topic, record in _PUBLISHED.items()
        }
        self._responses = Codec(Response, topic_on_broker("responses-value", self._kafka), registry)
        for codec in (self._codecs["requests"], self._responses):
            codec.warm()  # asks the registry: now, and not on somebody's event loop
        self._on_response = on_response
        self._waiting = Waiting()
        self._closing = threading.Event()
        self._stopping = threading.Event()
        self._consumer = _open_consumer(self._kafka, self._speaker.topic("responses"))
        self._producer = _open_producer(self._kafka)
        self._thread = threading.Thread(target=self._serve, name="forebay-client", daemon=True)
        self._thread.start()

    @property
    def outstanding(self) -> int:
        """See :class:`Channel`."""
        return len(self._waiting)

    def encode(self, topic: str, record: Any) -> bytes:
        """See :class:`Channel`."""
        value = self._codecs[topic].encode(self._speaker.own(record))
        limit = record_limit(topic, self._kafka)
        if len(value) > limit:
            raise RequestTooLargeError(f"the record has {len(value):,} bytes, at most {limit:,} are accepted")
        return value

    def ask(self, request_id: str, value: bytes, request: Request | None) -> "Future[Response]":
        """See :class:`Channel`."""
        future = self._waiting.add(request_id, None if request is None else self._speaker.own(request))

        def delivered(error: Any, _message: Any) -> None:
            if error is not None:
                self._waiting.remove(request_id, future)
                _settle([future], NotDeliveredError(str(error)))

        try:
            self._produce("requests", request_id, value, delivered)
        except Exception:
            self._waiting.remove(request_id, future)
            raise
        return future

    def deliver(self, topic: str, key: str, value: bytes) -> "Future[None]":
        """See :class:`Channel`."""
        future: Future[None] = Future()

        def delivered(error: Any, _message: Any) -> None:
            _settle([future], None if error is None else NotDeliveredError(str(error)))

        self._produce(topic, key, value, delivered)
        return future

    def give_up(self, request_id: str, future: "Future[Response]") -> None:
        """See :class:`Channel`."""
        self._waiting.remove(request_id, future)

    def make_room(self, seconds: float) -> None:
        """See :class:`Channel`."""
        self._producer.poll(seconds)

    def close(self) -> None:
        """See :class:`Channel`. What the brokers have not taken fails with :class:`NotDeliveredError`."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._producer.flush(_FLUSH_S):
            self._producer.purge()
            self._producer.flush(1)
        self._stopping.set()
        self._thread.join()
        self._consumer.close()
        for future in self._waiting.take_all():
            future.cancel()

    def _produce(self, topic: str, key: str, value: bytes, delivered: Callable[[Any, Any], None]) -> None:
        if self._closing.is_set():
            raise ClientClosedError("the client is closed")
        name, raw = topic_on_broker(self._speaker.topic(topic), self._kafka), key.encode()
        self._producer.produce(name, value, raw, headers=self._speaker.headers(raw, value), on_delivery=delivered)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            message = self._consumer.poll(_POLL_S)
            self._producer.poll(0)
            if message is None or message.error():
                continue
            try:
                request_id = (message.key() or b"").decode()
            except UnicodeDecodeError:
                continue
            if self._waiting.has(request_id):  # else another client's, or a repetition
                self._answer(request_id, message)

    def _answer(self, request_id: str, message: Any) -> None:
        headers = headers_of(message)
        about = h.text(headers, h.FINGERPRINT) or ""
        value = self._speaker.opened(message.value(), headers, request_id)
        if value is None and message.value() is not None:
            return  # sealed for somebody else, who has a request of the same id
        surely = self._speaker.signs and h.SEALED_FOR not in headers
        try:
            response = self._responses.decode(value)
        except UndecodableError as error:
            _settle(self._waiting.take(request_id, about, surely=surely), error)
            return
        futures = self._waiting.take(request_id, about, surely=surely)
        _settle(futures, response)
        if futures and self._on_response is not None:
            try:
                self._on_response(response)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other requests' responses must be read
                log.error("on_response_failed", error=type(error).__name__)


def _settle(futures: "Iterable[Future[Any]]", outcome: Response | Exception | None) -> None:
    """Give ``futures`` their outcome, unless whoever waited has gone."""
    for future in futures:
        try:
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        except InvalidStateError:  # cancelled by who gave up, or not delivered after all
            continue


def _open_producer(kafka: KafkaSettings) -> Any:
    return Producer(
        confluent_options(kafka)
        | {
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",
            "linger.ms": 2,
            "message.max.bytes": kafka.max_record_bytes + 65_536,
            "delivery.timeout.ms": 120_000,
        },
        logger=silent(),
    )


def _open_consumer(kafka: KafkaSettings, responses: str) -> Any:
    """A consumer of all partitions from their present ends, fixed before the first request can be answered."""
    consumer = Consumer(
        confluent_options(kafka)
        | {
            "group.id": topic_on_broker("client", kafka),
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "fetch.message.max.bytes": 4 * kafka.max_record_bytes,
        },
        logger=silent(),
    )
    topic = topic_on_broker(responses, kafka)
    partitions = [TopicPartition(topic, number) for number in partitions_of(consumer, topic, kafka)]
    for partition in partitions:
        partition.offset = watermarks(consumer, partition)[1]
    consumer.assign(partitions)
    return consumer
