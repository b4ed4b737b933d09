"""How does an HTTP door reach the brokers? One producer, one consumer of all responses, one thread.

Every door reads every response, from so far back as it answers for: so it can give the answer to what another one,
which is gone, was asked. What nobody here waits for is dropped by key, before anything is decoded. A record that the
brokers do not take within ten seconds is given up: the client is told, and comes again under the same id.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from forebay.avro.codec import Codec, UndecodableError
from forebay.avro.encoding import record_limit
from forebay.avro.registry import Registry, open_registry
from forebay.client.errors import NotDeliveredError, RequestTooLargeError
from forebay.client.speaker import DoorSpeaker, door_speaker
from forebay.contract import headers as h
from forebay.contract.clock import now_ms
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Feedback, Request, Response
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.decoding import headers_of
from forebay.kafka.queries import offsets_at, partitions_of, watermarks
from forebay.settings import KafkaSettings, Settings

_POLL_S, _FLUSH_S = 0.02, 5.0
_DELIVERY_MS = 10_000
_BATCH = 500
_ASK_S = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """A response as it lies in its topic; ``at_ms``: the broker's or writer's time, ms since the epoch."""

    request_id: str
    value: bytes | None
    headers: Mapping[str, bytes]
    at_ms: int


class UnknownTenantError(Exception):
    """There is no such tenant here: it has no topics."""


class DoorChannel(Protocol):
    """What a door needs of the brokers; all but ``close`` return at once."""

    def encode(self, kind: str, record: Request | Feedback) -> bytes:
        """The bytes of a record of ``requests`` or ``feedback``.

        Raises :class:`RequestTooLargeError`, and ``ValueError`` when a field does not fit the schema.
        """
        ...

    def publish(
        self, kind: str, tenant_id: str, key: str, value: bytes, headers: Mapping[str, bytes]
    ) -> "Future[None]":
        """Publish a record; a future that is done when the brokers have it, or fails with :class:`NotDeliveredError`.

        Raises:
            BufferError: there is no room for the moment.
            UnknownTenantError: see there.
        """
        ...

    def decode(self, arrived: Arrived) -> Response | None:
        """The response; ``None``: it was sealed for somebody else, or cannot be read."""
        ...

    def surely(self, arrived: Arrived) -> bool:
        """Whether anybody may have caused it, so that it is only for whose body it is about for sure."""
        ...


class KafkaDoorChannel:
    """See :class:`DoorChannel`.

    Args:
        on_response: called on the channel's own thread with each response.
        back_s: responses are read from so many seconds ago.

    Raises:
        BrokerUnavailableError: no broker answers within 15 s, or the topics are not there.
        UnknownSchemaError, RegistryUnavailableError: the schema registry does not know the records, or not now.
        ConfigurationError: the settings cannot be used, or the brokers refuse who asks.
    """

    def __init__(
        self,
        settings: Settings,
        on_response: Callable[[Arrived], None],
        *,
        back_s: float,
        registry: Registry | None = None,
    ) -> None:
        self._kafka = settings[KafkaSettings]
        self._speaker: DoorSpeaker = door_speaker(settings)
        registry = registry or open_registry(settings)
        self._codecs: dict[str, Codec[Any]] = {
            kind: Codec(record, topic_on_broker(f"{kind}-value", self._kafka), registry)
            for kind, record in (("requests", Request), ("feedback", Feedback), ("responses", Response))
        }
        for codec in self._codecs.values():
            codec.warm()
        self._on_response = on_response
        self._stopping = threading.Event()
        self._heard_at = 0.0
        self._behind: dict[tuple[str, int], int] = {}
        self._producer = self._open_producer()
        self._consumer = self._open_consumer(back_s)
        self._thread = threading.Thread(target=self._serve, name="forebay-door", daemon=True)
        self._thread.start()

    @property
    def caught_up(self) -> bool:
        """Whether all that was there at the start was read."""
        return not self._behind

    @property
    def silent_s(self) -> float:
        """Seconds since the brokers last said something."""
        return time.monotonic() - self._heard_at

    def encode(self, kind: str, record: Request | Feedback) -> bytes:
        """See :class:`DoorChannel`."""
        value = self._codecs[kind].encode(record)
        limit = record_limit(kind, self._kafka)
        if len(value) > limit:
            raise RequestTooLargeError(f"the record has {len(value):,} bytes, at most {limit:,} are accepted")
        return value

    def publish(
        self, kind: str, tenant_id: str, key: str, value: bytes, headers: Mapping[str, bytes]
    ) -> "Future[None]":
        """See :class:`DoorChannel`."""
        speaker = self._speaker.of(tenant_id)
        if speaker is None:
            raise UnknownTenantError("there is no such tenant here")
        future: Future[None] = Future()

        def delivered(error: Any, _message: Any) -> None:
            try:
                if error is not None:
                    future.set_exception(NotDeliveredError(str(error)))
                else:
                    future.set_result(None)
            except InvalidStateError:  # whoever waited has gone
                return

        raw = key.encode()
        self._producer.produce(
            topic_on_broker(speaker.topic(kind), self._kafka),
            value,
            raw,
            headers=[*headers.items(), *speaker.headers(raw, value)],
            on_delivery=delivered,
        )
        return future

    def decode(self, arrived: Arrived) -> Response | None:
        """See :class:`DoorChannel`."""
        value = self._speaker.opened(arrived.value, arrived.headers, arrived.request_id)
        try:
            found: Response | None = None if value is None else self._codecs["responses"].decode(value)
        except UndecodableError:
            return None
        return found

    def surely(self, arrived: Arrived) -> bool:
        """See :class:`DoorChannel`."""
        return self._speaker.signs and h.SEALED_FOR not in arrived.headers

    def close(self) -> None:
        """Deliver what is queued, for 5 s at most, then stop reading. Blocks."""
        self._producer.flush(_FLUSH_S)
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def _serve(self) -> None:
        asked_at = 0.0
        while not self._stopping.is_set():
            message = self._consumer.poll(_POLL_S)
            self._producer.poll(0)
            if message is not None:
                for one in (message, *self._consumer.consume(_BATCH, 0)):
                    self._take(one)
            elif time.monotonic() - asked_at > _ASK_S:
                asked_at = time.monotonic()
                self._ask()

    def _take(self, message: Any) -> None:
        place = message.topic(), message.partition()
        error = message.error()
        if error is not None:
            return
        self._heard_at = time.monotonic()
        if place in self._behind and message.offset() + 1 >= self._behind[place]:
            del self._behind[place]
        try:
            request_id = (message.key() or b"").decode()
        except UnicodeDecodeError:
            return
        arrived = Arrived(
            request_id=request_id,
            value=message.value(),
            headers=headers_of(message),
            at_ms=message.timestamp()[1],
        )
        try:
            self._on_response(arrived)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other requests' responses must be read
            log.error("response_not_taken", error=type(error).__name__)

    def _ask(self) -> None:
        """Whether brokers are there, and whether anything is left to be read from before the start."""
        try:
            for found in self._consumer.position(self._consumer.assignment()):
                end = self._behind.get((found.topic, found.partition))
                if end is not None and found.offset >= end:
                    del self._behind[found.topic, found.partition]
            self._consumer.list_topics(timeout=2.0)
        except KafkaException:
            return
        self._heard_at = time.monotonic()

    def _open_producer(self) -> Any:
        return Producer(
            confluent_options(self._kafka)
            | {
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2_random",
                "linger.ms": 2,
                "message.max.bytes": self._kafka.max_record_bytes + 65_536,
                "delivery.timeout.ms": _DELIVERY_MS,
                "request.timeout.ms": _DELIVERY_MS // 2,
            },
            logger=silent(),
        )

    def _open_consumer(self, back_s: float) -> Any:
        consumer = Consumer(
            confluent_options(self._kafka)
            | {
                "group.id": topic_on_broker("door", self._kafka),
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 500,  # where nothing comes; what comes is told at once
                "fetch.message.max.bytes": 4 * self._kafka.max_record_bytes,
            },
            logger=silent(),
        )
        since = round(now_ms() - 1000 * back_s)
        asked = []
        for topic in self._speaker.topics("responses"):
            name = topic_on_broker(topic, self._kafka)
            asked += [TopicPartition(name, number, since) for number in partitions_of(consumer, name, self._kafka)]
        places = offsets_at(consumer, asked)
        for place in places:
            low, end = watermarks(consumer, place)
            place.offset = end if place.offset < 0 else max(low, place.offset)
            if place.offset < end:
                self._behind[place.topic, place.partition] = end
        consumer.assign(places)
        self._heard_at = time.monotonic()
        return consumer
