"""Did we write that? The header ``forebay-proof`` of records that come back into the chain.

A retry comes back through a topic that others may write to, and through one that every stage may write to. So the
stage that failed signs it, and the same stage checks it when it comes back: nobody shares a key, and the scheduler
needs none.
A replay needs somebody else's word, an operator's: a signature whose public key the stages know.

Signed is all that the record carries: key, value and every header, but ``forebay-due-at``, which the scheduler takes
away, and ``traceparent``, which it may add and which nothing is decided by. So nothing that is not signed is believed,
and a new header is signed without anybody thinking of it.
"""

import base64
import hmac
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from forebay.contract import headers as h

KEY_BYTES = 32
OPERATOR = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""Name of an operator's key."""
_UNSIGNED = frozenset({h.PROOF, h.DUE_AT, h.TRACEPARENT})
_REPLAY = re.compile(rb"r1\.([a-zA-Z0-9_-]{1,64})\.([a-zA-Z0-9_=-]{1,128})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """What a proof is about: a record as it comes back to its topic."""

    key: bytes | None
    value: bytes | None
    headers: h.Headers

    def to_bytes(self, purpose: str) -> bytes:
        """One text for each record: JSON, so that no join of two parts is another's; ASCII, so that it is the same."""
        listed = sorted((name, _text(value)) for name, value in self.headers.items() if name not in _UNSIGNED)
        value = None if self.value is None else sha256(self.value).hexdigest()
        return json.dumps([purpose, None if self.key is None else _text(self.key), value, listed]).encode()


class RetryProofs:
    """Proofs of one stage.

    Args:
        stage: its name.
        secrets: of 256 bits each; the first signs, all are believed.
    """

    def __init__(self, stage: str, secrets: Sequence[bytes]) -> None:
        self._stage = stage
        self._keys = [derived(secret, f"forebay/retry/{stage}") for secret in secrets]
        self._seals = [derived(secret, f"forebay/seal/{stage}") for secret in secrets]

    @classmethod
    def of_this_process(cls, stage: str = "") -> "RetryProofs":
        """For a stage that runs nowhere else and is not started again: a test's."""
        return cls(stage, [os.urandom(KEY_BYTES)])

    def sealing_keys(self) -> dict[str, bytes]:
        """Name to key of 256 bits, by which the stage seals what nobody else has to open; the first seals."""
        return {f"{self._stage}.{sha256(key).hexdigest()[:8]}": key for key in self._seals}

    def proof(self, record: Signed) -> bytes:
        """The header's value."""
        return self._proof(self._keys[0], record.to_bytes("forebay/retry/1"))

    def holds(self, proof: bytes, record: Signed) -> bool:
        """Whether this stage made ``record`` as it is."""
        signed = record.to_bytes("forebay/retry/1")
        return any(hmac.compare_digest(self._proof(key, signed), proof) for key in self._keys)

    def _proof(self, key: bytes, signed: bytes) -> bytes:
        digest = hmac.digest(key, signed, "sha256")
        return b"v1.%s.%s" % (self._stage.encode(), base64.urlsafe_b64encode(digest))


class OperatorKey:
    """Signs replays in the name of an operator."""

    def __init__(self, name: str, private: bytes) -> None:
        self.name = name
        self._key = Ed25519PrivateKey.from_private_bytes(private)

    @property
    def public(self) -> str:
        """What stages know it by, in base64."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def proof(self, record: Signed) -> bytes:
        """The header's value."""
        signature = self._key.sign(record.to_bytes("forebay/replay/1"))
        return b"r1.%s.%s" % (self.name.encode(), base64.urlsafe_b64encode(signature))


class Operators:
    """The operators whose replays are believed; ``keys``: name to public key."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {name: Ed25519PublicKey.from_public_bytes(key) for name, key in keys.items()}

    def who(self, proof: bytes, record: Signed) -> str | None:
        """The operator who sent ``record`` as it is; ``None``: none of them did."""
        found = _REPLAY.fullmatch(proof)
        name = "" if found is None else found[1].decode()
        key = self._keys.get(name)
        if found is None or key is None:
            return None
        try:
            key.verify(base64.urlsafe_b64decode(found[2]), record.to_bytes("forebay/replay/1"))
        except (InvalidSignature, ValueError):
            return None
        return name


def derived(secret: bytes, purpose: str) -> bytes:
    """A key of its own for each purpose (RFC 5869), so that one secret serves several without one telling another."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=b"", info=purpose.encode()).derive(secret)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
