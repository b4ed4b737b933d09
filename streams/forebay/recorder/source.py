"""How are topics read that one reader alone reads, from where its store says? Without a group to join.

The store's positions are the truth. Those that are committed to the group ``recorder`` follow, once a second, so that
``forebay status`` can say how far the recorder is; nothing is read from them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog

from forebay.contract.clock import now_ms
from forebay.contract.names import group_on_broker, topic_on_broker
from forebay.contract.topics import DAY_MS, TOPICS
from forebay.history.store import Place, Position
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.decoding import Decoder, ReadRecord
from forebay.kafka.group_offsets import new_admin, topic_ids
from forebay.kafka.lag import RECORDER
from forebay.kafka.queries import offsets_at, partitions_of, watermarks
from forebay.settings import KafkaSettings, Settings, StageSettings

NAME = RECORDER

_NEWEST_OF_KEY = "spend"
"""Of this topic only the newest record of a key in a batch is decoded: an entry of the ledger changes three rows."""
_WITH_HEADERS = "dlq"
"""Of this topic headers are kept, and nothing else."""

log = structlog.get_logger(__name__)


class Batch:
    """Messages that were read, until they are written."""

    def __init__(self, messages: Sequence[Any], positions: Mapping[Place, Position]) -> None:
        self.messages = messages
        self.positions = positions

    def __len__(self) -> int:
        return len(self.messages)


class TopicSource:
    """Reads topics one after the other's batches; one thread at a time.

    Args:
        topics: logical names; those that are not there yet are waited for by nobody.
        positions: where each partition is read on; one that is not in it begins ``days`` ago, and a compacted topic at
            its beginning.

    Raises:
        BrokerUnavailableError: no broker answers, or a topic is not there.
    """

    def __init__(
        self, settings: Settings, topics: Iterable[str], positions: Mapping[Place, Position], *, days: int
    ) -> None:
        from confluent_kafka import Consumer

        self._kafka = settings[KafkaSettings]
        self._topics = tuple(topics)
        self._days = days
        self._decoder = Decoder(settings, self._topics)
        group = group_on_broker(NAME, self._kafka, settings[StageSettings].version)
        self._consumer: Any = Consumer(
            confluent_options(self._kafka)
            | {
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": 16_384,
                "fetch.message.max.bytes": 1_048_576,
            },
            logger=silent(),
        )
        self._next: dict[Place, int] = {}
        self._ids: dict[str, str] = {}
        self._read_ms: dict[Place, int] = {}
        self._at_end: set[Place] = set()
        self._began_ms = now_ms()
        try:
            self._assign(positions)
        except BaseException:
            self._consumer.close()
            raise

    def _assign(self, positions: Mapping[Place, Position]) -> None:
        from confluent_kafka import TopicPartition

        names = {topic: topic_on_broker(topic, self._kafka) for topic in self._topics}
        found = topic_ids(new_admin(self._kafka), list(names.values()))
        self._ids = {topic: found.get(name, "") for topic, name in names.items()}
        assigned = []
        for topic, name in names.items():
            for number in partitions_of(self._consumer, name, self._kafka):
                place, partition = (topic, number), TopicPartition(name, number)
                if place not in self._next:
                    self._next[place] = self._begin(place, partition, positions.get(place))
                partition.offset = self._next[place]
                assigned.append(partition)
        self._consumer.assign(assigned)

    def _begin(self, place: Place, partition: Any, known: Position | None) -> int:
        from confluent_kafka import TopicPartition

        topic, number = place
        low, high = watermarks(self._consumer, partition)
        if known is not None:
            same = not known.topic_id or not self._ids[topic] or known.topic_id == self._ids[topic]
            if same and low <= known.next <= high:
                return known.next
            why = "another_topic" if not same else "behind_the_end" if known.next > high else "expired"
            log.warning("history_read_from_beginning", topic=topic, partition=number, reason=why)
            return low
        if TOPICS[topic].retention_ms is None:
            return low
        since = now_ms() - self._days * DAY_MS
        [at] = offsets_at(self._consumer, [TopicPartition(partition.topic, number, max(0, since))])
        return high if at.offset < 0 else max(low, at.offset)

    def read(self, most: int, seconds: float) -> Batch:
        """What comes within ``seconds``, ``most`` messages at most, and where to read on behind them.

        Raises:
            KafkaException: the brokers refuse.
        """
        from confluent_kafka import KafkaError, KafkaException

        messages, positions = [], dict[Place, Position]()
        for message in self._consumer.consume(most, seconds):
            error = message.error()
            if error is None:
                place = self._decoder.names[message.topic()], message.partition()
                messages.append(message)
                self._next[place] = message.offset() + 1
                self._read_ms[place] = message.timestamp()[1]
                self._at_end.discard(place)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own names of codes
                place = self._decoder.names[message.topic()], message.partition()
                self._at_end.add(place)
                if message.offset() <= self._next[place]:
                    continue
                self._next[place] = message.offset()  # behind what a transaction left
            elif error.code() in (
                KafkaError.TOPIC_AUTHORIZATION_FAILED,
                KafkaError.CLUSTER_AUTHORIZATION_FAILED,
                KafkaError._AUTHENTICATION,  # noqa: SLF001 - as above
            ):
                raise KafkaException(error)
            else:
                continue  # all else passes: a broker that was lost, a leader that moved
            positions[place] = Position(next=self._next[place], topic_id=self._ids[place[0]])
        return Batch(messages, positions)

    def decoded(self, batch: Batch) -> list[ReadRecord]:
        """The records of a batch; of ``spend`` the newest of each key alone.

        Raises:
            RegistryUnavailableError: a schema cannot be asked for now.
        """
        newest, headed = (topic_on_broker(name, self._kafka) for name in (_NEWEST_OF_KEY, _WITH_HEADERS))
        last = {
            (message.partition(), message.key()): message.offset()
            for message in batch.messages
            if message.topic() == newest
        }
        return [
            self._decoder.decoded(message, headers=message.topic() == headed)
            for message in batch.messages
            if message.topic() != newest or last[message.partition(), message.key()] == message.offset()
        ]

    def commit(self, positions: Mapping[Place, Position]) -> None:
        """Tell the brokers how far the store is; nothing waits for it, and nothing fails if they do not take it."""
        from confluent_kafka import KafkaException, TopicPartition

        places = [
            TopicPartition(topic_on_broker(topic, self._kafka), number, at.next)
            for (topic, number), at in positions.items()
        ]
        try:
            self._consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as error:
            log.warning("positions_not_told", error=type(error).__name__)

    def lag(self) -> dict[Place, tuple[int, float]]:
        """Of each partition records that were not read, and seconds since the last that was read was written.

        0 where its end was reached.
        """
        from confluent_kafka import TopicPartition

        found, now = {}, now_ms()
        for place, at in self._next.items():
            if place in self._at_end:
                found[place] = 0, 0.0
                continue
            partition = TopicPartition(topic_on_broker(place[0], self._kafka), place[1])
            _, high = self._consumer.get_watermark_offsets(partition, cached=True)
            since = self._read_ms.get(place, self._began_ms)
            found[place] = max(1, high - at), max(0.0, (now - since) / 1_000)
        return found

    def at_end(self, *topics: str) -> bool:
        """Whether all of these were read to their ends."""
        return all(place in self._at_end for place in self._next if place[0] in topics)

    def take_grown(self) -> None:
        """Read new partitions too, from their beginnings on. Raises as the constructor."""
        self._assign({})

    def close(self) -> None:
        """Leave the brokers."""
        self._consumer.close()
