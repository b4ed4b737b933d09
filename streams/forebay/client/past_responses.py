"""What was answered so long ago that no door remembers it? It is in its topic still, in the partition that its id says.

From a time on one partition is read, so far and no farther: whoever asks for what is not there costs no more than this.
"""

import time
from collections.abc import Iterator
from typing import Any

from forebay.client.door_channel import Arrived
from forebay.client.speaker import DoorSpeaker, door_speaker
from forebay.contract.names import topic_on_broker
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.decoding import headers_of
from forebay.kafka.queries import offsets_at, partitions_of, watermarks
from forebay.settings import KafkaSettings, Settings

MOST_RECORDS, MOST_BYTES, MOST_S = 20_000, 64 << 20, 3.0
_BATCH, _POLL_S, _ASK_S = 500, 0.1, 3.0
_QUEUED_KB = 8_192


class PastResponses:
    """Reads topics of responses from a time on; each search on a connection of its own, so that none rests."""

    def __init__(self, settings: Settings) -> None:
        self._kafka = settings[KafkaSettings]
        self._speaker: DoorSpeaker = door_speaker(settings)

    def under(self, request_id: str, tenant_id: str, since_ms: int) -> Iterator[Arrived]:
        """Responses under ``request_id`` from ``since_ms`` (ms since the epoch) on, oldest first. Blocks.

        It ends at what was the partition's end, or after 20,000 records, 64 MiB or 3 s.

        Args:
            tenant_id: whose topic is read, where tenants have their own.

        Raises:
            BrokerUnavailableError, KafkaException: the brokers do not answer, or refuse.
        """
        speaker = self._speaker.of(tenant_id)
        if speaker is None:
            return
        consumer = self._open()
        try:
            name, key = topic_on_broker(speaker.topic("responses"), self._kafka), request_id.encode()
            place = _place(consumer, name, partition_of(key, len(partitions_of(consumer, name, self._kafka))), since_ms)
            if place is not None:
                for message in _read(consumer, *place):
                    if message.key() == key:
                        yield Arrived(
                            request_id=request_id,
                            value=message.value(),
                            headers=headers_of(message),
                            at_ms=message.timestamp()[1],
                        )
        finally:
            consumer.close()

    def _open(self) -> Any:
        from confluent_kafka import Consumer

        return Consumer(
            confluent_options(self._kafka)
            | {
                "group.id": topic_on_broker("door", self._kafka),
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": _QUEUED_KB,
            },
            logger=silent(),
        )


def _place(consumer: Any, name: str, number: int, since_ms: int) -> tuple[Any, int] | None:
    """From where to read, and up to where; ``None``: nothing was written since."""
    from confluent_kafka import TopicPartition

    [place] = offsets_at(consumer, [TopicPartition(name, number, max(0, since_ms))], _ASK_S)
    low, end = watermarks(consumer, place, _ASK_S)
    place.offset = end if place.offset < 0 else max(low, place.offset)
    return (place, end) if place.offset < end else None


def _read(consumer: Any, place: Any, end: int) -> Iterator[Any]:
    consumer.assign([place])
    until, records, size = time.monotonic() + MOST_S, 0, 0
    while records < MOST_RECORDS and size < MOST_BYTES and time.monotonic() < until:
        for message in consumer.consume(_BATCH, _POLL_S):
            if message.error() is not None:
                continue
            records, size = records + 1, size + len(message.value() or b"")
            yield message
            if message.offset() + 1 >= end:
                return
        if consumer.position([place])[0].offset >= end:
            return


def partition_of(key: bytes, count: int) -> int:
    """Where records with ``key`` are among ``count`` partitions, as all clients of Forebay choose it (murmur2)."""
    from aiokafka.partitioner import murmur2

    return int((murmur2(key) & 0x7FFFFFFF) % count)
