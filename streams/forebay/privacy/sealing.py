"""How is text that can re-identify a person kept? AES-256-GCM under a ring of named keys.

Sealed bytes: version (1 byte, 1), length of the key id (1 byte), key id (UTF-8), nonce (12 bytes), ciphertext, tag. The
context (what the bytes belong to) is authenticated, so that a sealed value cannot be moved to another record.
"""

import base64
import hmac
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from forebay.settings import ConfigurationError, VaultSettings

_VERSION = 1
_NONCE_BYTES = 12  # NIST SP 800-38D: 96-bit nonces; random ones are safe for 2**32 messages a key

_TAG_BYTES = 16


class SealError(Exception):
    """Sealed bytes cannot be opened: unknown key, wrong context, or damaged."""


class Keyring:
    """Seals with its first key, opens with any.

    Args:
        keys: key id to 256-bit key, the newest first.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ConfigurationError("the vault has no key: set FOREBAY_VAULT_KEYS or vault.keys_file")
        for key_id, key in keys.items():
            if len(key) != 32:
                raise ConfigurationError(f"vault key {key_id!r} has {len(key) * 8} bits, needs 256")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._keys = dict(keys)
        self.current = next(iter(keys))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Ids of all keys, the sealing one first."""
        return tuple(self._ciphers)

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt ``plain``; ``context`` must be given again to open it."""
        key_id = self.current.encode()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.current].encrypt(nonce, plain, context.encode())
        return bytes([_VERSION, len(key_id)]) + key_id + nonce + sealed

    def tag(self, digest: bytes) -> str:
        """``KEY:HEX``, by which whoever has the key knows a digest again, and nobody else can guess what it is of."""
        key = derived(self._keys[self.current], "forebay-tag")  # not the key that seals
        return f"{self.current}:{hmac.digest(key, digest, 'sha256').hex()}"

    def derived(self, key_id: str, purpose: str) -> bytes:
        """A key of its own for ``purpose``, made of one of the ring. Raises ``KeyError`` where it is not there."""
        return derived(self._keys[key_id], purpose)

    def open(self, sealed: bytes, context: str) -> bytes:
        """The plain bytes. Raises :class:`SealError`."""
        key_id, start = _key_id(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealError(f"sealed with key {key_id!r}, which is not in the ring")
        nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, body, context.encode())
        except (InvalidTag, ValueError) as error:
            raise SealError("damaged, or sealed for another context") from error


def derived(key: bytes, purpose: str) -> bytes:
    """A key of 256 bits for one purpose, of which neither ``key`` nor that for another purpose can be told."""
    return hmac.digest(key, purpose.encode(), "sha256")


def key_id_of(sealed: bytes) -> str:
    """Id of the key that ``sealed`` needs. Raises :class:`SealError`."""
    return _key_id(sealed)[0]


def looks_sealed(value: bytes) -> bool:
    """Whether ``value`` has the form of sealed bytes; Avro records (first byte 0) and JSON have not."""
    try:
        _key_id(value)
    except SealError:
        return False
    return True


def _key_id(sealed: bytes) -> tuple[str, int]:
    if len(sealed) < 2 or sealed[0] != _VERSION:
        raise SealError("not a sealed value")
    end = 2 + sealed[1]
    if len(sealed) < end + _NONCE_BYTES + _TAG_BYTES:
        raise SealError("not a sealed value")
    try:
        return sealed[2:end].decode(), end
    except UnicodeDecodeError as error:
        raise SealError("not a sealed value") from error


def load_keyring(settings: VaultSettings) -> Keyring:
    """The ring that the settings name. Raises :class:`ConfigurationError`; messages never contain a key."""
    text = settings.keys.get_secret_value().replace(",", "\n")
    if not text.strip() and settings.keys_file:
        text = read_key_file(Path(settings.keys_file), "vault's key file")
    keys: dict[str, bytes] = {}
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), start=1):
        key_id, colon, encoded = line.partition(":")
        try:
            keys[key_id] = base64.b64decode(encoded, validate=True)
        except ValueError:
            colon = ""
        if not colon or not key_id:
            raise ConfigurationError(f"vault key {number} is not of the form ID:BASE64")
    return Keyring(keys)


def new_key_line(key_id: str) -> str:
    """A fresh random key in the form that the settings take."""
    return f"{key_id}:{base64.b64encode(AESGCM.generate_key(256)).decode()}"


def read_key_file(path: Path, what: str) -> str:
    """Text of a file that its owner alone can read. Raises :class:`ConfigurationError`, which quotes none of it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"the {what} {path} cannot be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"the {what} {path} is open to others: chmod 600 {path}")
    return text
