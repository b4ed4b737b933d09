"""What has a user spent of this month under the id that records had before there were pseudonyms? It goes on.

Of a pseudonym the id cannot be told, so the account of a user who asks cannot be looked for under the old name. It is
the other way round: the accounts that are there are looked through once, before the first user's budget is asked, and
moved. What a worker of before still adds meanwhile, a row of the ledger brings: that has the id.
"""

import asyncio
from typing import Any

from forebay.privacy.people.names import Names
from forebay.settings.tenants import EVERY
from forebay.state.keys import Key, Owned, Prefix, formerly, glob, ids_of, owned, owned_from
from forebay.state.redis_client import redis_errors, refused

_REMEMBERED = 100_000

# KEYS: the account and what it was called; what belongs to it has the same key and a part behind it.
_MOVE = """
local new, old = KEYS[1], KEYS[2]
for _, field in ipairs({'spent', 'reserved', 'ledger'}) do
  local amount = redis.call('HGET', old, field)
  if amount then redis.call('HINCRBY', new, field, amount) end
end
for _, part in ipairs({':amounts', ':rows'}) do
  local pairs = redis.call('HGETALL', old .. part)
  if #pairs > 0 then redis.call('HSET', new .. part, unpack(pairs)) end
end
local waiting = redis.call('ZRANGE', old .. ':until', 0, -1, 'WITHSCORES')
for i = 1, #waiting, 2 do redis.call('ZADD', new .. ':until', waiting[i + 1], waiting[i]) end
local left = redis.call('PTTL', old)
for _, part in ipairs({'', ':amounts', ':until', ':rows'}) do
  if left > 0 then redis.call('PEXPIRE', new .. part, left, 'GT') redis.call('PEXPIRE', new .. part, left, 'NX') end
  redis.call('DEL', old .. part)
end
return 1
"""


class FormerAccounts:
    """Moves the accounts of users to their names.

    Args:
        client: a ``redis.asyncio`` client.
    """

    def __init__(self, client: Any, prefix: str, names: Names) -> None:
        self._client = client
        self._prefix = Prefix(prefix)
        self._names = names
        self._lock = asyncio.Lock()
        self._all_moved = False
        self._moved: set[tuple[str, str]] = set()

    async def move_all(self) -> None:
        """Move whatever is there; does nothing when that was done. Raises ``Transient("redis_unavailable")``."""
        if self._all_moved:
            return
        async with self._lock:
            if not self._all_moved:
                for start in (owned_from(Owned.USER_BUDGET), _BEFORE_LENGTHS):
                    await self._move_like(start)
                self._all_moved = True

    async def move(self, tenant_id: str, user_id: str) -> None:
        """Move the accounts of ``user_id``, which a record has still; once, but for what comes after a restart."""
        if (tenant_id, user_id) in self._moved:
            return
        for start in (
            owned(Owned.USER_BUDGET, tenant_id, user_id),
            formerly(Owned.USER_BUDGET, f"{tenant_id}|{user_id}:"),
        ):
            await self._move_like(start)
        if len(self._moved) >= _REMEMBERED:
            self._moved.clear()
        self._moved.add((tenant_id, user_id))

    async def _move_like(self, start: Key) -> None:
        try:
            async for found in self._client.scan_iter(match=glob(self._prefix + start), count=1_000):
                old = self._prefix.without(found.decode())
                new = self._renamed(old)
                if new is not None and new != old:
                    await self._client.eval(_MOVE, 2, self._prefix + new, found)
        except redis_errors() as error:
            raise refused(error, "budgets") from None

    def _renamed(self, key: str) -> Key | None:
        """What an account is called by now; ``None`` for what belongs to one."""
        ids = _ids_before_lengths(key) if key.startswith(_BEFORE_LENGTHS) else ids_of(Owned.USER_BUDGET, key)
        if ids is None or len(ids) != 4 or ids[0] == EVERY:  # there were no common accounts
            return None
        tenant_id, user_id, *window = ids
        return owned(Owned.USER_BUDGET, tenant_id, self._names.recorded(tenant_id, user_id), *window)


_BEFORE_LENGTHS = formerly(Owned.USER_BUDGET, "")
"""Begins an account from before ids had lengths: ``TENANT|USER:WINDOW:START``."""


def _ids_before_lengths(key: str) -> tuple[str, ...] | None:
    person, *window = key.removeprefix(_BEFORE_LENGTHS).rsplit(":", 2)
    tenant_id, bar, user_id = person.partition("|")
    return (tenant_id, user_id, *window) if bar and window[-1:] and window[-1].isdigit() else None
