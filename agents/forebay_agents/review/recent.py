"""Which answer does a user's feedback speak of? Recent outcomes, redacted, kept in Redis for a while."""

import zlib
from typing import Any, Protocol

from forebay.avro.codec import Codec
from forebay.contract.records import Completion
from forebay.state.keys import Owned, Prefix, formerly, owned
from forebay.state.redis_client import redis_errors, refused


class RecentOutcomes(Protocol):
    """Recent outcomes by request id. Both raise ``Transient("redis_unavailable")``."""

    async def put(self, completion: Completion) -> None:
        """Keep ``completion``."""
        ...

    async def get(self, tenant_id: str, request_id: str) -> Completion | None:
        """The outcome of a tenant's request, if it is still kept."""
        ...


class RedisRecentOutcomes:
    """In Redis, compressed.

    Args:
        client: a ``redis.asyncio`` client.
        keep_s: seconds that an outcome is kept.
    """

    def __init__(self, client: Any, prefix: str, codec: Codec[Completion], keep_s: int) -> None:
        self._client = client
        self._prefix = Prefix(prefix)
        self._codec = codec
        self._keep_s = keep_s

    async def put(self, completion: Completion) -> None:
        """See :class:`RecentOutcomes`."""
        key = self._prefix + owned(Owned.OUTCOME, completion.tenant_id, completion.request_id)
        await self._run(self._client.set(key, zlib.compress(self._codec.encode(completion), 1), ex=self._keep_s))

    async def get(self, tenant_id: str, request_id: str) -> Completion | None:
        """See :class:`RecentOutcomes`."""
        data = await self._run(self._client.get(self._prefix + owned(Owned.OUTCOME, tenant_id, request_id)))
        if data is None and ":" not in tenant_id + request_id:
            # From before ids had lengths, or somebody else's if one had a colon.
            before = formerly(Owned.OUTCOME, f"{tenant_id}:{request_id}")
            data = await self._run(self._client.get(self._prefix + before))
        return None if data is None else self._codec.decode(zlib.decompress(data))

    @staticmethod
    async def _run(command: Any) -> Any:
        try:
            return await command
        except redis_errors() as error:
            raise refused(error, "recent outcomes") from None
