"""How does a worker ask the brokers about itself? By connections of its own, kept while it lives."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from forebay.kafka.direct import Direct
from forebay.kafka.group_offsets import Offsets, new_admin, read_bounds, topic_ids, with_committed
from forebay.kafka.queries import Place
from forebay.settings import KafkaSettings

_TIMEOUT_S = 5.0


class LiveBrokers:
    """What :class:`forebay.runtime.reading.watch.Watch` asks, of real brokers.

    Args:
        group: name on the broker.
        topics: names on the broker.
    """

    def __init__(self, kafka: KafkaSettings, group: str, topics: Sequence[str]) -> None:
        self._kafka = kafka
        self._group = group
        self._topics = topics
        self._admin: Any = None
        self._direct: Direct | None = None
        self._open = AsyncExitStack()

    async def offsets(self) -> Offsets:
        """See :class:`forebay.runtime.reading.watch.Brokers`."""
        bounds = await asyncio.to_thread(self._bounds)
        direct = await self._opened()
        return with_committed(bounds, {self._group: await direct.committed(self._group, bounds.end)})

    async def times(self, places: Mapping[Place, tuple[int, int]]) -> Mapping[Place, int | None]:
        """See :class:`forebay.runtime.reading.watch.Brokers`."""
        return await (await self._opened()).times(places) if places else {}

    def ids(self) -> Mapping[str, str]:
        """Ids of the topics; blocks; empty where the brokers cannot tell."""
        return topic_ids(self._client(), self._topics, _TIMEOUT_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._open.aclose()

    def _bounds(self) -> Offsets:
        return read_bounds(self._kafka, [self._group], _TIMEOUT_S, admin=self._client(), only=self._topics)

    async def _opened(self) -> Direct:
        if self._direct is None:
            self._direct = await self._open.enter_async_context(Direct(self._kafka))
        return self._direct

    def _client(self) -> Any:
        if self._admin is None:
            self._admin = new_admin(self._kafka)
        return self._admin
