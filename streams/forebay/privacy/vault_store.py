"""What does a vault need of its store? And a store in memory: the twin of the one in Redis, for tests and for commands
that need no server.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import time
from typing import Protocol

from forebay.contract.failures import Transient
from forebay.state.keys import Hashed, Key, beginning, plain

NEWEST = beginning(Hashed.VAULT_NEWEST)
"""Begins the key of what is no entry but the name of one."""
_KINDS = {"c": Hashed.VAULT_CONVERSATION, "r": Hashed.VAULT_REQUEST, "n": Hashed.VAULT_NEWEST}


def context_of(key: Key) -> str:
    """What a seal is bound to: ``vault/m:HASH``, so that an entry cannot be moved to another key."""
    return key.replace(":", "/", 1)


def listed_key(name: str) -> Key:
    """The key of an entry by its name in the index of a user."""
    kind, _, digest = name.partition(":")
    return plain(_KINDS.get(kind, Hashed.VAULT_MAP), digest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Whose data it is: what ``forget`` erases by."""

    tenant_id: str
    user_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """What is known of a conversation.

    Attributes:
        tags: tag to value, oldest first; what redaction remembers beside them stands under the empty name.
        version: of the stored entry; empty when there is none yet.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


class VaultStore(Protocol):
    """The few things that a vault needs from its store. All raise ``Transient("redis_unavailable")``."""

    async def get(self, key: str) -> bytes | None:
        """Value of ``key``."""

    async def put(self, entries: Mapping[str, bytes], ttl_s: int) -> None:
        """Set keys to values, for ``ttl_s`` seconds."""

    async def put_new(self, key: str, value: bytes) -> None:
        """Set ``key`` unless it is there; kept for ever."""

    async def swap(self, key: str, expected: str, version: str, value: bytes, ttl_s: int) -> bool:
        """Set a versioned entry if its version is still ``expected`` (empty: it is not there)."""

    async def versioned(self, key: str) -> tuple[str, bytes] | None:
        """Version and value of a versioned entry."""

    async def index(self, key: str, members: Mapping[str, float], now: float, ttl_s: int, beside: str) -> bytes | None:
        """Add members (to expiry, seconds since the epoch) to a set and drop expired ones; the value of ``beside``."""

    async def members(self, key: str) -> list[str]:
        """Members of a set."""

    async def remove(self, keys: list[str]) -> int:
        """Delete; the number that were there."""

    def scan(self, prefix: str) -> AsyncIterator[str]:
        """Keys that begin with ``prefix``; may repeat some."""

    async def replace(self, key: str, old: bytes, new: bytes) -> bool:
        """Swap the sealed value of a plain or versioned entry if it is still ``old``, keeping its expiry."""


class MemoryVaultStore:
    """See :class:`VaultStore`.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self.entries: dict[str, tuple[bytes, str, float]] = {}
        self.indexes: dict[str, dict[str, float]] = {}
        self.down = False

    def _check(self) -> None:
        if self.down:
            raise Transient("redis_unavailable", "the memory store plays dead")
        for key in [key for key, (_, _, expiry) in self.entries.items() if expiry <= self._clock()]:
            del self.entries[key]

    async def get(self, key: str) -> bytes | None:
        """See the protocol."""
        self._check()
        found = self.entries.get(key)
        return found[0] if found else None

    async def put(self, entries: Mapping[str, bytes], ttl_s: int) -> None:
        """See the protocol."""
        self._check()
        for key, value in entries.items():
            self.entries[key] = value, "", self._clock() + ttl_s

    async def put_new(self, key: str, value: bytes) -> None:
        """See the protocol."""
        self._check()
        self.entries.setdefault(key, (value, "", float("inf")))

    async def swap(self, key: str, expected: str, version: str, value: bytes, ttl_s: int) -> bool:
        """See the protocol."""
        self._check()
        if (self.entries[key][1] if key in self.entries else "") != expected:
            return False
        self.entries[key] = value, version, self._clock() + ttl_s
        return True

    async def versioned(self, key: str) -> tuple[str, bytes] | None:
        """See the protocol."""
        self._check()
        found = self.entries.get(key)
        return (found[1], found[0]) if found else None

    async def index(self, key: str, members: Mapping[str, float], now: float, ttl_s: int, beside: str) -> bytes | None:
        """See the protocol."""
        self._check()
        kept = {name: expiry for name, expiry in self.indexes.get(key, {}).items() if expiry > now}
        self.indexes[key] = kept | dict(members)
        return await self.get(beside)

    async def members(self, key: str) -> list[str]:
        """See the protocol."""
        self._check()
        return list(self.indexes.get(key, {}))

    async def remove(self, keys: list[str]) -> int:
        """See the protocol."""
        self._check()
        removed = 0
        for key in keys:
            removed += self.entries.pop(key, None) is not None
            with suppress(KeyError):
                del self.indexes[key]
        return removed

    async def scan(self, prefix: str) -> AsyncIterator[str]:
        """See the protocol."""
        self._check()
        for key in [key for key in self.entries if key.startswith(prefix)]:
            yield key

    async def replace(self, key: str, old: bytes, new: bytes) -> bool:
        """See the protocol."""
        self._check()
        found = self.entries.get(key)
        if found is None or found[0] != old:
            return False
        self.entries[key] = new, found[1], found[2]
        return True
