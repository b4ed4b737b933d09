"""What may an operator do to the vault? Seal it with the newest key, erase a person's data, make a key."""

import base64
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from forebay.operations.audit.recording import Recorder
from forebay.operations.choices import InvalidChoiceError
from forebay.privacy.people.names import Names, forms, needed_key, of_vault_key
from forebay.privacy.sealing import Keyring, load_keyring, new_key_line
from forebay.privacy.vault import Owner
from forebay.settings import Settings, VaultSettings

_BETWEEN_KEYS = ":, \n"
"""What ``FOREBAY_VAULT_KEYS`` and the key file put between ids, keys and lines."""


class Sealed(Protocol):
    """The part of :class:`forebay.privacy.vault.Vault` that is needed here."""

    async def rotate(self) -> tuple[int, int, int]:
        """Entries sealed anew, those that no key opens, and those from before maps were bound to their request."""
        ...

    async def forget(self, owner: Owner) -> int:
        """How many entries of ``owner`` were erased."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """How many entries were sealed with the current key, and how many no key of the ring opens.

    Attributes:
        older: of all, from before maps were bound to their request; ``vault.ttl_s`` after the upgrade there is none.
    """

    resealed: int
    unreadable: int
    older: int


async def rotate(vault: Sealed, record: Recorder) -> Rotation:
    """Seal every entry with the first key of the ring; the others can be removed after that, if none is unreadable.

    Raises:
        PublishError: it cannot be written down; nothing was done.
        Failure: Redis does not answer; what was sealed stays so, and rotating again goes on.
    """
    with record("vault.rotate", subject="vault") as act:
        resealed, unreadable, older = await vault.rotate()
        act.count = resealed
    return Rotation(resealed=resealed, unreadable=unreadable, older=older)


async def forget(
    vault: Sealed, record: Recorder, ring: Keyring, *, tenant: str, user: str, names: Names | None = None
) -> int:
    """Erase what is known of a user (the right to erasure); topics forget by their retention.

    Returns:
        Entries erased. Answers that are still on their way to the user get ``vault_expired``.

    Args:
        ring: makes the tag by which the trail names the person.
        names: by which the person is found under id and pseudonym.

    Raises:
        PublishError: it cannot be written down; nothing was done.
        Failure: Redis does not answer.
    """
    with record("vault.forget", subject=person(ring, tenant=tenant, user=user)) as act:
        for called in forms(names, tenant, user):
            act.count += await vault.forget(Owner(tenant_id=tenant, user_id=called))
    return act.count


def person(ring: Keyring, *, tenant: str, user: str) -> str:
    """Who a record of the trail is about: a tag that whoever has the key can make again, and that names nobody."""
    return f"person {ring.tag(sha256(f'{len(tenant)}:{tenant}{user}'.encode()).digest())}"


def identity(settings: Settings, record: Recorder, *, of: str = "") -> str:
    """The key of users' pseudonyms as ``identity.key`` takes it, once the trail has that somebody gets it.

    Args:
        of: id of the vault's key that it was derived from; by default the key that counts.

    Raises:
        PublishError: it cannot be written down.
        ConfigurationError: there is none, and no key of the vault to derive it from.
    """
    key = of_vault_key(load_keyring(settings[VaultSettings]), of) if of else needed_key(settings)
    with record("vault.identity", subject="key of pseudonyms", count=1) as act:
        act.count = 1
    return base64.b64encode(key).decode()


def new_key(key_id: str, record: Recorder) -> str:
    """A new key as the line ``ID:BASE64`` that the settings take; it is stored nowhere, its id is in the trail.

    Raises:
        InvalidChoiceError: the id is empty, or has what stands between keys.
    """
    if not key_id or any(char in _BETWEEN_KEYS for char in key_id):
        raise InvalidChoiceError("an id has no blank, colon or comma")
    with record("vault.key", subject=f"key {key_id}") as act:
        line = new_key_line(key_id)
        act.count = 1
    return line
