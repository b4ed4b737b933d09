"""Which keys of the HTTP door are there, for a worker? As the topic `keys` says: it is read whole, and followed.

Before it was read once nobody knows who is limited, so that a worker is not ready until then. With Kafka away the last
state holds.
"""

import asyncio

import structlog

from forebay.client.key_topic import KeyTopic
from forebay.kafka.queries import broker_errors
from forebay.settings import Settings
from forebay_agents.completion.quotas.key_limits import KnownKeys

_AGAIN_S = 2.0

log = structlog.get_logger(__name__)


class FollowedKeys(KnownKeys):
    """Those of the topic; none before :meth:`read`."""

    def __init__(self) -> None:
        super().__init__()
        self._topic: KeyTopic | None = None

    async def read(self, settings: Settings) -> None:
        """Read the topic, and follow it from now on; waits for brokers that do not answer."""
        while self._topic is None:
            try:
                self._topic = await asyncio.to_thread(KeyTopic, settings)
            except broker_errors() as error:
                log.warning("keys_awaited", error=type(error).__name__)
                await asyncio.sleep(_AGAIN_S)
        self._get = self._topic.get

    async def close(self) -> None:
        """Leave the brokers."""
        if self._topic is not None:
            await asyncio.to_thread(self._topic.close)
