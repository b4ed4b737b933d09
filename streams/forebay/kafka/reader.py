"""What is in a topic? For commands, consoles and tests: a plain consumer that decodes, outside every consumer group.

"Up to the end" is a place, not a record: of a compacted topic the last records may be gone, and behind a transaction
stands its marker, which nobody is given. So positions count: that of the last record, and the end of the partition as
the client tells it at once, where waiting for a record would take its half second. Only what is committed is read, and
the end is that of what is committed.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from forebay.contract.names import topic_on_broker
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.decoding import Decoder, ReadRecord
from forebay.kafka.queries import BrokerUnavailableError, offsets_at, partitions_of, watermarks
from forebay.settings import KafkaSettings, Settings

Place = tuple[str, int]
"""Logical topic and partition."""

_POLL_S = 0.5
_PATIENCE_S = 90.0
"""How long a read waits for brokers that say nothing: a new leader is there within seconds, and a transaction whose
producer was killed ends after 60."""
_BATCH = 500


class TopicReader:
    """Reads topics, and knows how far it is; one thread at a time.

    Args:
        topics: logical names.
        from_beginning: all that is kept; otherwise only what is written from now on.
        newest: of what is kept only so many offsets before the end of each partition.
        since_ms: of what is kept only what was written since, in ms since the epoch.
        keys: only records with one of these are given; of others nothing but the key is looked at.
        consumer: a confluent-kafka consumer with ``enable.partition.eof``; made from the settings unless given.

    Raises:
        BrokerUnavailableError: see :func:`forebay.kafka.queries.partitions_of`.
    """

    def __init__(
        self,
        settings: Settings,
        topics: Sequence[str],
        *,
        from_beginning: bool = True,
        newest: int | None = None,
        since_ms: int | None = None,
        keys: Collection[bytes] | None = None,
        consumer: Any = None,
    ) -> None:
        from confluent_kafka import TopicPartition

        self._kafka = settings[KafkaSettings]
        self._decoder = Decoder(settings, topics)
        self._consumer: Any = consumer or _new_consumer(self._kafka)
        self._uncommitted: Any = None
        self._keys = keys
        self.positions: dict[Place, int] = {}
        """Offset that is read next."""
        self.firsts: dict[Place, int] = {}
        """Offsets of the oldest records, as last looked at."""
        assigned = []
        try:
            for topic in topics:
                name = topic_on_broker(topic, self._kafka)
                for number in partitions_of(self._consumer, name, self._kafka):
                    partition = TopicPartition(name, number)
                    low, high = watermarks(self._consumer, partition)
                    partition.offset = low if from_beginning else high
                    if newest is not None:
                        partition.offset = max(low, high - newest)
                    if since_ms is not None:
                        [at] = offsets_at(self._consumer, [TopicPartition(name, number, max(0, since_ms))])
                        partition.offset = high if at.offset < 0 else max(low, at.offset)
                    self.positions[topic, number], self.firsts[topic, number] = partition.offset, low
                    assigned.append(partition)
            self._consumer.assign(assigned)
        except BaseException:
            self._consumer.close()
            raise
        self._assigned = assigned

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the brokers."""
        for consumer in filter(None, (self._consumer, self._uncommitted)):
            consumer.close()

    def read_to_end(self, *, settled: bool = False) -> Iterator[ReadRecord]:
        """What was not read yet, up to the ends that the partitions have at this call, in order in each of them.

        Args:
            settled: wait for the transactions that are open now: the end is that of all that was written.

        Raises:
            BrokerUnavailableError: the brokers say nothing for a minute and a half.
            KafkaException: they refuse.
        """
        ends = self._look(settled=settled)
        todo = {place for place, end in ends.items() if self.positions[place] < end}
        heard = time.monotonic()
        while todo:
            message = self._consumer.poll(_POLL_S)
            record = None if message is None else self._take(message)
            if record is not None:
                heard = time.monotonic()
                place = record.source.topic, record.source.partition
                yield record
                if self.positions[place] >= ends[place]:
                    todo.discard(place)
                continue
            if message is None:
                self._ask_positions()
            left = {place for place in todo if self.positions[place] < ends[place]}
            moved = left != todo or (message is not None and message.error() is None)
            todo, heard = left, time.monotonic() if moved else heard
            if time.monotonic() - heard > _PATIENCE_S:
                raise BrokerUnavailableError(
                    f"the brokers at {self._kafka.bootstrap} say nothing of {', '.join(sorted({t for t, _ in todo}))}"
                )

    def _look(self, *, settled: bool) -> dict[Place, int]:
        if settled and self._uncommitted is None:
            self._uncommitted = _new_consumer(self._kafka, isolation_level="read_uncommitted")
        ends = {}
        for partition in self._assigned:
            place = self._decoder.names[partition.topic], partition.partition
            self.firsts[place], ends[place] = watermarks(self._uncommitted if settled else self._consumer, partition)
        return ends

    def wait(self, seconds: float) -> list[ReadRecord]:
        """What comes next: returns with the first records, or with none after so many seconds.

        Raises:
            KafkaException: the brokers refuse.
        """
        deadline = time.monotonic() + seconds
        while True:
            message = self._consumer.poll(max(0.0, deadline - time.monotonic()))
            if message is None:
                return []
            if (first := self._take(message)) is not None:
                more = (self._take(found) for found in self._consumer.consume(_BATCH - 1, 0))
                return [first, *(record for record in more if record is not None)]

    def _take(self, message: Any) -> ReadRecord | None:
        """The record in ``message``; ``None`` for an event, of which the end of a partition is noted."""
        from confluent_kafka import KafkaError, KafkaException

        error = message.error()
        if error is None:
            self.positions[self._decoder.names[message.topic()], message.partition()] = message.offset() + 1
            given = self._keys is None or message.key() in self._keys
            return self._decoder.decoded(message) if given else None
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own names of codes
            place = self._decoder.names[message.topic()], message.partition()
            self.positions[place] = max(self.positions[place], message.offset())
        elif error.code() in (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            KafkaError.CLUSTER_AUTHORIZATION_FAILED,
            KafkaError._AUTHENTICATION,  # noqa: SLF001 - as above
        ):
            raise KafkaException(error)
        return None  # all else passes: a broker that was lost, a leader that moved

    def _ask_positions(self) -> None:
        for found in self._consumer.position(self._assigned):
            place = self._decoder.names[found.topic], found.partition
            self.positions[place] = max(self.positions[place], found.offset)


