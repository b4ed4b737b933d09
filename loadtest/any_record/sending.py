"""How does any batch get to the brokers? By a produce request of our own, to the leader of its partition."""

import asyncio
from types import TracebackType
from typing import Any, Self

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.structs import TopicPartition

from forebay.contract.names import topic_on_broker
from forebay.contract.topics import TOPICS
from forebay.kafka.connection import aiokafka_options
from forebay.settings import KafkaSettings
from loadtest.any_record.drawn import Drawn

_TIMEOUT_MS = 20_000
_TRIES, _PAUSE_S = 100, 0.1


class Sender:
    """Puts records where they are to go, one after the other; for the length of a ``with``, outside any event loop."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._runner = asyncio.Runner()
        self._client: Any = None

    def __enter__(self) -> Self:
        self._runner.run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._client.close())
        self._runner.close()

    def send(self, record: Drawn) -> tuple[int, int] | str:
        """Partition and offset where the brokers have taken ``record``, or why they refused it."""
        return self._runner.run(self._send(record))

    async def _open(self) -> None:
        self._client = AIOKafkaClient(**aiokafka_options(self._kafka), request_timeout_ms=2 * _TIMEOUT_MS)
        await self._client.bootstrap()
        await self._client.set_topics({topic_on_broker(topic, self._kafka) for topic in TOPICS})

    async def _send(self, record: Drawn) -> tuple[int, int] | str:
        topic = topic_on_broker(record.topic, self._kafka)
        partitions = sorted(self._client.cluster.partitions_for_topic(topic))
        place = TopicPartition(topic, partitions[record.partition % len(partitions)])
        request = ProduceRequest(None, -1, _TIMEOUT_MS, [(topic, [(place.partition, record.batch())])])
        for _ in range(_TRIES):
            response = await self._client.send(self._client.cluster.leader_for_partition(place), request)
            [(_, [(_, code, offset, *_)])] = response.topics
            if not code:
                return place.partition, offset
            refused = for_code(code)
            if not refused.retriable:
                break
            await asyncio.sleep(_PAUSE_S)  # a topic that was made a moment ago has no leader yet
            await self._client.force_metadata_update()
        return str(refused.__name__)
