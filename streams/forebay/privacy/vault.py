"""Where is kept what pseudonyms stand for? In Redis, sealed, for a limited time, and erasable by user.

Kinds of entries (:class:`forebay.state.keys.Hashed`): the map of one request, its newest reference, what a
conversation's pseudonyms stand for so far, and which of these belong to a user (a sorted set by expiry). Ids of users
and conversations may themselves be personal (an e-mail address), so keys carry a keyed hash of them and of their
tenant; its key (``pepper``) is random and sealed like everything else: Redis alone tells nothing.

A map opens for the request that it was made for, and for no other: its key, which its seal is bound to, is a keyed hash
of tenant, user, request and reference. A reference proves by itself whose it is: a random part, and a keyed hash of the
same with it. So one that was copied into another completion is told (``vault_mismatch``) from one that has expired.
"""

import asyncio
import hmac
import json
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

from forebay.contract.clock import now_s
from forebay.contract.failures import Permanent
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.sealing import Keyring, SealError, key_id_of
from forebay.privacy.vault_store import NEWEST, Conversation, Owner, VaultStore, context_of, listed_key
from forebay.state.keys import Common, Hashed, Key, Prefix, beginning, parts_of, plain

__all__ = ["CONVERSATION_LIMIT", "Conversation", "Owner", "Vault"]

CONVERSATION_LIMIT = 5_000
"""Values that a conversation remembers; beyond them new ones get a pseudonym for the request only."""
_REF_BYTES, _OLD_REF_CHARS = 18, 24
"""Random, in base64: the whole of a reference from before references had a proof; behind a point today's have one."""
_PROOF_CHARS = 32  # 128 bits
_EXPIRED = "the pseudonym mapping has expired or was erased"


