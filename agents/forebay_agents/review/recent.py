"""Which answer does a user's feedback speak of? Where each stands in its topic is kept in Redis for a while.

Feedback is rare and answers are many, so of an answer no more is kept than its partition and offset: 0.15 kB instead of
1 kB, and nothing is encoded and compressed for it. When feedback comes, that one record is read. What is asked of Redis
for all records of a fetch goes out in one write (:mod:`forebay.state.gathering`).
"""

import zlib
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from forebay.avro.codec import Codec
from forebay.contract.records import Completion, ResponseStatus
from forebay.state.keys import Owned, Prefix, formerly, owned
from forebay.state.redis_client import redis_errors, refused

_PLACE = b"@"
"""Before a place; what versions before kept there is the answer itself, compressed, which begins with ``x``."""


class AnswerPlace(NamedTuple):
    """Where an answer stands in ``completions``."""

    partition: int
    offset: int


Read = Callable[[AnswerPlace], Awaitable[Completion | None]]
"""The answer at a place, ``None`` where there is none any more; raises ``Transient`` while no broker tells."""


class RecentOutcomes(Protocol):
    """Recent outcomes by request id. Both raise ``Transient("redis_unavailable")``."""

    async def put(self, completion: Completion, at: AnswerPlace) -> None:
        """Keep where ``completion`` stands."""
        ...

    async def get(self, tenant_id: str, request_id: str) -> Completion | None:
        """The outcome of a tenant's request, if it is still kept. Raises ``Transient`` also as :data:`Read` does."""
        ...


class RedisRecentOutcomes:
    """In Redis and the topic.

    Args:
        client: a ``redis.asyncio`` client.
        codec: of what versions before kept.
        keep_s: seconds that an outcome is kept.
    """

    def __init__(self, client: Any, prefix: str, codec: Codec[Completion], keep_s: int, read: Read) -> None:
        self._client = client
        self._prefix = Prefix(prefix)
        self._codec = codec
        self._keep_s = keep_s
        self._read = read

    async def put(self, completion: Completion, at: AnswerPlace) -> None:
        """See :class:`RecentOutcomes`."""
        key = self._prefix + owned(Owned.OUTCOME, completion.tenant_id, completion.request_id)
        await self._run(self._client.set(key, b"%b%d:%d" % (_PLACE, *at), ex=self._keep_s))

    async def get(self, tenant_id: str, request_id: str) -> Completion | None:
        """See :class:`RecentOutcomes`."""
        data = await self._run(self._client.get(self._prefix + owned(Owned.OUTCOME, tenant_id, request_id)))
        if data is None and ":" not in tenant_id + request_id:
            # From before ids had lengths, or somebody else's if one had a colon.
            before = formerly(Owned.OUTCOME, f"{tenant_id}:{request_id}")
            data = await self._run(self._client.get(self._prefix + before))
        if data is None:
            return None
        if not data.startswith(_PLACE):
            return self._codec.decode(zlib.decompress(data))
        partition, _, offset = data.removeprefix(_PLACE).partition(b":")
        found = await self._read(AnswerPlace(int(partition), int(offset)))
        # Another record is there where the topic was made again.
        ours = found is not None and (found.tenant_id, found.request_id) == (tenant_id, request_id)
        return found if ours and found is not None and found.status is ResponseStatus.OK else None

    @staticmethod
    async def _run(command: Any) -> Any:
        try:
            return await command
        except redis_errors() as error:
            raise refused(error, "recent outcomes") from None
