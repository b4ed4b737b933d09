"""How does a worker ask the brokers about itself? By connections of its own, kept while it lives."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from forebay.kafka.direct import Direct
from forebay.kafka.group_offsets import Offsets, new_admin, read_bounds, topic_ids, with_committed
from forebay.kafka.queries import BrokerUnavailableError, Place
from forebay.settings import KafkaSettings

_TIMEOUT_S = 5.0


class LiveBrokers:
    """What :class:`forebay.runtime.reading.watch.Watch` asks, of real brokers.

    Args:
        group: name on the broker.
        topics: names on the broker.
        client: makes a client for administration.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        group: str,
        topics: Sequence[str],
        client: Callable[[KafkaSettings], Any] = new_admin,
    ) -> None:
        self._kafka = kafka
        self._new_client = client
        self._group = group
        self._topics = topics
        self._admin: Any = None
        self._direct: Direct | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def offsets(self) -> Offsets:
        """See :class:`forebay.runtime.reading.watch.Brokers`."""
        bounds = await asyncio.to_thread(self._bounds)
        async with self._asked() as direct:
            return with_committed(bounds, {self._group: await direct.committed(self._group, bounds.end)})

    async def times(self, places: Mapping[Place, tuple[int, int]]) -> Mapping[Place, int | None]:
        """See :class:`forebay.runtime.reading.watch.Brokers`."""
        if not places:
            return {}
        async with self._asked() as direct:
            return await direct.times(places)

    def ids(self) -> Mapping[str, str]:
        """Ids of the topics; blocks; empty where the brokers cannot tell."""
        return topic_ids(self._client(), self._topics, _TIMEOUT_S)

    async def close(self) -> None:
        """Close the connections."""
        self._leave()
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=_TIMEOUT_S)

    def _bounds(self) -> Offsets:
        """By another client next time when this one gets no answer.

        Once, after brokers had been killed, one forgot each question that it was asked from then on (librdkafka 2.16),
        while others had their answers: its worker stayed not ready although it worked.
        """
        try:
            return read_bounds(self._kafka, [self._group], _TIMEOUT_S, admin=self._client(), only=self._topics)
        except BrokerUnavailableError:
            self._admin = None
            raise

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[Direct]:
        """The connections; others next time when an answer was waited for in vain."""
        if self._direct is None:
            self._direct = await Direct(self._kafka).__aenter__()
        try:
            yield self._direct
        except asyncio.CancelledError:
            self._leave()
            raise

    def _leave(self) -> None:
        direct, self._direct = self._direct, None
        if direct is not None:
            task = asyncio.create_task(direct.aclose())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    def _client(self) -> Any:
        if self._admin is None:
            self._admin = self._new_client(self._kafka)
        return self._admin