class Vault:
    """Stores, loads and erases pseudonym maps.

    Args:
        store: :func:`forebay.privacy.vault_redis.open_vault` brings the real one.
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
        self._sealed_pepper = b""
        self._older_until = 0.0
        self._lock = asyncio.Lock()

    async def store(self, mapping: PseudonymMap, owner: Owner, request_id: str) -> str:
        """Keep ``mapping``; the reference to load it by, which tells nothing."""
        while True:
            random = secrets.token_urlsafe(_REF_BYTES)
            ref = f"{random}.{await self._proof(owner, request_id, random)}"
            key, newest = await self._map_key(owner, request_id, ref), await self._newest_key(owner, request_id)
            if await self._note(owner, key, newest):
                break
        entries = {self._prefix + key: self._seal(mapping.to_json(), key), self._prefix + newest: ref.encode()}
        await self._store.put(entries, self._ttl_s)
        return ref

    async def load(self, ref: str, owner: Owner, request_id: str) -> PseudonymMap:
        """The map behind ``ref``, which was made for this request of ``owner``.

        Raises:
            Permanent: ``vault_mismatch`` when it was made for another, ``vault_expired`` when it is gone,
                ``unreadable_seal`` when no key at hand opens it.
            Transient: Redis does not answer.
        """
        return await self._with_pepper(lambda: self._load(ref, owner, request_id))

    async def _load(self, ref: str, owner: Owner, request_id: str) -> PseudonymMap:
        random, point, proof = ref.partition(".")
        if not point:
            return await self._load_older(ref, owner)
        if not hmac.compare_digest((await self._proof(owner, request_id, random)).encode(), proof.encode()):
            raise Permanent("vault_mismatch", "the pseudonym mapping was made for another request")
        key = await self._map_key(owner, request_id, ref)
        sealed = await self._store.get(self._prefix + key)
        if sealed is None:
            raise Permanent("vault_expired", _EXPIRED)
        return PseudonymMap.from_json(self._open(sealed, key))

    async def of_request(self, owner: Owner, request_id: str) -> PseudonymMap:
        """The newest map of a request, for who has no reference: what answers it later. Raises as :meth:`load`."""
        return await self._with_pepper(lambda: self._newest(owner, request_id))

    async def _newest(self, owner: Owner, request_id: str) -> PseudonymMap:
        ref = await self._store.get(self._prefix + await self._newest_key(owner, request_id))
        if ref is None:
            raise Permanent("vault_expired", _EXPIRED)
        return await self._load(ref.decode("ascii", "replace"), owner, request_id)

    async def _load_older(self, ref: str, owner: Owner) -> PseudonymMap:
        """A map from before references had a proof; opened for as long as one could live after the upgrade."""
        await self._secret()
        older = [plain(Hashed.VAULT_MAP, await self._hash("map", owner.tenant_id, owner.user_id, ref))]
        if len(ref) == _OLD_REF_CHARS:  # of 0.1: its keys had no owner
            older.append(plain(Hashed.VAULT_MAP, ref))
        for key in older if self._clock() < self._older_until else ():
            if (sealed := await self._store.get(self._prefix + key)) is not None:
                return PseudonymMap.from_json(self._open(sealed, key))
        raise Permanent("vault_expired", _EXPIRED)

    async def conversation(self, owner: Owner, conversation_id: str) -> Conversation:
        """What is known of a conversation; empty when it is new, expired or erased."""
        key = await self._conversation_key(owner, conversation_id)
        found = await self._store.versioned(self._prefix + key)
        if found is None:
            return Conversation()
        version, sealed = found
        return Conversation(tags=json.loads(self._open(sealed, key)), version=version)

    async def extend(
        self,
        owner: Owner,
        conversation_id: str,
        seen: Conversation,
        tags: Mapping[str, str],
        *,
        known_as: Owner | None = None,
    ) -> bool:
        """Make ``tags`` what is known of the conversation, unless another request has changed it since ``seen``.

        Args:
            owner: as the application calls its user, whatever records do: so a conversation goes on when that changes.
            known_as: as records call the user, if that is another name: under this ``forget`` finds it.

        Returns:
            Whether it was stored; if not, read again and number again.
        """
        key = await self._conversation_key(owner, conversation_id)
        kept = dict(list(tags.items())[:CONVERSATION_LIMIT])
        if not await self._note(known_as or owner, key):
            return False
        sealed = self._seal(json.dumps(kept).encode(), key)
        return await self._store.swap(self._prefix + key, seen.version, secrets.token_hex(8), sealed, self._ttl_s)

    async def forget(self, owner: Owner) -> int:
        """Erase everything of a user; the number of entries that were there."""
        index = self._prefix + await self._user_key(owner)
        listed = [listed_key(name) for name in await self._store.members(index)]
        sealed = [self._prefix + key for key in listed if not key.startswith(NEWEST)]
        erased = await self._store.remove(sealed) if sealed else 0
        await self._store.remove([*(self._prefix + key for key in listed if key.startswith(NEWEST)), index])
        return erased

    async def known(self, owner: Owner) -> list[dict[str, object]]:
        """Everything of a user, opened; what no key opens any more is left out."""
        found = []
        for key in map(listed_key, await self._store.members(self._prefix + await self._user_key(owner))):
            if not key.startswith(NEWEST) and (sealed := await self._at(key)) is not None:
                with suppress(SealError):
                    found.append({"key": key, "content": json.loads(self._keyring.open(sealed, context_of(key)))})
        return found

    async def _at(self, key: Key) -> bytes | None:
        if not key.startswith(beginning(Hashed.VAULT_CONVERSATION)):
            return await self._store.get(self._prefix + key)
        found = await self._store.versioned(self._prefix + key)
        return None if found is None else found[1]

    async def rotate(self) -> tuple[int, int, int]:
        """Seal every entry with the current key.

        Returns:
            How many were; how many no key opens; how many of all are from before maps were bound to their request.
        """
        changed = unreadable = older = 0
        async for key, sealed in self._sealed():
            older += key.startswith(beginning(Hashed.VAULT_MAP))
            try:
                if key_id_of(sealed) == self._keyring.current:
                    continue
                opened = self._keyring.open(sealed, context_of(key))
            except SealError:
                unreadable += 1
                continue
            changed += await self._store.replace(self._prefix + key, sealed, self._seal(opened, key))
        return changed, unreadable, older

    async def _sealed(self) -> AsyncIterator[tuple[Key, bytes]]:
        """All that is sealed, with its key."""
        for single in (plain(Common.VAULT_PEPPER), plain(Common.VAULT_BOUND_AT)):
            if (sealed := await self._store.get(self._prefix + single)) is not None:
                yield single, sealed
        for space in (Hashed.VAULT_MAP, Hashed.VAULT_REQUEST, Hashed.VAULT_CONVERSATION):
            async for found in self._store.scan(self._prefix + beginning(space)):
                key = plain(space, *parts_of(space, self._prefix.without(found)))
                if (sealed := await self._at(key)) is not None:
                    yield key, sealed

    async def _note(self, owner: Owner, *keys: Key) -> bool:
        """Note in the owner's index what ``forget`` has to erase, before it is there; false: ``keys`` are none now."""
        index = self._prefix + await self._user_key(owner)
        now = self._clock()
        members = {key.partition(":")[2]: now + self._ttl_s for key in keys}
        pepper = self._prefix + plain(Common.VAULT_PEPPER)
        sealed = await self._store.index(index, members, now, self._ttl_s, pepper)
        return sealed == self._sealed_pepper or not await self._renewed()

    async def _proof(self, owner: Owner, request_id: str, random: str) -> str:
        hashed = await self._hash("reference", owner.tenant_id, owner.user_id, request_id, random)
        return hashed[:_PROOF_CHARS]

    async def _map_key(self, owner: Owner, request_id: str, ref: str) -> Key:
        hashed = await self._hash("map of", owner.tenant_id, owner.user_id, request_id, ref)
        return plain(Hashed.VAULT_REQUEST, hashed)

    async def _newest_key(self, owner: Owner, request_id: str) -> Key:
        return plain(Hashed.VAULT_NEWEST, await self._hash("newest", owner.tenant_id, owner.user_id, request_id))

    async def _user_key(self, owner: Owner) -> Key:
        return plain(Hashed.VAULT_USER, await self._hash("user", owner.tenant_id, owner.user_id))

    async def _conversation_key(self, owner: Owner, conversation_id: str) -> Key:
        parts = ("conversation", owner.tenant_id, owner.user_id, conversation_id)
        return plain(Hashed.VAULT_CONVERSATION, await self._hash(*parts))

    async def _hash(self, *parts: str) -> str:
        pepper = self._pepper or await self._secret()
        return hmac.digest(pepper, json.dumps(parts).encode(), "sha256").hex()[:40]

    async def _with_pepper(self, work: Callable[[], Awaitable[PseudonymMap]]) -> PseudonymMap:
        """``work``, once more if it was done with a pepper that is not the vault's any more."""
        try:
            return await work()
        except Permanent as failure:
            if failure.code not in ("vault_expired", "vault_mismatch") or not await self._renewed():
                raise
        return await work()

    async def _renewed(self) -> bool:
        """Read the pepper again; whether it is another one.

        A Redis that lost its memory lost the pepper. Of the workers that still know it the first to write gives it
        back; if one that was started meanwhile has made a new one, all go over to that.
        """
        async with self._lock:
            before, self._pepper = self._pepper, None
            if before is not None:
                key = plain(Common.VAULT_PEPPER)
                await self._store.put_new(self._prefix + key, self._seal(before, key))
        return await self._secret() != before

    async def _secret(self) -> bytes:
        """The pepper, read once, with the moment from which on maps are bound to their requests."""
        async with self._lock:
            if self._pepper is None:
                key, found = plain(Common.VAULT_PEPPER), True
                sealed = await self._store.get(self._prefix + key)
                if sealed is None:
                    found = False
                    await self._store.put_new(self._prefix + key, self._seal(os.urandom(32), key))
                    sealed = await self._store.get(self._prefix + key)
                if sealed is None:
                    raise Permanent("vault_expired", "Redis drops the vault's entries as they are written")
                self._older_until = await self._bound_at(first=not found) + self._ttl_s
                self._pepper, self._sealed_pepper = self._open(sealed, key), sealed
            return self._pepper

    async def _bound_at(self, *, first: bool) -> float:
        """When this code first met the vault, in seconds since the epoch; a vault that it made has nothing older."""
        key = plain(Common.VAULT_BOUND_AT)
        now = -self._ttl_s if first else self._clock()
        await self._store.put_new(self._prefix + key, self._seal(str(now).encode(), key))
        sealed = await self._store.get(self._prefix + key)
        return now if sealed is None else float(self._open(sealed, key))

    def _seal(self, data: bytes, key: Key) -> bytes:
        return self._keyring.seal(data, context_of(key))

    def _open(self, sealed: bytes, key: Key) -> bytes:
        try:
            return self._keyring.open(sealed, context_of(key))
        except SealError as error:
            raise Permanent("unreadable_seal", f"vault entry: {error}") from None
