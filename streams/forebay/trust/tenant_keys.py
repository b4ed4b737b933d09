"""Where do the keys of tenants come from? Lines ``ID:TENANT:SECRET`` of a file that its owner alone can read.

Stages have all lines, an application its own. A tenant ``*`` speaks for all.
"""

import base64
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from forebay.contract.ids import plain_id
from forebay.settings import ConfigurationError, Settings, TenantSettings
from forebay.settings.faults import shown
from forebay.settings.tenants import EVERY, Identity
from forebay.trust.keys import decoded, lines_of
from forebay.trust.proofs import KEY_BYTES
from forebay.trust.tenants import KEY_ID, TenantKey, Tenants


def tenants(settings: Settings) -> Tenants:
    """Who is believed by stages that read what applications write, or answer them.

    Raises:
        ConfigurationError: names or keys are missing or cannot be used; messages never contain a key.
    """
    chosen = settings[TenantSettings]
    names = _names(chosen)
    if chosen.identity is Identity.TOPIC and not names:
        raise ConfigurationError("with tenants.identity: topic, stages need the tenants there are: tenants.known")
    if chosen.identity is not Identity.SIGNED:
        return Tenants(identity=chosen.identity, known=names)
    if not chosen.keys_file:
        raise ConfigurationError("with tenants.identity: signed, stages need the tenants' keys: tenants.keys_file")
    return Tenants(identity=chosen.identity, known=names, keys=_keys(lines_of(Path(chosen.keys_file)), "keys_file"))


def known_tenants(settings: Settings) -> frozenset[str]:
    """Tenants with an account of their own: those there are, and those with a key. Raises as :func:`tenants`."""
    chosen = settings[TenantSettings]
    if chosen.identity is not Identity.SIGNED or not chosen.keys_file:
        return _names(chosen)
    return _names(chosen) | {key.tenant for key in tenants(settings).keys.values()} - {EVERY}


def own_keys(settings: Settings) -> list[TenantKey]:
    """An application's keys; the first signs. Raises :class:`ConfigurationError`: it has none."""
    chosen = settings[TenantSettings]
    if given := chosen.key.get_secret_value().split():
        return list(_keys(given, "key").values())
    if not chosen.key_file:
        raise ConfigurationError(
            "with tenants.identity: signed, an application needs its key: FOREBAY_TENANTS_KEY or tenants.key_file"
        )
    return list(_keys(lines_of(Path(chosen.key_file)), "key_file").values())


def new_tenant_key(key_id: str, tenant: str) -> str:
    """A line for ``tenants.keys_file``, and for the application. Raises :class:`ConfigurationError`."""
    if not KEY_ID.fullmatch(key_id):
        raise ConfigurationError("an id of a key has letters, digits, - and _, at most 64")
    if tenant != EVERY and not plain_id(tenant):
        raise ConfigurationError(f"{shown(tenant)} is no tenant's id")
    return f"{key_id}:{tenant}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}\n"


def _names(chosen: TenantSettings) -> frozenset[str]:
    names = chosen.names()
    for name in sorted(names):
        if not plain_id(name):
            raise ConfigurationError(f"tenants.known: {shown(name)} is no tenant's id")
    return names


def _keys(lines: Iterable[str], where: str) -> Mapping[str, TenantKey]:
    keys: dict[str, TenantKey] = {}
    for number, line in enumerate(lines, start=1):
        key_id, _, rest = line.partition(":")
        tenant, colon, secret = rest.rpartition(":")
        if not colon or not KEY_ID.fullmatch(key_id) or not (tenant == EVERY or plain_id(tenant)):
            raise ConfigurationError(f"tenants.{where}: line {number} is not of the form ID:TENANT:BASE64")
        if key_id in keys:
            raise ConfigurationError(f"tenants.{where}: there are two keys {key_id}")
        keys[key_id] = TenantKey(key_id, tenant, decoded(secret, f"tenants.{where}: the key {key_id}"))
    return keys
