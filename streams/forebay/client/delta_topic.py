"""How does a door hear pieces of answers? It reads one partition of ``deltas`` from its end, on a thread of its own.

Which one is said in each request (``forebay-reply-to``). Two doors that share one read each other's pieces and drop
them by their key, before they are decoded. Nothing is read again: what a door did not hear, the record says.
"""

import random
import threading
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from forebay.avro.codec import Codec, UndecodableError
from forebay.avro.registry import Registry, RegistryUnavailableError
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Delta
from forebay.contract.topics import DELTA_PARTITIONS
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.queries import BrokerUnavailableError, watermarks
from forebay.settings import KafkaSettings

log = structlog.get_logger(__name__)

Heard = Callable[[Sequence[tuple[str, Delta]]], None]
"""Takes request ids and pieces, in order; called on the reader's thread."""

_POLL_S = 0.25
_AT_ONCE = 256


def delta_partition(instance: str) -> int:
    """Where the door called ``instance`` reads; anywhere, if it has no name."""
    if not instance:
        return random.randrange(DELTA_PARTITIONS)  # noqa: S311 - no secret: to share one costs little
    return zlib.crc32(instance.encode()) % DELTA_PARTITIONS


class DeltaTopic:
    """Reads pieces from now on, until it is closed.

    Args:
        partition: see :func:`delta_partition`.
        wanted: whether anybody waits for pieces of a request, by its id; called on the reader's thread.
        heard: gets them.
        consumer: in place of a new one.

    Raises:
        BrokerUnavailableError: the brokers do not say within 15 s where the partition ends.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        registry: Registry,
        partition: int,
        wanted: Callable[[str], bool],
        heard: Heard,
        consumer: Any = None,
    ) -> None:
        self._codec = Codec(Delta, topic_on_broker("deltas-value", kafka), registry)
        self._wanted = wanted
        self._heard = heard
        self._closing = threading.Event()
        self._consumer = consumer if consumer is not None else _open_consumer(kafka)
        place = TopicPartition(topic_on_broker("deltas", kafka), partition)
        try:
            place.offset = watermarks(self._consumer, place)[1]
        except KafkaException as error:
            self._consumer.close()
            raise BrokerUnavailableError(f"nobody says where {place.topic} ends: {type(error).__name__}") from None
        self._consumer.assign([place])
        self._thread = threading.Thread(target=self._serve, name="forebay-deltas", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Read no more."""
        self._closing.set()
        self._thread.join()
        self._consumer.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            first = self._consumer.poll(_POLL_S)
            if first is None:
                continue
            pieces = list(self._pieces([first, *self._consumer.consume(_AT_ONCE, 0)]))
            if pieces:
                self._heard(pieces)

    def _pieces(self, messages: Sequence[Any]) -> Sequence[tuple[str, Delta]]:
        found = []
        for message in messages:
            if message.error():
                continue
            request_id = (message.key() or b"").decode("utf-8", "replace")
            if not self._wanted(request_id):
                continue
            try:
                found.append((request_id, self._codec.decode(message.value())))
            except (UndecodableError, RegistryUnavailableError) as error:
                log.warning("piece_unreadable", error=type(error).__name__)
        return found


def _open_consumer(kafka: KafkaSettings) -> Any:
    return Consumer(
        confluent_options(kafka)
        | {
            "group.id": topic_on_broker("client", kafka),  # which it never joins
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            "allow.auto.create.topics": False,
            "queued.max.messages.kbytes": 4_096,
        },
        logger=silent(),
    )
