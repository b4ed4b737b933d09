"""How do people get keys of the HTTP door, and lose them? Each change is a record in ``keys``, and an act in the trail.

A key is shown once, by whoever makes it; what is kept is the hash of its secret.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network

from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.ids import plain_id
from forebay.contract.records import ApiKey, KeyRole
from forebay.kafka.decoding import ReadRecord
from forebay.operations.audit.recording import Recorder
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.topic_view import open_view
from forebay.settings import Settings
from forebay.trust.api_keys import new_key, read_key

TOPIC = "keys"
PROFILES = ("strict", "balanced")
_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_SPAN_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

Publish = Callable[[Sequence[Output]], None]
"""Publishes records, or raises."""
Find = Callable[[], Sequence[ApiKey]]
"""All keys there are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A key as it is shown to whoever asked for it, once."""

    key_id: str
    key: str
    tenant_id: str
    user_id: str
    expires_at: int | None


def keys_of(settings: Settings) -> list[ApiKey]:
    """All keys there are, in the order in which they were made.

    Raises:
        BrokerUnavailableError: no broker answers, or there is no such topic.
    """
    with open_view(settings, TOPIC, value=_value) as view:
        found = view.values()
    return sorted(found, key=lambda key: (key.created_at, key.key_id))


def span_ms(text: str, field: str) -> int:
    """Milliseconds of a span such as ``90d``. Raises :class:`InvalidChoiceError`."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise InvalidChoiceError(f"{text!r} is no span such as 90d, 24h or 30m", field)
    return int(found[1]) * _SPAN_MS[found[2]]


@contextmanager
def created(wanted: ApiKey, record: Recorder, publish: Publish, clock: Clock = now_ms) -> Iterator[Shown]:
    """Make a key, for the length of a ``with`` in which it is shown or kept.

    Args:
        wanted: whose it is and what it may; id, hash and time are filled in.

    Raises:
        InvalidChoiceError: it cannot be as it is wanted.
        PublishError: it cannot be written down; there is no key.
    """
    _check(wanted)
    text = new_key()
    key = replace(_with_secret(wanted, text), created_at=clock())
    facts = {"tenant": key.tenant_id, "role": key.role.value}
    with record("keys.create", subject=f"key {key.key_id}", details=facts) as act:
        publish([_output(key)])
        act.count = 1
        yield _shown(key, text)


@contextmanager
def rotated(
    key_id: str, grace_ms: int, find: Find, record: Recorder, publish: Publish, clock: Clock = now_ms
) -> Iterator[Shown]:
    """Give a key another secret; the one of before is good for ``grace_ms`` more.

    Raises:
        InvalidChoiceError: there is no such key, or it was revoked.
        PublishError: it cannot be written down; nothing was changed.
    """
    before = one(key_id, find)
    if before.revoked_at is not None:
        raise InvalidChoiceError(f"key {key_id} was revoked: make another one")
    text = new_key(key_id)
    key = _with_secret(before, text)
    key = replace(key, previous_hash=before.secret_hash, previous_expires_at=clock() + grace_ms)
    with record("keys.rotate", subject=f"key {key_id}", details={"grace_ms": str(grace_ms)}) as act:
        publish([_output(key)])
        act.count = 1
        yield _shown(key, text)


def revoke(
    key_id: str, find: Find, record: Recorder, publish: Publish, *, reason: str | None = None, clock: Clock = now_ms
) -> ApiKey:
    """Take a key away: within two seconds no door lets its holder in. The key as it is now.

    Raises:
        InvalidChoiceError: there is no such key.
        PublishError: it cannot be written down; the key is good as before.
    """
    key = one(key_id, find)
    if key.revoked_at is not None:
        return key
    key = replace(key, revoked_at=clock())
    with record("keys.revoke", subject=f"key {key_id}", reason=reason) as act:
        publish([_output(key)])
        act.count = 1
    return key


def one(key_id: str, find: Find) -> ApiKey:
    """The key ``key_id``, which may also be given as the key itself. Raises :class:`InvalidChoiceError`."""
    whole = read_key(key_id)
    wanted = key_id if whole is None else whole.key_id
    for key in find():
        if key.key_id == wanted:
            return key
    raise InvalidChoiceError("there is no such key; `forebay keys list` has them")


def _check(key: ApiKey) -> None:
    for field, value in (("tenant", key.tenant_id), ("user", key.user_id)):
        if not plain_id(value):
            raise InvalidChoiceError("1 to 128 printable characters without blanks are needed", field)
    if key.role not in (KeyRole.ASK, KeyRole.READ):
        raise InvalidChoiceError("ask or read: there is nothing yet that an admin could do by HTTP", "role")
    for field, amount in (("rpm", key.requests_per_minute), ("tpm", key.tokens_per_minute)):
        if amount is not None and amount < 1:
            raise InvalidChoiceError("1 or more is needed", field)
    for field, amount in (("daily-usd", key.daily_nanousd), ("monthly-usd", key.monthly_nanousd)):
        if amount is not None and amount < 0:
            raise InvalidChoiceError("0 or more is needed", field)
    for network in key.addresses:
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise InvalidChoiceError("a network such as 10.0.0.0/8 is needed", "from") from None
    for profile in key.redaction:
        if profile not in PROFILES:
            raise InvalidChoiceError(f"one of {', '.join(PROFILES)} is needed", "redaction")


def _with_secret(key: ApiKey, text: str) -> ApiKey:
    made = read_key(text)
    assert made is not None
    return replace(key, key_id=made.key_id, secret_hash=made.secret_hash)


def _shown(key: ApiKey, text: str) -> Shown:
    return Shown(key_id=key.key_id, key=text, tenant_id=key.tenant_id, user_id=key.user_id, expires_at=key.expires_at)


def _value(record: ReadRecord) -> ApiKey:
    key: ApiKey = record.value
    return key


def _output(key: ApiKey) -> Output:
    return Output(topic=TOPIC, key=key.key_id, value=key)
