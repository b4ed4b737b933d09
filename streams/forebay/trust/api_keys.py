"""What does a key of the HTTP door look like? ``fb-<key id>-<secret><checksum>``.

The id is 12 characters of base32, the secret 256 random bits in 43 of base62, the checksum a CRC-32 of all before it in
6: scanners for secrets find it, and a typing error is told from a wrong key without a look-up. Of the secret nothing is
kept but SHA-256, which is enough for 256 random bits.
"""

import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from hashlib import sha256

_BASE32, _BASE62 = "abcdefghijklmnopqrstuvwxyz234567", string.digits + string.ascii_letters
_ID_CHARS, _SECRET_BYTES, _SECRET_CHARS, _SUM_CHARS = 12, 32, 43, 6
KEY_ID = re.compile(r"[a-z2-7]{12}")
_KEY = re.compile(r"fb-([a-z2-7]{12})-([0-9A-Za-z]{43})([0-9A-Za-z]{6})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Presented:
    """A key as somebody shows it: its id, and the hash of its secret."""

    key_id: str
    secret_hash: str

    def matches(self, kept: str | None) -> bool:
        """Whether ``kept`` is the hash of this secret; in constant time."""
        return hmac.compare_digest(self.secret_hash, kept or "0" * 64) and kept is not None


def new_key(key_id: str = "") -> str:
    """A key that nobody has; with a ``key_id`` one of that id."""
    chosen = key_id or "".join(secrets.choice(_BASE32) for _ in range(_ID_CHARS))
    secret = _base62(int.from_bytes(secrets.token_bytes(_SECRET_BYTES), "big"), _SECRET_CHARS)
    return f"fb-{chosen}-{secret}{_checksum(f'fb-{chosen}-{secret}')}"


def read_key(text: str) -> Presented | None:
    """The key that ``text`` is; ``None``: it is none, or mistyped."""
    found = _KEY.fullmatch(text)
    if found is None or _checksum(text[:-_SUM_CHARS]) != found[3]:
        return None
    return Presented(key_id=found[1], secret_hash=sha256(found[2].encode()).hexdigest())


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _SUM_CHARS)


def _base62(number: int, chars: int) -> str:
    found = ""
    for _ in range(chars):
        number, digit = divmod(number, len(_BASE62))
        found = _BASE62[digit] + found
    return found
