"""How does the vault talk to Redis? The one real :class:`forebay.privacy.vault.VaultStore`.

Single-key commands only (no transaction over several keys), so that Redis Cluster serves as well.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from forebay.privacy.sealing import load_keyring
from forebay.privacy.vault import Vault
from forebay.settings import RedisSettings, Settings, VaultSettings
from forebay.state.keys import glob
from forebay.state.redis_client import open_redis, redis_errors, refused
from forebay.state.redis_watch import open_state

T = TypeVar("T")

# Compare-and-set of a hash {v: version, d: sealed data}. KEYS[1]; ARGV: expected, version, data, seconds to live.
_SWAP = """
if (redis.call('HGET', KEYS[1], 'v') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'd', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""

# KEYS[1]; ARGV: old sealed value, new one. The time to live stays.
_REPLACE = """
if redis.call('TYPE', KEYS[1]).ok == 'hash' then
  if redis.call('HGET', KEYS[1], 'd') ~= ARGV[1] then return 0 end
  redis.call('HSET', KEYS[1], 'd', ARGV[2])
else
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
end
return 1
"""

_GRACE_S = 3_600
"""An index outlives its newest member by this, in seconds."""


class RedisVaultStore:
    """Vault entries in Redis.

    Args:
        client: a ``redis.asyncio`` client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    async def get(self, key: str) -> bytes | None:
        """See the protocol."""
        return cast("bytes | None", await self._do(self._client.get(key)))

    async def put(self, entries: Mapping[str, bytes], ttl_s: int) -> None:
        """See the protocol."""
        pipeline = self._client.pipeline(transaction=False)
        for key, value in entries.items():
            pipeline.set(key, value, ex=ttl_s)
        await self._do(pipeline.execute())

    async def put_new(self, key: str, value: bytes) -> None:
        """See the protocol."""
        await self._do(self._client.set(key, value, nx=True))

    async def swap(self, key: str, expected: str, version: str, value: bytes, ttl_s: int) -> bool:
        """See the protocol."""
        return bool(await self._do(self._client.eval(_SWAP, 1, key, expected, version, value, ttl_s)))

    async def versioned(self, key: str) -> tuple[str, bytes] | None:
        """See the protocol."""
        version, value = await self._do(self._client.hmget(key, ["v", "d"]))
        return None if version is None or value is None else (version.decode(), value)

    async def index(self, key: str, members: Mapping[str, float], now: float, ttl_s: int, beside: str) -> bytes | None:
        """See the protocol."""
        pipeline = self._client.pipeline(transaction=False)
        pipeline.zadd(key, dict(members))
        pipeline.zremrangebyscore(key, "-inf", now)
        pipeline.expire(key, ttl_s + _GRACE_S)
        pipeline.get(beside)
        *_, found = await self._do(pipeline.execute())
        return cast("bytes | None", found)

    async def members(self, key: str) -> list[str]:
        """See the protocol."""
        return [member.decode() for member in await self._do(self._client.zrange(key, 0, -1))]

    async def remove(self, keys: list[str]) -> int:
        """See the protocol."""
        pipeline = self._client.pipeline(transaction=False)
        for key in keys:
            pipeline.delete(key)
        return sum(await self._do(pipeline.execute()))

    async def scan(self, prefix: str) -> AsyncIterator[str]:
        """See the protocol."""
        cursor = 0
        while True:
            cursor, keys = await self._do(self._client.scan(cursor, match=glob(prefix), count=500))
            for key in keys:
                yield key.decode()
            if not cursor:
                return

    async def replace(self, key: str, old: bytes, new: bytes) -> bool:
        """See the protocol."""
        return bool(await self._do(self._client.eval(_REPLACE, 1, key, old, new)))

    @staticmethod
    async def _do(call: Awaitable[T]) -> T:
        try:
            return await call
        except redis_errors() as error:
            raise refused(error, "the vault") from None


@asynccontextmanager
async def open_vault(settings: Settings, *, watch: bool = False) -> AsyncIterator[Vault]:
    """The vault of this installation; connects on first use.

    Args:
        watch: for a worker: see :func:`forebay.state.redis_watch.open_state`.
    """
    prefix, vault = settings[RedisSettings].key_prefix, settings[VaultSettings]
    keyring = load_keyring(vault)
    async with open_state(settings) if watch else open_redis(settings) as client:
        yield Vault(RedisVaultStore(client), keyring, prefix=prefix, ttl_s=vault.ttl_s)
