"""What does the cache have of a person? Answers of his own, those that he brought in, and how many he wrote lately."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from forebay.contract.records import RedactedRequest
from forebay.operations.people.person import Person, Row
from forebay.settings import RedisSettings, Settings
from forebay.state.keys import Hashed, Owned, Prefix, beginning, formerly, glob, owned
from forebay.state.redis_client import open_redis
from forebay_agents.cache.store.address import person as hashed
from forebay_agents.cache.store.redis import RedisStore
from forebay_agents.cache.store.selecting import matching, removed


class CachePlace:
    """See :class:`forebay.operations.people.person.Place`."""

    name = "cache"

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = Prefix(prefix)
        self._store = RedisStore(client, prefix)

    async def erase(self, person: Person) -> Row:
        """Answers, what is noted of his requests, and counts."""
        gone = await removed(self._store, person.names, tenant=person.tenant_id, user=person.given)
        if keys := [key async for key in self._noted(person)]:
            gone += await self._client.unlink(*keys)
        return Row(place=self.name, removed=gone)

    async def told(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """Questions and answers, with pseudonyms as they are kept."""
        found = matching(self._store, person.names, tenant=person.tenant_id, user=person.given)
        return [
            {"question": entry.question, "answer": entry.content, "created_at": entry.created_at}
            async for entry in found
        ]

    async def _noted(self, person: Person) -> AsyncIterator[str]:
        for request in sorted(person.requests):
            for space in (Owned.CACHE_TRACE, Owned.CACHE_EXPLORED):
                yield self._prefix + owned(space, person.tenant_id, request)
                yield self._prefix + formerly(space, f"{person.tenant_id}:{request}")
        for user in person.forms:
            writer = hashed(RedactedRequest(tenant_id=person.tenant_id, user_id=user))
            start = f"{self._prefix + beginning(Hashed.CACHE_QUOTA)}{writer}:"
            async for key in self._client.scan_iter(match=glob(start), count=1_000):
                yield key.decode()


@asynccontextmanager
async def open_place(settings: Settings) -> AsyncIterator[CachePlace]:
    """The cache of an installation."""
    async with open_redis(settings, cache=True) as client:
        yield CachePlace(client, settings[RedisSettings].key_prefix)
