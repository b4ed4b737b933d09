"""Which alerts are not over, when is each due, and what is silenced? In Redis, for all workers of the stage.

Workers change what is known of an alert only if it is still what they saw, and take what is due for a while: so of two
workers one tells, and what a worker took that ended is due again. Without Redis what came waits in its topic.
"""

import json
from collections.abc import Sequence
from typing import Any, Protocol

from forebay.contract.json_lines import record_from_json, to_json
from forebay.contract.records import Silence
from forebay.state.keys import Common, Prefix, plain
from forebay.state.redis_client import redis_errors, refused

LEASE_MS = 60_000
"""So long a worker may take to publish what it took."""
_AT_ONCE = 500
_NOTIFIED_S = 86_400
"""A message is known as sent for longer than it is tried."""

# KEYS: open, due. ARGV: fingerprint, what was seen of it ('': nothing), what is known now ('': nothing), when due.
_SWAP = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
end
return 1
"""

# KEYS: open, due. ARGV: now, until when nobody else gets it, most. Returns fingerprints, each with what is known.
_TAKE = """
local answer = {}
for _, one in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  local known = redis.call('HGET', KEYS[1], one)
  if known then
    redis.call('ZADD', KEYS[2], ARGV[2], one)
    answer[#answer + 1] = one
    answer[#answer + 1] = known
  else
    redis.call('ZREM', KEYS[2], one)
  end
end
return answer
"""


# KEYS: open, due. ARGV: now.
_WAKE = """
for _, one in ipairs(redis.call('HKEYS', KEYS[1])) do redis.call('ZADD', KEYS[2], ARGV[1], one) end
return 0
"""


class Store(Protocol):
    """What is known; raises ``Transient("redis_unavailable")``."""

    async def get(self, fingerprint: str) -> str:
        """What is known of an alert; empty: nothing."""
        ...

    async def swap(self, fingerprint: str, seen: str, known: str, due_ms: int) -> bool:
        """Put ``known`` in place of ``seen``, empty for nothing; false if it is something else by now."""
        ...

    async def take(self, now_ms: int) -> Sequence[tuple[str, str]]:
        """Fingerprint and what is known of alerts that are due; no other worker gets them for :data:`LEASE_MS`."""
        ...

    async def wake(self, now_ms: int) -> None:
        """Make all due: a silence is over."""
        ...

    async def told_at(self, group: str) -> int:
        """When people were told of the group last, ms since the epoch; 0: never."""
        ...

    async def told(self, group: str, at_ms: int, keep_ms: int) -> None:
        """Note it."""
        ...

    async def silences(self) -> Sequence[Silence]:
        """All, also those that are over."""
        ...

    async def silence(self, silence: Silence, now_ms: int) -> None:
        """Note one, and forget those that are over."""
        ...

    async def sent(self, notification_id: str) -> bool:
        """Whether a message has gone out."""
        ...

    async def sending_done(self, notification_id: str) -> None:
        """Note that it has."""
        ...


class RedisStore:
    """See :class:`Store`; ``client`` is a ``redis.asyncio`` client."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = Prefix(prefix)
        self._open = self._prefix + plain(Common.NOTIFY_OPEN)
        self._due = self._prefix + plain(Common.NOTIFY_DUE)
        self._silences = self._prefix + plain(Common.SILENCES)

    async def get(self, fingerprint: str) -> str:
        """See :class:`Store`."""
        return _text(await self._ask("hget", self._open, fingerprint))

    async def swap(self, fingerprint: str, seen: str, known: str, due_ms: int) -> bool:
        """See :class:`Store`."""
        return bool(await self._ask("eval", _SWAP, 2, self._open, self._due, fingerprint, seen, known, due_ms))

    async def take(self, now_ms: int) -> Sequence[tuple[str, str]]:
        """See :class:`Store`."""
        found = await self._ask("eval", _TAKE, 2, self._open, self._due, now_ms, now_ms + LEASE_MS, _AT_ONCE)
        texts = [_text(one) for one in found or ()]
        return list(zip(texts[::2], texts[1::2], strict=True))

    async def wake(self, now_ms: int) -> None:
        """See :class:`Store`."""
        await self._ask("eval", _WAKE, 2, self._open, self._due, now_ms)

    async def told_at(self, group: str) -> int:
        """See :class:`Store`."""
        return int(await self._ask("get", self._group(group)) or 0)

    async def told(self, group: str, at_ms: int, keep_ms: int) -> None:
        """See :class:`Store`."""
        if keep_ms > 0:
            await self._ask("set", self._group(group), at_ms, px=keep_ms)

    async def silences(self) -> Sequence[Silence]:
        """See :class:`Store`."""
        found = await self._ask("hgetall", self._silences)
        return [record_from_json(Silence, json.loads(value)) for value in (found or {}).values()]

    async def silence(self, silence: Silence, now_ms: int) -> None:
        """See :class:`Store`."""
        over = [one.silence_id for one in await self.silences() if one.ends_at <= now_ms]
        if silence.ends_at > now_ms:
            await self._ask("hset", self._silences, silence.silence_id, json.dumps(to_json(silence)))
        elif silence.silence_id not in over:
            over.append(silence.silence_id)
        if over:
            await self._ask("hdel", self._silences, *over)

    async def sent(self, notification_id: str) -> bool:
        """See :class:`Store`."""
        return bool(await self._ask("exists", self._notified(notification_id)))

    async def sending_done(self, notification_id: str) -> None:
        """See :class:`Store`."""
        await self._ask("set", self._notified(notification_id), 1, ex=_NOTIFIED_S)

    def _group(self, group: str) -> str:
        return self._prefix + plain(Common.NOTIFY_GROUP, group)

    def _notified(self, notification_id: str) -> str:
        return self._prefix + plain(Common.NOTIFIED, notification_id)

    async def _ask(self, command: str, *arguments: Any, **options: Any) -> Any:
        try:
            return await getattr(self._client, command)(*arguments, **options)
        except redis_errors() as error:
            raise refused(error, "notify") from None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
