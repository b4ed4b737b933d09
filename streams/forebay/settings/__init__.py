"""Where does a setting come from? Environment first, then ``forebay.yaml``, then the default declared beside it.

A section is a class; its key ``KEY`` is read from ``FOREBAY_<SECTION>_<KEY>``, then from ``<section>: {<key>: …}`` in
the file. Values in the file may name the environment: ``${NAME}`` or ``${NAME:-default}``, which is how secrets get in.
Each stage declares its own section beside its rules, and names it in the entry points ``forebay.settings``;
``docs/reference/configuration.md`` is generated from them all. :func:`load` checks all of them at once, so that
nothing that somebody wrote down goes unread.
"""

from forebay.settings.faults import ConfigurationError, Fault
from forebay.settings.identity import IdentitySettings
from forebay.settings.loading import load
from forebay.settings.section import Others, Section
from forebay.settings.sections import (
    DeadLetterSettings,
    EgressSettings,
    KafkaSettings,
    RedisSettings,
    RetrySettings,
    StageSettings,
    VaultSettings,
    WorkerSettings,
)
from forebay.settings.tenants import TenantSettings
from forebay.settings.values import Settings

__all__ = [
    "ConfigurationError",
    "DeadLetterSettings",
    "EgressSettings",
    "Fault",
    "IdentitySettings",
    "KafkaSettings",
    "Others",
    "RedisSettings",
    "RetrySettings",
    "Section",
    "Settings",
    "StageSettings",
    "TenantSettings",
    "VaultSettings",
    "WorkerSettings",
    "load",
]
