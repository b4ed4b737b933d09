"""Which tenant wrote this record? A broker tells no reader who wrote; so it is where a record lies, or what it proves.

``topic``: each tenant has topics of its own, and rights on the brokers say that nobody else writes to them. ``signed``:
one topic for all, and a record carries a proof by a key of its tenant. A key may be marked to speak for all tenants:
whoever has it knows by itself who asks (an HTTP door). ``field``: whoever says so is believed.

What is found is kept in the header ``forebay-writer`` from ingress on, so that a retry, whose proof is old by then, is
still its tenant's, and that a response is sealed with the key of whoever asked. It is taken from no producer.
"""

import base64
import hmac
import json
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from forebay.contract import headers as h
from forebay.contract.failures import Rejected
from forebay.contract.records import Feedback, Request
from forebay.contract.topics import tenant_of
from forebay.contract.wire import Delivered
from forebay.settings.tenants import EVERY, Identity
from forebay.trust.proofs import derived

UNSAID = Request().tenant_id
"""The tenant of a record that names none: it becomes its writer's."""
KEY_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
YOUNG_MS = 300_000
"""So far may a proof's time be from the broker's: both clocks, and the time until the brokers take a record."""

_PROOF = re.compile(rb"v1\.([a-zA-Z0-9_-]{1,64})\.([0-9]{1,15})\.([a-zA-Z0-9_-]{43})=?")
_NONCE_BYTES = 12

Told = Request | Feedback
"""What applications write."""


class TenantKey:
    """What a tenant signs its records with, and opens its responses.

    Args:
        key_id: its name.
        tenant: whose it is; :data:`EVERY`: it speaks for all.
        secret: of 256 bits.
    """

    def __init__(self, key_id: str, tenant: str, secret: bytes) -> None:
        self.id, self.tenant = key_id, tenant
        self._secret = secret
        self._cipher = AESGCM(derived(secret, "forebay/response/v1"))

    def proof(self, key: bytes, value: bytes, at_ms: int) -> bytes:
        """The header :data:`forebay.contract.headers.TENANT` of a record; ``at_ms``: now, in ms since the epoch."""
        return b"v1.%s.%d.%s" % (self.id.encode(), at_ms, self._mac(key, value, at_ms))

    def holds(self, mac: bytes, key: bytes, value: bytes, at_ms: int) -> bool:
        """Whether ``mac`` is that of a proof of this record."""
        return hmac.compare_digest(self._mac(key, value, at_ms), mac)

    def speaks_for(self, tenant_id: str) -> bool:
        """Whether who has the key may ask, and read answers, as this tenant."""
        return self.tenant in (EVERY, tenant_id)

    def seal(self, plain: bytes, tenant_id: str, request_id: str) -> tuple[bytes, dict[str, bytes]]:
        """``plain`` as only this key opens it, for this tenant's request, and the header that says so."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, plain, self._context(tenant_id, request_id))
        return sealed, {h.SEALED_FOR: json.dumps([self.id, tenant_id]).encode()}

    def open(self, sealed: bytes, tenant_id: str, request_id: str) -> bytes | None:
        """Inverse of :meth:`seal`; ``None``: it was not sealed with this key for this request."""
        try:
            return self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._context(tenant_id, request_id)
            )
        except (InvalidTag, ValueError):
            return None

    def _mac(self, key: bytes, value: bytes, at_ms: int) -> bytes:
        signed = ["v1", self.id, at_ms, key.decode("utf-8", "surrogateescape"), sha256(value).hexdigest()]
        text = json.dumps(signed, separators=(",", ":"))  # ASCII, and no join of two parts is another's
        return base64.urlsafe_b64encode(hmac.digest(self._secret, text.encode(), "sha256")).rstrip(b"=")

    def _context(self, tenant_id: str, request_id: str) -> bytes:
        return json.dumps(["forebay/response/1", self.id, tenant_id, request_id]).encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenants:
    """Who is believed, and which tenants there are.

    Attributes:
        known: requests of others are rejected; empty: any.
        keys: by their ids, for ``signed``.
    """

    identity: Identity = Identity.FIELD
    known: Collection[str] = frozenset()
    keys: Mapping[str, TenantKey] = field(default_factory=dict)

    def writer(self, source: Delivered) -> str:
        """What a record that comes for the first time proves of who wrote it: a value of the header ``WRITER``."""
        if self.identity is Identity.TOPIC:
            return tenant_of(source.topic) or ""
        found = _PROOF.fullmatch(source.headers.get(h.TENANT, b""))
        key = None if found is None else self.keys.get(found[1].decode())
        if found is None or key is None:
            return ""
        at_ms = int(found[2])
        young = abs(at_ms - source.timestamp_ms) <= YOUNG_MS
        return key.id if young and key.holds(found[3], source.key or b"", source.value or b"", at_ms) else ""

    def proved(self, headers: h.Headers) -> str | None:
        """Whose a record is by its header ``WRITER``.

        Returns:
            A tenant; empty: nobody's, since nothing was proved; ``None``: whose it says. That is so of what is of
            before a proof was asked for, and comes back by the word of a stage or an operator.
        """
        written = headers.get(h.WRITER)
        if self.identity is Identity.FIELD or written is None:
            return None
        writer = written.decode("utf-8", "replace")
        if self.identity is Identity.TOPIC:
            return writer
        key = self.keys.get(writer)
        if key is None:
            return ""
        return None if key.tenant == EVERY else key.tenant

    def own(self, record: Told, proved: str | None) -> Told:
        """``record`` with the tenant that it is of.

        Raises:
            Rejected: ``tenant_unproven``, ``tenant_mismatch``, ``unknown_tenant``.
        """
        if proved == "":
            raise Rejected("tenant_unproven", "nothing says which tenant the record is of")
        if proved is not None and record.tenant_id != proved:
            if record.tenant_id != UNSAID:
                raise Rejected("tenant_mismatch", "the record names another tenant than the one that wrote it")
            record = replace(record, tenant_id=proved)
        if self.identity is Identity.SIGNED and proved is not None and isinstance(record, Request):
            record = replace(record, key_id=None)  # a door's word, and a door's key speaks for all
        if self.known and record.tenant_id not in self.known:
            raise Rejected("unknown_tenant", "there is no such tenant here")
        return record

    def key_for(self, tenant_id: str, headers: h.Headers) -> TenantKey | None:
        """The key that seals a response to ``tenant_id``: that of the request, else the tenant's first."""
        asked = self.keys.get(h.text(headers, h.WRITER) or "")
        if asked is not None and asked.speaks_for(tenant_id):
            return asked
        return next((key for key in self.keys.values() if key.tenant == tenant_id), None)


def opened(sealed: bytes, headers: h.Headers, request_id: str, keys: Iterable[TenantKey]) -> bytes | None:
    """The value of a response that was sealed for one of ``keys``; ``None``: it is for somebody else."""
    try:
        key_id, tenant_id = json.loads(headers.get(h.SEALED_FOR, b""))
    except (ValueError, TypeError):
        return None
    for key in keys:
        if key.id == key_id and key.speaks_for(tenant_id):
            return key.open(sealed, tenant_id, request_id)
    return None
