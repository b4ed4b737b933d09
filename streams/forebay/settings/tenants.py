"""The section ``tenants``: which tenants are there, and who is believed to be one?

A field of a record says nothing about who wrote it. What does is where it lies, in a topic that one tenant alone may
write to, or a signature; both are in :mod:`forebay.trust.tenants`.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from forebay.settings.faults import shown
from forebay.settings.section import Others, Section
from forebay.settings.sections import KafkaSettings

EVERY = "*"
"""No tenant: in a line of keys one that speaks for all, in an account one that all the unknown share."""

_IN_TOPICS = re.compile(r"[a-zA-Z0-9._-]{1,128}")
"""Of a tenant whose name is part of a topic's."""
_TAKEN = ("redacted", "uncached")
"""Ends of names that `requests.` begins and that are no tenant's; a test holds them to the catalogue."""


class Identity(StrEnum):
    """Who is believed to be a tenant: who may write to its topic, who has its key, or whoever says so."""

    TOPIC = "topic"
    SIGNED = "signed"
    FIELD = "field"


class TenantSettings(Section):
    """Whose a request is."""

    section: ClassVar[str] = "tenants"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_TENANTS_")

    identity: Identity = Field(
        Identity.FIELD,
        description="Who is believed to be a tenant: `topic`: who writes to `requests.TENANT`; `signed`: who signs "
        "with a key of the tenant; `field`: whoever says so. With TLS or SASL it has to be chosen.",
    )
    known: tuple[str, ...] = Field(
        (), description="The tenants there are: requests of others are rejected (`unknown_tenant`). Empty: any."
    )
    known_file: str = Field("", description="File with more of them, one a line.")
    keys_file: str = Field(
        "",
        description="With `signed`, for stages: file of all keys (`forebay tenants key`), which its owner alone can "
        "read. All keys of a tenant are believed; the first seals responses that cannot be sealed with the request's.",
    )
    tenant: str = Field("", description="With `topic`, for applications: the tenant that they are.")
    key: SecretStr = Field(SecretStr(""), description="With `signed`, for applications: their line of the keys.")
    key_file: str = Field(
        "", description="File with the same; with several lines the first signs, and all open responses."
    )

    def names(self) -> frozenset[str]:
        """The tenants there are; empty: any. Raises ``OSError``: the file cannot be read."""
        lines = Path(self.known_file).read_text("utf-8").splitlines() if self.known_file else []
        return frozenset((*self.known, *filter(None, map(str.strip, lines))))

    def faults(self, settings: Others) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What was not chosen, a file that cannot be read, and names that cannot be used."""
        kafka = settings.peek(KafkaSettings)
        if kafka is not None and kafka.security_protocol != "PLAINTEXT" and "identity" not in self.model_fields_set:
            yield (
                ("identity",),
                "has to be chosen: topic, signed, or field, if one program speaks for all tenants or there is but one",
            )
        try:
            names = self.names()
        except (OSError, UnicodeDecodeError):
            yield ("known_file",), f"there is no file {self.known_file} that can be read"
            return
        if EVERY in names:
            yield ("known",), f"{EVERY} is no tenant"
        for key in ("keys_file", "key_file"):
            if getattr(self, key) and not Path(getattr(self, key)).is_file():
                yield (key,), f"there is no file {getattr(self, key)}"
        if self.identity is Identity.TOPIC:
            yield from _topic_faults(sorted(names), self.tenant)

    def unprotected(self) -> Iterator[tuple[str, str]]:
        """Producers who may say that they are somebody else."""
        if self.identity is Identity.FIELD and "identity" in self.model_fields_set:
            yield "identity", "a producer may name any tenant"


def _topic_faults(names: Sequence[str], tenant: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Names that cannot be the end of a topic's name."""
    if not names and not tenant:
        yield ("known",), "with tenants.identity: topic, stages need the tenants there are; applications tenants.tenant"
    for key, name in [*(("known", name) for name in names), *([("tenant", tenant)] if tenant else [])]:
        if not _IN_TOPICS.fullmatch(name):
            yield (key,), f"{shown(name)} cannot be part of a topic's name: letters, digits, ., _ and -; or use signed"
        elif name in _TAKEN:
            yield (key,), f"{name} cannot be a tenant here: requests.{name} is a topic of the chain"
    for one, other in pairwise(sorted(names, key=_in_metrics)):
        if _in_metrics(one) == _in_metrics(other):
            yield ("known",), f"{one} and {other} differ by . and _ alone, which brokers refuse in names of topics"


def _in_metrics(name: str) -> str:
    return name.replace(".", "_")
