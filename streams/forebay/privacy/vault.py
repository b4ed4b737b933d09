"""Where is kept what pseudonyms stand for? In Redis, sealed, for a limited time, and erasable by user.

Three kinds of entries, all under ``<prefix>vault:``: ``m:REF`` the map of one request, ``c:HASH`` what a conversation's
pseudonyms stand for so far, ``u:HASH`` which of these belong to a user (a sorted set by expiry). Ids of users and
conversations may themselves be personal (an e-mail address), so key names carry a keyed hash of them; its key
(``pepper``) is random and sealed like everything else: Redis alone tells nothing.
"""

import asyncio
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from forebay.contract.failures import Permanent
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.sealing import Keyring, SealError, key_id_of

CONVERSATION_LIMIT = 5_000
"""Values that a conversation remembers; beyond them new ones get a pseudonym for the request only."""


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
        self, store: VaultStore, keyring: Keyring, *, prefix: str, ttl_s: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._prefix = f"{prefix}vault:"
        self._ttl_s = ttl_s
        self._clock = clock
        self._pepper: bytes | None = None
        self._lock = asyncio.Lock()

    async def store(self, mapping: PseudonymMap, owner: Owner) -> str:
        """Keep ``mapping``; the reference to load it by, which is random and tells nothing."""
        ref = secrets.token_urlsafe(18)
        name = f"m:{ref}"
        index = await self._user_key(owner)
        await self._store.index(index, {name: self._expiry()}, self._clock(), self._ttl_s)
        await self._store.put(self._prefix + name, self._seal(mapping.to_json(), name), self._ttl_s)
        return ref

    async def load(self, ref: str) -> PseudonymMap:
        """The map behind ``ref``.

        Raises:
            Permanent: ``vault_expired`` when it is gone, ``unreadable_seal`` when no key at hand opens it.
            Transient: Redis does not answer.
        """
        name = f"m:{ref}"
        sealed = await self._store.get(self._prefix + name)
        if sealed is None:
            raise Permanent("vault_expired", "the pseudonym mapping has expired or was erased")
        return PseudonymMap.from_json(self._open(sealed, name))

    async def conversation(self, owner: Owner, conversation_id: str) -> Conversation:
        """What is known of a conversation; empty when it is new, expired or erased."""
        name = await self._conversation_name(owner, conversation_id)
        found = await self._store.versioned(self._prefix + name)
        if found is None:
            return Conversation()
        version, sealed = found
        return Conversation(tags=json.loads(self._open(sealed, name)), version=version)

    async def extend(self, owner: Owner, conversation_id: str, seen: Conversation, tags: Mapping[str, str]) -> bool:
        """Make ``tags`` what is known of the conversation, unless another request has changed it since ``seen``.

        Returns:
            Whether it was stored; if not, read again and number again.
        """
        name = await self._conversation_name(owner, conversation_id)
        kept = dict(list(tags.items())[:CONVERSATION_LIMIT])
        index = await self._user_key(owner)
        await self._store.index(index, {name: self._expiry()}, self._clock(), self._ttl_s)
        sealed = self._seal(json.dumps(kept).encode(), name)
        return await self._store.swap(self._prefix + name, seen.version, secrets.token_hex(8), sealed, self._ttl_s)

    async def forget(self, owner: Owner) -> int:
        """Erase everything of a user; the number of entries that were there."""
        index = await self._user_key(owner)
        members = [self._prefix + name for name in await self._store.members(index)]
        erased = await self._store.remove(members) if members else 0
        await self._store.remove([index])
        return erased

    async def rotate(self) -> tuple[int, int]:
        """Seal every entry with the current key; how many were, and how many no key at hand opens."""
        changed = unreadable = 0
        async for key in self._store.scan(self._prefix):
            name = key.removeprefix(self._prefix)
            if name.startswith("u:"):
                continue
            found = await self._store.versioned(key) if name.startswith("c:") else None
            sealed = found[1] if found else await self._store.get(key) if not name.startswith("c:") else None
            if sealed is None:
                continue
            try:
                if key_id_of(sealed) == self._keyring.current:
                    continue
                plain = self._keyring.open(sealed, self._context(name))
            except SealError:
                unreadable += 1
                continue
            changed += await self._store.replace(key, sealed, self._seal(plain, name))
        return changed, unreadable

    def _expiry(self) -> float:
        return self._clock() + self._ttl_s

    async def _user_key(self, owner: Owner) -> str:
        return f"{self._prefix}u:{await self._hash('user', owner.tenant_id, owner.user_id)}"

    async def _conversation_name(self, owner: Owner, conversation_id: str) -> str:
        return f"c:{await self._hash('conversation', owner.tenant_id, owner.user_id, conversation_id)}"

    async def _hash(self, *parts: str) -> str:
        pepper = self._pepper or await self._load_pepper()
        return hmac.new(pepper, json.dumps(parts).encode(), hashlib.sha256).hexdigest()[:40]

    async def _load_pepper(self) -> bytes:
        async with self._lock:
            if self._pepper is None:
                key = f"{self._prefix}pepper"
                sealed = await self._store.get(key)
                if sealed is None:
                    await self._store.put_new(key, self._seal(os.urandom(32), "pepper"))
                    sealed = await self._store.get(key)
                if sealed is None:
                    raise Permanent("vault_expired", "Redis drops the vault's entries as they are written")
                self._pepper = self._open(sealed, "pepper")
            return self._pepper

    @staticmethod
    def _context(name: str) -> str:
        return f"vault/{name}"

    def _seal(self, plain: bytes, name: str) -> bytes:
        return self._keyring.seal(plain, self._context(name))

    def _open(self, sealed: bytes, name: str) -> bytes:
        try:
            return self._keyring.open(sealed, self._context(name))
        except SealError as error:
            raise Permanent("unreadable_seal", f"vault entry: {error}") from None
