"""What is a user called in records? By a keyed pseudonym: the same for ever, and nobody's to whoever has no key.

``u_`` or ``c_`` and the base32 of HMAC-SHA256 over tenant and id, each behind its length, cut to 120 bits: among a
billion users of an installation two share one with a chance of 4e-19. Without the key an id cannot be tried (an e-mail
address has few bits), with it anybody's pseudonym can be made: that is how a ``--user`` is found again.

The key must outlive everything that is kept (the ledger: 400 days). The vault's pepper does not, since it lies in Redis
alone: had a user another pseudonym after an outage, the budget of the month would begin again. So it is a setting.
Without one it is derived from the vault's key while that is the only one. A ring of several is a rotation, which must
not change what anybody is called, and nothing in it says which key came first: so before a second one is added,
``identity.key`` has to be said; ``forebay vault identity`` prints what it is.
"""

import base64
import hmac
import re
from pathlib import Path

from forebay.privacy.sealing import Keyring, derived, load_keyring, read_key_file
from forebay.settings import ConfigurationError, IdentitySettings, Settings, VaultSettings
from forebay.settings.identity import is_key

NAME = re.compile(r"[uc]_[A-Z2-7]{24}")
"""A pseudonym of a user or a conversation."""

NOBODY = "anonymous"
"""What a request has that names no user: it is nobody's id."""
_OURS = "forebay:"
"""Begins what is spent for the installation itself, such as ``forebay:judge``."""
_BYTES = 15  # 120 bits; a multiple of 5, so that base32 needs no padding
_WHICH = (
    "the vault has several keys, and nothing says from which of them users' pseudonyms are made: put what "
    "`forebay vault identity --of ID` prints into the file of identity.key_file, ID being the key that was there first"
)
_KEYLESS = "the key of pseudonyms is unknown: name it in identity.key_file, or have the vault's keys at hand"


class Names:
    """Makes pseudonyms.

    Args:
        key: of 256 bits.
    """

    def __init__(self, key: bytes) -> None:
        self._user_key = derived(key, "forebay/identity/user")
        self._conversation_key = derived(key, "forebay/identity/conversation")

    def user(self, tenant_id: str, user_id: str) -> str:
        """The pseudonym of an id as an application gave it; none for who names nobody."""
        if user_id in ("", NOBODY):
            return user_id
        return f"u_{_name(self._user_key, tenant_id, user_id)}"

    def conversation(self, tenant_id: str, conversation_id: str) -> str:
        """The pseudonym of a conversation's id as an application gave it."""
        return f"c_{_name(self._conversation_key, tenant_id, conversation_id)}"

    def recorded(self, tenant_id: str, user_id: str) -> str:
        """The one name of whoever a record calls ``user_id``, be it from before there were pseudonyms."""
        if NAME.fullmatch(user_id) or user_id.startswith(_OURS):
            return user_id
        return self.user(tenant_id, user_id)


def forms(names: Names | None, tenant_id: str, given: str) -> tuple[str, ...]:
    """What somebody may be called in records whom a person calls ``given``: the one way in which a ``--user`` is read.

    Args:
        names: ``None`` where the key is not known: then only what is given is looked for.
        given: the id, or its pseudonym. Of a pseudonym the id cannot be told: where records can be looked through,
            :func:`same` finds those of before as well.
    """
    if names is None:
        return (given,)
    return tuple(dict.fromkeys((names.recorded(tenant_id, given), given)))


def same(names: Names | None, tenant_id: str, recorded: str, given: str) -> bool:
    """Whether a record that calls its user ``recorded`` is of whom a person calls ``given``: see :func:`forms`."""
    if names is None:
        return recorded == given
    return names.recorded(tenant_id, recorded) == names.recorded(tenant_id, given)


def open_names(settings: Settings) -> Names | None:
    """The pseudonyms of an installation; ``None`` where neither their key nor the vault's are known.

    Raises:
        ConfigurationError: a key cannot be used; messages never contain it.
    """
    key = identity_key(settings)
    return None if key is None else Names(key)


def identity_key(settings: Settings) -> bytes | None:
    """See :func:`open_names`."""
    chosen, vault = settings[IdentitySettings], settings[VaultSettings]
    if given := chosen.key.get_secret_value().strip():
        return _decoded(given, "identity.key")
    if chosen.key_file:
        path = Path(chosen.key_file)
        return _decoded(read_key_file(path, "key file of pseudonyms").strip(), str(path))
    if vault.keys.get_secret_value().strip() or vault.keys_file:
        return of_vault_key(load_keyring(vault))
    return None


def of_vault_key(ring: Keyring, key_id: str = "") -> bytes:
    """The key of pseudonyms that was, or is, derived from a key of the vault; from the only one by default.

    Raises:
        ConfigurationError: there is none of this name, or several and none is named.
    """
    if not key_id and len(ring.key_ids) > 1:
        raise ConfigurationError(_WHICH)
    try:
        return ring.derived(key_id or ring.current, "forebay/identity/1")
    except KeyError:
        raise ConfigurationError(f"the vault has no key {key_id!r}") from None


def needed_names(settings: Settings) -> Names:
    """As :func:`open_names`, for who cannot do without. Raises :class:`ConfigurationError`."""
    return Names(needed_key(settings))


def needed_key(settings: Settings) -> bytes:
    """See :func:`needed_names`."""
    key = identity_key(settings)
    if key is None:
        raise ConfigurationError(_KEYLESS)
    return key


def _decoded(text: str, where: str) -> bytes:
    if not is_key(text):
        raise ConfigurationError(f"{where} is not 256 bits in base64")
    return base64.b64decode(text)


def _name(key: bytes, tenant_id: str, given: str) -> str:
    said = f"{len(tenant_id)}:{tenant_id}{len(given)}:{given}".encode("utf-8", "surrogatepass")
    return base64.b32encode(hmac.digest(key, said, "sha256")[:_BYTES]).decode()
