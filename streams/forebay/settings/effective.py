"""Which values count, where does each come from, and is another worker's configuration the same?

Secrets are never in it: of them it says that there is one. So whoever reads the hash in a log learns nothing about
them, and two workers with different keys have the same hash.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from forebay.settings.file import Path_, dotted
from forebay.settings.known import sections
from forebay.settings.values import Settings

MASK = "********"
_OF_ONE_PROCESS = "worker."
"""Begins what workers of one installation differ in: name, address and port of the process."""
_OF_ONE_USER = frozenset(
    {
        "kafka.sasl_username", "kafka.sasl_password", "kafka.ssl_certfile", "kafka.ssl_keyfile",
        "retry.secret", "retry.secret_file", "vault.keys", "vault.keys_file", "identity.key", "identity.key_file",
        "dlq.signing_key_file",
    }
)  # fmt: skip
"""By what a process proves who it is, and keys that some have and others must not: each stage is another user."""
_HASH_DIGITS = 12
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


@dataclass(frozen=True, kw_only=True)
class Value:
    """One value that counts.

    Attributes:
        key: such as ``models.tiers[0].name``.
        value: as JSON has it; ``MASK`` for a secret that is set.
        origin: a variable, ``FILE:LINE``, or ``default``.
    """

    key: str
    value: Any
    origin: str


def effective(settings: Settings) -> list[Value]:
    """Every value of every section, in the order of the reference page. Raises :class:`ConfigurationError`."""
    return [
        Value(key=dotted((kind.section, *path)), value=value, origin=settings.origin(kind, path))
        for kind in sections()
        for path, value in _leaves(settings[kind], ())
    ]


def fingerprint(settings: Settings) -> str:
    """Twelve hexadecimal digits of SHA-256, the same where the same values count, whoever the process is."""
    values = [
        (one.key, one.value)
        for one in effective(settings)
        if not one.key.startswith(_OF_ONE_PROCESS) and one.key not in _OF_ONE_USER
    ]
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]


def unprotected(settings: Settings) -> list[Value]:
    """Protection that settings take away, in words, and which setting says so."""
    return [
        Value(key=f"{kind.section}.{key}", value=words, origin=settings.origin(kind, (key,)))
        for kind in sections()
        for key, words in settings[kind].unprotected()
    ]


def _leaves(value: Any, path: Path_) -> Iterator[tuple[Path_, Any]]:
    """Values that hold no others, but for lists of plain ones, which stay together."""
    if isinstance(value, BaseModel):
        value = {key: getattr(value, key) for key in type(value).model_fields}
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _leaves(one, (*path, str(key)))
    elif isinstance(value, tuple | list) and any(isinstance(one, BaseModel | Mapping) for one in value):
        for at, one in enumerate(value):
            yield from _leaves(one, (*path, at))
    else:
        yield path, _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(one) for one in value]
    return _USER_INFO.sub(MASK, value) if isinstance(value, str) else value
