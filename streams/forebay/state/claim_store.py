"""How is a claim kept in Redis? Every step is one Lua script: two workers cannot both believe that a request is theirs.

What the steps are for is in :mod:`forebay.state.idempotency`.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from forebay.contract.failures import Transient
from forebay.state.keys import Key, Prefix, answer_claimed_before
from forebay.state.redis_client import redis_errors, refused

# KEYS: the claim, and what it was called when ids were joined by colons, if nobody else's could be called so: a worker
# of 0.1 may hold it, or have done the work. ARGV: owner, lease in ms. Returns {state, outputs or remaining ms}.
_CLAIM = """
for _, key in ipairs(KEYS) do
  local done = redis.call('HGET', key, 'outputs')
  if done then return {'done', done} end
  local owner = redis.call('HGET', key, 'owner')
  if owner and owner ~= ARGV[1] then return {'held', tostring(redis.call('PTTL', key))} end
end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'mine', ''}
"""

# KEYS[1]; ARGV: owner, lease in ms.
_RENEW = """
local owner = redis.call('HGET', KEYS[1], 'owner')
if redis.call('HEXISTS', KEYS[1], 'outputs') == 1 or (owner and owner ~= ARGV[1]) then return 0 end
if not owner then redis.call('HSET', KEYS[1], 'owner', ARGV[1]) end  -- it ran out, and nobody has taken it over
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

# KEYS[1]; ARGV: owner, outputs, time to keep them in ms. Returns the outputs of who was first, if that is another.
# Kept also when the lease was lost: done is done.
_FINISH = """
local done = redis.call('HGET', KEYS[1], 'outputs')
if done then return done end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'outputs', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return false
"""

# KEYS[1]; ARGV: owner.
_RELEASE = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'outputs') == 1 then return 0 end
return redis.call('DEL', KEYS[1])
"""


class ClaimStore(Protocol):
    """The steps of a claim; all raise ``Transient("redis_unavailable")``."""

    async def claim(self, key: Key, owner: str, lease_ms: int) -> tuple[str, bytes]:
        """``mine``, ``held`` with the lease's remaining ms, or ``done`` with the kept outputs."""
        ...

    async def kept(self, key: Key) -> bytes | None:
        """The kept outputs, if the work is done."""
        ...

    async def renew(self, key: Key, owner: str, lease_ms: int) -> bool:
        """Whether the claim is still ours: also one that ran out, if nobody has taken it over."""
        ...

    async def finish(self, key: Key, owner: str, outputs: bytes, keep_ms: int) -> bytes | None:
        """Keep the outputs, if none are kept yet; those that are."""
        ...

    async def release(self, key: Key, owner: str) -> None:
        """Give an unfinished claim up."""
        ...


class RedisClaimStore:
    """Claims in Redis; ``client`` is a ``redis.asyncio`` client."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._prefix = Prefix(prefix)
        self._client = client

    async def claim(self, key: Key, owner: str, lease_ms: int) -> tuple[str, bytes]:
        """See :class:`ClaimStore`."""
        before = answer_claimed_before(key)
        keys = [key] if before is None else [key, before]
        state, rest = await self._run_on(_CLAIM, keys, owner, lease_ms)
        return state.decode(), rest

    async def kept(self, key: Key) -> bytes | None:
        """See :class:`ClaimStore`."""
        try:
            found: bytes | None = await self._client.hget(self._prefix + key, "outputs")
        except redis_errors() as error:
            raise _away(error) from None
        return found

    async def renew(self, key: Key, owner: str, lease_ms: int) -> bool:
        """See :class:`ClaimStore`."""
        return bool(await self._run(_RENEW, key, owner, lease_ms))

    async def finish(self, key: Key, owner: str, outputs: bytes, keep_ms: int) -> bytes | None:
        """See :class:`ClaimStore`."""
        first: bytes | None = await self._run(_FINISH, key, owner, outputs, keep_ms)
        return first

    async def release(self, key: Key, owner: str) -> None:
        """See :class:`ClaimStore`."""
        await self._run(_RELEASE, key, owner)

    async def _run(self, script: str, key: Key, *arguments: Any) -> Any:
        return await self._run_on(script, [key], *arguments)

    async def _run_on(self, script: str, keys: Sequence[Key], *arguments: Any) -> Any:
        try:
            return await self._client.eval(script, len(keys), *(self._prefix + key for key in keys), *arguments)
        except redis_errors() as error:
            raise _away(error) from None


def _away(error: Exception) -> Transient:
    return refused(error, "claims")