def read_topic(
    settings: Settings, topic: str, *, from_beginning: bool = True, until_end: bool = True
) -> Iterator[ReadRecord]:
    """Records of the logical ``topic``, in order within each partition.

    Args:
        from_beginning: all that is kept; otherwise only what is written from now on.
        until_end: stop at the ends that the partitions have now; otherwise go on for ever.

    Raises:
        BrokerUnavailableError: see :func:`forebay.kafka.queries.partitions_of`.
    """
    with TopicReader(settings, [topic], from_beginning=from_beginning) as reader:
        if until_end:
            yield from reader.read_to_end()
            return
        while True:
            yield from reader.wait(_POLL_S)


def records_at(
    settings: Settings, places: Sequence[tuple[str, int, int]], *, consumer: Any = None
) -> list[ReadRecord | None]:
    """The records at these places (logical topic, partition, offset); ``None`` where none is, or not any more.

    Args:
        consumer: as of :class:`TopicReader`, but with ``auto.offset.reset`` ``error``: an expired record is no other.

    Raises:
        BrokerUnavailableError: as :func:`read_topic`; also when the brokers do not give what they have.
    """
    if not places:
        return []
    from confluent_kafka import TopicPartition

    kafka = settings[KafkaSettings]
    topics = sorted({topic for topic, _, _ in places})
    decoder = Decoder(settings, topics)
    reader: Any = consumer or _new_consumer(kafka, auto_offset_reset="error")
    found: dict[tuple[str, int, int], ReadRecord] = {}
    try:
        for topic in topics:
            name = topic_on_broker(topic, kafka)
            wanted = sorted({(number, offset) for of, number, offset in places if of == topic})
            known = {number for number, _ in wanted}.intersection(partitions_of(reader, name, kafka))
            kept = {number: range(*watermarks(reader, TopicPartition(name, number))) for number in known}
            for number, offset in wanted:
                if number in kept and offset in kept[number]:
                    message = _message_at(reader, TopicPartition(name, number, offset))
                    if message is not None:
                        found[topic, number, offset] = decoder.decoded(message)
    finally:
        reader.close()
    return [found.get(place) for place in places]


def _message_at(consumer: Any, place: Any) -> Any:
    """The message at a ``TopicPartition`` with an offset below its end; ``None`` where there is none."""
    from confluent_kafka import KafkaError

    nothing = (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET)  # noqa: SLF001 - librdkafka's own names
    deadline = time.monotonic() + _PATIENCE_S
    consumer.assign([place])
    try:
        while (left := deadline - time.monotonic()) > 0:
            message = consumer.poll(left)
            if message is None:
                break
            if message.error() is None:  # else a later record: at this place is a marker, or what was aborted
                return message if message.offset() == place.offset else None
            if message.error().code() in nothing:
                return None
        raise BrokerUnavailableError(f"no broker gives record {place.offset} of {place.topic}-{place.partition}")
    finally:
        consumer.unassign()


def _new_consumer(kafka: KafkaSettings, **options: str) -> Any:
    from confluent_kafka import Consumer

    return Consumer(
        confluent_options(kafka)
        | {
            "group.id": topic_on_broker("reader", kafka),
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
        }
        | {name.replace("_", "."): value for name, value in options.items()},
        logger=silent(),
    )
