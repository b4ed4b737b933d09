"""What does Redis have of a person, beside the cache? Mappings, first bodies, answers, claims, budgets, rates."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from forebay.operations.people.person import Person, Row
from forebay.privacy.vault import Owner, Vault
from forebay.state.keys import Owned, Prefix, formerly, glob, owned
from forebay.state.redis_client import redis_errors, refused

_AT_ONCE = 500


class VaultPlace:
    """What pseudonyms in texts stand for."""

    name = "vault"

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def erase(self, person: Person) -> Row:
        """See the protocol; answers that are under way get ``vault_expired``."""
        return Row(place=self.name, removed=sum([await self._vault.forget(owner) for owner in _owners(person)]))

    async def told(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """See the protocol: tags and originals."""
        return [entry for owner in _owners(person) for entry in await self._vault.known(owner)]


class OfRequests:
    """What is kept under the ids of requests.

    Args:
        name: for people.
        spaces: where.
        done: only what has this field is removed: a claim whose work goes on is not.
    """

    def __init__(self, client: Any, prefix: str, name: str, *spaces: Owned, done: str = "") -> None:
        self.name = name
        self._client = client
        self._prefix = Prefix(prefix)
        self._spaces = spaces
        self._done = done

    async def erase(self, person: Person) -> Row:
        """See the protocol."""
        try:
            found = await self._found(person)
            removed = 0
            for start in range(0, len(found), _AT_ONCE):
                removed += await self._client.unlink(*found[start : start + _AT_ONCE])
        except redis_errors() as error:
            raise refused(error, self.name) from None
        return Row(place=self.name, removed=removed)

    async def told(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """See the protocol: which; what is in them is in the topics too."""
        try:
            return [{"key": key} for key in await self._found(person)]
        except redis_errors() as error:
            raise refused(error, self.name) from None

    async def _found(self, person: Person) -> list[str]:
        keys = [
            self._prefix + key
            for request in sorted(person.requests)
            for space in self._spaces
            for key in (owned(space, person.tenant_id, request), formerly(space, f"{person.tenant_id}:{request}"))
        ]
        found = []
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            pipe = self._client.pipeline(transaction=False)
            for key in some:
                pipe.hexists(key, self._done) if self._done else pipe.exists(key)
            found += [key for key, there in zip(some, await pipe.execute(), strict=True) if there]
        return found


class Quotas:
    """What of budgets and rates a user has used."""

    name = "budgets and rates"

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = Prefix(prefix)

    async def erase(self, person: Person) -> Row:
        """See the protocol; the ledger goes on under the pseudonym, and so does the budget with its next entry."""
        try:
            found = [key async for key in self._keys(person)]
            removed = await self._client.unlink(*found) if found else 0
        except redis_errors() as error:
            raise refused(error, self.name) from None
        return Row(place=self.name, removed=removed)

    async def told(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """See the protocol: which accounts, and their sums."""
        try:
            told = []
            async for key in self._keys(person):
                sums = await self._client.hgetall(key) if await self._client.type(key) == b"hash" else {}
                told.append({"key": key} | {name.decode(): value.decode() for name, value in sums.items()})
        except redis_errors() as error:
            raise refused(error, self.name) from None
        return told

    async def _keys(self, person: Person) -> AsyncIterator[str]:
        for space in (Owned.USER_BUDGET, Owned.USER_RATE):
            for user in person.forms:
                for start in (
                    f"{self._prefix + owned(space, person.tenant_id, user)}|",
                    self._prefix + formerly(space, f"{person.tenant_id}|{user}:"),
                ):
                    async for key in self._client.scan_iter(match=glob(start), count=1_000):
                        yield key.decode()


def places(client: Any, prefix: str, vault: Vault) -> list[Any]:
    """All of them; ``client`` is of the Redis that is not the cache's."""
    return [
        VaultPlace(vault),
        OfRequests(client, prefix, "fingerprints", Owned.FINGERPRINT),
        OfRequests(client, prefix, "recent answers", Owned.OUTCOME),
        OfRequests(client, prefix, "claims", Owned.ANSWER_CLAIM, Owned.JUDGE_CLAIM, done="outputs"),
        Quotas(client, prefix),
    ]


def _owners(person: Person) -> list[Owner]:
    return [Owner(tenant_id=person.tenant_id, user_id=user) for user in person.forms]
