"""Where is kept what pseudonyms stand for? In Redis, sealed, for a limited time, and erasable by user.

Three kinds of entries (:class:`forebay.state.keys.Hashed`): the map of one request, what a conversation's pseudonyms
stand for so far, and which of these belong to a user (a sorted set by expiry). Ids of users and conversations may
themselves be personal (an e-mail address), so keys carry a keyed hash of them and of their tenant; its key (``pepper``)
is random and sealed like everything else: Redis alone tells nothing. Who asks for a map has to say whose it is.
"""

import asyncio
import hmac
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from forebay.contract.clock import now_s
from forebay.contract.failures import Permanent
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.sealing import Keyring, SealError, key_id_of
from forebay.state.keys import Common, Hashed, Key, Prefix, beginning, parts_of, plain

CONVERSATION_LIMIT = 5_000
"""Values that a conversation remembers; beyond them new ones get a pseudonym for the request only."""
_REF_BYTES, _REF_CHARS = 18, 24
"""Random, in base64; a keyed hash has 40 characters, so none is taken for the other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Whose data it is: what ``forget`` erases by."""

    tenant_id: str
    user_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """What is known of a conversation.

    Attributes:
        tags: tag to value, oldest first.
        version: of the stored entry; empty when there is none yet.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


class VaultStore(Protocol):
    """The few things that a vault needs from its store. All raise ``Transient("redis_unavailable")``."""

    async def get(self, key: str) -> bytes | None:
        """Value of ``key``."""
        ...

    async def put(self, key: str, value: bytes, ttl_s: int | None) -> None:
        """Set ``key``; ``ttl_s`` in seconds, ``None`` keeps it for ever."""
        ...

    async def put_new(self, key: str, value: bytes) -> None:
        """Set ``key`` unless it is there; kept for ever."""
        ...

    async def swap(self, key: str, expected: str, version: str, value: bytes, ttl_s: int) -> bool:
        """Set a versioned entry if its version is still ``expected`` (empty: it is not there)."""
        ...

    async def versioned(self, key: str) -> tuple[str, bytes] | None:
        """Version and value of a versioned entry."""
        ...

    async def index(self, key: str, members: Mapping[str, float], now: float, ttl_s: int) -> None:
        """Add members (to expiry, seconds since the epoch) to a set and drop expired ones."""
        ...

    async def members(self, key: str) -> list[str]:
        """Members of a set."""
        ...

    async def remove(self, keys: list[str]) -> int:
        """Delete; the number that were there."""
        ...

    def scan(self, prefix: str) -> AsyncIterator[str]:
        """Keys that begin with ``prefix``; may repeat some."""
        ...

    async def replace(self, key: str, old: bytes, new: bytes) -> bool:
        """Swap the sealed value of a plain or versioned entry if it is still ``old``, keeping its expiry."""
        ...


class Vault:
    """Stores, loads and erases pseudonym maps.

    Args:
        store: see :class:`VaultStore`; :func:`forebay.privacy.vault_redis.open_vault` brings the real one.
        keyring: seals what is stored.
        ttl_s: how long entries live, in seconds; a conversation's life restarts with each turn.
        clock: seconds since the epoch.
    """

    def __init__(
        self, store: VaultStore, keyring: Keyring, *, prefix: str, ttl_s: int, clock: Callable[[], float] = now_s
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._prefix = Prefix(prefix)
        self._ttl_s = ttl_s
        self._clock = clock
        self._pepper: bytes | None = None
        self._lock = asyncio.Lock()

    async def store(self, mapping: PseudonymMap, owner: Owner) -> str:
        """Keep ``mapping``; the reference to load it by, which is random and tells nothing."""
        ref = secrets.token_urlsafe(_REF_BYTES)
        key = await self._map_key(owner, ref)
        await self._note(owner, key)
        await self._store.put(self._prefix + key, self._seal(mapping.to_json(), key), self._ttl_s)
        return ref

    async def load(self, ref: str, owner: Owner) -> PseudonymMap:
        """The map of ``owner`` behind ``ref``; nobody else's is found.

        Raises:
            Permanent: ``vault_expired`` when it is gone, ``unreadable_seal`` when no key at hand opens it.
            Transient: Redis does not answer.
        """
        key = await self._map_key(owner, ref)
        sealed = await self._store.get(self._prefix + key)
        if sealed is None and len(ref) == _REF_CHARS:
            # From before keys had an owner: not needed any more ``vault.ttl_s`` after the last worker of 0.1 stopped.
            key = plain(Hashed.VAULT_MAP, ref)
            sealed = await self._store.get(self._prefix + key)
        if sealed is None:
            raise Permanent("vault_expired", "the pseudonym mapping has expired or was erased")
        return PseudonymMap.from_json(self._open(sealed, key))

    async def conversation(self, owner: Owner, conversation_id: str) -> Conversation:
        """What is known of a conversation; empty when it is new, expired or erased."""
        key = await self._conversation_key(owner, conversation_id)
        found = await self._store.versioned(self._prefix + key)
        if found is None:
            return Conversation()
        version, sealed = found
        return Conversation(tags=json.loads(self._open(sealed, key)), version=version)

    async def extend(self, owner: Owner, conversation_id: str, seen: Conversation, tags: Mapping[str, str]) -> bool:
        """Make ``tags`` what is known of the conversation, unless another request has changed it since ``seen``.

        Returns:
            Whether it was stored; if not, read again and number again.
        """
        key = await self._conversation_key(owner, conversation_id)
        kept = dict(list(tags.items())[:CONVERSATION_LIMIT])
        await self._note(owner, key)
        sealed = self._seal(json.dumps(kept).encode(), key)
        return await self._store.swap(self._prefix + key, seen.version, secrets.token_hex(8), sealed, self._ttl_s)

    async def forget(self, owner: Owner) -> int:
        """Erase everything of a user; the number of entries that were there."""
        index = self._prefix + await self._user_key(owner)
        entries = [self._prefix + _listed(name) for name in await self._store.members(index)]
        erased = await self._store.remove(entries) if entries else 0
        await self._store.remove([index])
        return erased

    async def rotate(self) -> tuple[int, int]:
        """Seal every entry with the current key; how many were, and how many no key at hand opens."""
        changed = unreadable = 0
        async for key, sealed in self._sealed():
            try:
                if key_id_of(sealed) == self._keyring.current:
                    continue
                opened = self._keyring.open(sealed, _context(key))
            except SealError:
                unreadable += 1
                continue
            changed += await self._store.replace(self._prefix + key, sealed, self._seal(opened, key))
        return changed, unreadable

    async def _sealed(self) -> AsyncIterator[tuple[Key, bytes]]:
        """All that is sealed, with its key."""
        pepper = plain(Common.VAULT_PEPPER)
        if (sealed := await self._store.get(self._prefix + pepper)) is not None:
            yield pepper, sealed
        for space in (Hashed.VAULT_MAP, Hashed.VAULT_CONVERSATION):
            async for found in self._store.scan(self._prefix + beginning(space)):
                key = plain(space, *parts_of(space, self._prefix.without(found)))
                if space is Hashed.VAULT_MAP:
                    sealed = await self._store.get(found)
                else:
                    versioned = await self._store.versioned(found)
                    sealed = None if versioned is None else versioned[1]
                if sealed is not None:
                    yield key, sealed

    async def _note(self, owner: Owner, key: Key) -> None:
        """Note in the owner's index what ``forget`` has to erase, before it is there."""
        index = self._prefix + await self._user_key(owner)
        now = self._clock()
        await self._store.index(index, {key.partition(":")[2]: now + self._ttl_s}, now, self._ttl_s)

    async def _map_key(self, owner: Owner, ref: str) -> Key:
        return plain(Hashed.VAULT_MAP, await self._hash("map", owner.tenant_id, owner.user_id, ref))

    async def _user_key(self, owner: Owner) -> Key:
        return plain(Hashed.VAULT_USER, await self._hash("user", owner.tenant_id, owner.user_id))

    async def _conversation_key(self, owner: Owner, conversation_id: str) -> Key:
        parts = ("conversation", owner.tenant_id, owner.user_id, conversation_id)
        return plain(Hashed.VAULT_CONVERSATION, await self._hash(*parts))

    async def _hash(self, *parts: str) -> str:
        pepper = self._pepper or await self._load_pepper()
        return hmac.digest(pepper, json.dumps(parts).encode(), "sha256").hex()[:40]

    async def _load_pepper(self) -> bytes:
        async with self._lock:
            if self._pepper is None:
                key = plain(Common.VAULT_PEPPER)
                sealed = await self._store.get(self._prefix + key)
                if sealed is None:
                    await self._store.put_new(self._prefix + key, self._seal(os.urandom(32), key))
                    sealed = await self._store.get(self._prefix + key)
                if sealed is None:
                    raise Permanent("vault_expired", "Redis drops the vault's entries as they are written")
                self._pepper = self._open(sealed, key)
            return self._pepper

    def _seal(self, data: bytes, key: Key) -> bytes:
        return self._keyring.seal(data, _context(key))

    def _open(self, sealed: bytes, key: Key) -> bytes:
        try:
            return self._keyring.open(sealed, _context(key))
        except SealError as error:
            raise Permanent("unreadable_seal", f"vault entry: {error}") from None


def _context(key: Key) -> str:
    """What a seal is bound to: ``vault/m:HASH``, so that an entry cannot be moved to another key."""
    return key.replace(":", "/", 1)


def _listed(name: str) -> Key:
    """The key of an entry by its name in the index of a user."""
    kind, _, digest = name.partition(":")
    return plain(Hashed.VAULT_CONVERSATION if kind == "c" else Hashed.VAULT_MAP, digest)
