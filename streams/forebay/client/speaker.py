"""As which tenant does this application speak? What it does so that it is believed, and reads what is for it alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from forebay.client.errors import InvalidRequestError
from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.topics import of_tenant
from forebay.settings import ConfigurationError, Settings, TenantSettings
from forebay.settings.tenants import EVERY, Identity
from forebay.trust.tenant_keys import own_keys
from forebay.trust.tenants import UNSAID, TenantKey, opened


class Speaker:
    """By ``tenants.identity``: with ``topic`` it writes to its tenant's topics, with ``signed`` it signs.

    Args:
        tenant: that it is; empty: whichever a record names.
        keys: of the tenant, for ``signed``; the first signs, all open.
        clock: ms since the epoch.
    """

    def __init__(
        self, identity: Identity, tenant: str = "", keys: Sequence[TenantKey] = (), clock: Clock = now_ms
    ) -> None:
        self._identity = identity
        self._tenant = tenant
        self._keys = keys
        self._clock = clock

    @property
    def signs(self) -> bool:
        """Whether responses to it are sealed: of those that are not, it believes only what is about its own words."""
        return self._identity is Identity.SIGNED

    def topic(self, kind: str) -> str:
        """Where its records of a kind are, by logical name."""
        return of_tenant(kind, self._tenant) if self._identity is Identity.TOPIC else kind

    def own(self, record: Any) -> Any:
        """A request or feedback as its tenant's, where it names none.

        Raises:
            InvalidRequestError: it names another tenant.
        """
        if not self._tenant or record.tenant_id == self._tenant:
            return record
        if record.tenant_id != UNSAID:
            raise InvalidRequestError("tenant_id: this client speaks for another tenant, and would not be believed")
        return replace(record, tenant_id=self._tenant)

    def headers(self, key: bytes, value: bytes) -> list[tuple[str, bytes]]:
        """By which a record is believed to be its tenant's."""
        return [(h.TENANT, self._keys[0].proof(key, value, self._clock()))] if self.signs else []

    def opened(self, value: bytes | None, headers: Mapping[str, bytes], request_id: str) -> bytes | None:
        """The value of a response; ``None``: it was sealed for somebody else."""
        if h.SEALED_FOR not in headers:
            return value
        return opened(value or b"", headers, request_id, self._keys)


class DoorSpeaker:
    """For all tenants: what an HTTP door needs to be believed by each of them, and to read their answers.

    Args:
        tenants: that have topics of their own, for ``topic``.
        keys: of the door, which speak for all, for ``signed``.
    """

    def __init__(self, identity: Identity, tenants: Sequence[str] = (), keys: Sequence[TenantKey] = ()) -> None:
        self._all = Speaker(identity, keys=keys)
        self._each = {tenant: Speaker(identity, tenant) for tenant in tenants} if identity is Identity.TOPIC else {}
        self._apart = identity is Identity.TOPIC

    def of(self, tenant_id: str) -> Speaker | None:
        """Speaks for a tenant; ``None``: there is no such tenant here."""
        return self._each.get(tenant_id) if self._apart else self._all

    def topics(self, kind: str) -> list[str]:
        """Where records of a kind are, of all tenants, by logical name."""
        return [one.topic(kind) for one in self._each.values()] if self._apart else [kind]

    @property
    def signs(self) -> bool:
        """As of :class:`Speaker`."""
        return self._all.signs

    def opened(self, value: bytes | None, headers: Mapping[str, bytes], request_id: str) -> bytes | None:
        """As of :class:`Speaker`."""
        return self._all.opened(value, headers, request_id)


def door_speaker(settings: Settings) -> DoorSpeaker:
    """As whom an HTTP door speaks by its settings.

    Raises:
        ConfigurationError: the tenants are not named, or its key is missing, or speaks for one tenant alone.
    """
    chosen = settings[TenantSettings]
    if chosen.identity is Identity.FIELD:
        return DoorSpeaker(Identity.FIELD)
    if chosen.identity is Identity.TOPIC:
        if not (names := sorted(chosen.names())):
            raise ConfigurationError("with tenants.identity: topic, a door needs the tenants there are: tenants.known")
        return DoorSpeaker(Identity.TOPIC, names)
    keys = own_keys(settings)
    if any(key.tenant != EVERY for key in keys):
        raise ConfigurationError(
            f"a door speaks for all tenants, so its key has to be one of {EVERY} (`forebay tenants key ID '{EVERY}' …`)"
        )
    return DoorSpeaker(Identity.SIGNED, keys=keys)


def speaker(settings: Settings) -> Speaker:
    """As whom an application speaks by its settings.

    Raises:
        ConfigurationError: they do not say which tenant it is, or its key is missing or cannot be used.
    """
    chosen = settings[TenantSettings]
    if chosen.identity is Identity.FIELD:
        return Speaker(Identity.FIELD)
    if chosen.identity is Identity.TOPIC:
        if not chosen.tenant:
            raise ConfigurationError(
                "with tenants.identity: topic, an application says which tenant it is: tenants.tenant"
            )
        return Speaker(Identity.TOPIC, chosen.tenant)
    keys = own_keys(settings)
    return Speaker(Identity.SIGNED, "" if keys[0].tenant == EVERY else keys[0].tenant, keys)
