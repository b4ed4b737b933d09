"""What do brokers tell that no consumer need be opened for? Commits with their memos, and times of records.

Since when does the oldest unfinished record wait? The time is in the header of its batch, which is read without
unpacking it. The end of a transaction is an offset and no record, and what a transaction wrote that was aborted is none
either: where nothing else follows, nothing waits. A few kilobytes a partition tell; whoever asks a consumer instead has
it unpack what comes, however large. Commits are asked for here because the other library reads beyond the end of their
metadata (seen with confluent-kafka 2.16: a UnicodeDecodeError in one of ten answers).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any, Self

from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaError
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from forebay.kafka.batches import HEADER_BYTES, BatchHeader
from forebay.kafka.connection import aiokafka_options
from forebay.kafka.queries import BrokerUnavailableError, Place
from forebay.settings import KafkaSettings

_FETCH_BYTES = 4_096
_WAIT_MS = 100
_ROUNDS = 20
"""Fetches in a row that find nothing but markers, about fifty each, before a partition is taken to hold records."""
_COMMITTED = 1


class Direct:
    """Asks brokers; for the length of an ``async with``."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._client: Any = None

    async def __aenter__(self) -> Self:
        client = AIOKafkaClient(**aiokafka_options(self._kafka), request_timeout_ms=10_000)
        try:
            await client.bootstrap()
        except KafkaError as error:
            await client.close()
            raise BrokerUnavailableError(f"no broker answers at {self._kafka.bootstrap}: {error}") from None
        self._client = client
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def committed(self, group: str, places: Collection[Place]) -> dict[Place, tuple[int, str]]:
        """Where ``group`` goes on, and the metadata of that commit. Raises :class:`BrokerUnavailableError`."""
        by_topic: defaultdict[str, list[int]] = defaultdict(list)
        for topic, partition in places:
            by_topic[topic].append(partition)
        try:
            coordinator = await self._client.coordinator_lookup(CoordinationType.GROUP, group)
            await self._client.ready(coordinator, group=ConnectionGroup.COORDINATION)
            request = OffsetFetchRequest(group, list(by_topic.items()))
            response = await self._client.send(coordinator, request, group=ConnectionGroup.COORDINATION)
        except KafkaError as error:
            raise BrokerUnavailableError(f"no broker tells what {group} committed: {error}") from None
        return {
            (topic, partition): (offset, metadata or "")
            for topic, partitions in response.topics
            for partition, offset, metadata, error in partitions
            if offset >= 0 and not error
        }

    async def times(self, places: Mapping[Place, tuple[int, int]]) -> dict[Place, int | None]:
        """When the first record at or behind an offset was written, in ms since the epoch.

        Args:
            places: place to the offset, and that of the end: of the last stable one, as committed records go.

        Returns:
            ``None`` where there is no record before the end. Places that nobody could be asked about are left out.
        """
        found: dict[Place, int | None] = {place: None for place, (at, end) in places.items() if at >= end}
        asked = {place: at for place, (at, end) in places.items() if at < end}
        await self._client.set_topics({topic for topic, _ in asked})
        for _ in range(_ROUNDS):
            if not asked:
                break
            try:
                answers = await self._fetch(asked)
            except KafkaError:
                break
            asked = {}
            for place, (time_ms, at) in answers.items():
                if time_ms is not None or at >= places[place][1]:
                    found[place] = time_ms
                else:
                    asked[place] = at
        return found | dict.fromkeys(asked, 0)

    async def _fetch(self, asked: Mapping[Place, int]) -> dict[Place, tuple[int | None, int]]:
        by_leader: defaultdict[int, defaultdict[str, list[tuple[int, int, int]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for (topic, partition), at in asked.items():
            leader = self._client.cluster.leader_for_partition(TopicPartition(topic, partition))
            if leader is not None and leader >= 0:
                by_leader[leader][topic].append((partition, at, _FETCH_BYTES))
        answers: dict[Place, tuple[int | None, int]] = {}
        for leader, topics in by_leader.items():
            request = FetchRequest(_WAIT_MS, 1, _FETCH_BYTES * len(asked), _COMMITTED, list(topics.items()))
            response = await self._client.send(leader, request)
            for topic, partitions in response.topics:
                for partition, error, _, *rest in partitions:
                    if not error:
                        aborted = rest[2] if response.API_VERSION >= 11 else rest[-2]
                        answers[topic, partition] = _first_record(rest[-1], asked[topic, partition], aborted or ())
        return answers


def _first_record(data: bytes, at: int, aborted: Any) -> tuple[int | None, int]:
    """Time of the first batch that has a committed record at ``at`` or behind, and the offset where to look on."""
    cut, open_aborts = 0, {}
    starts = sorted((first, producer) for producer, first in aborted)
    while len(data) - cut >= HEADER_BYTES:
        header = BatchHeader.of(data[cut : cut + HEADER_BYTES])
        while starts and starts[0][0] <= header.last:
            first, producer = starts.pop(0)
            open_aborts[producer] = first
        if header.control:
            open_aborts.pop(header.producer, None)
        elif header.last >= at and header.producer not in open_aborts:
            return max(0, header.last_time if header.append_time else header.first_time), at
        at = max(at, header.last + 1)
        cut += header.size
    return None, at
