"""How is a record kept that could not be processed? As its original bytes, with headers that say what happened.

Bytes from a restricted topic are sealed with the vault key before they leave it: neither a retry topic nor the dead
letter queue ever holds personal data in the clear. Nor does a key: what an application gave as one, and is not the id
that the record has, is sealed beside it. What cannot be kept (too large, no key to seal it with, never read) leaves a
dead letter without bytes, which nothing can keep from being written: it is small, and all in it is ours. A retry is
signed by its stage (:mod:`forebay.trust.proofs`).
Header names follow Kafka Connect's ``__connect.errors.*`` (KIP-298) in spirit; they are listed in
docs/reference/dead-letters.md.
"""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from forebay.contract import headers as h
from forebay.contract.failures import Failure, Transient
from forebay.contract.topics import RETRY_LEVELS, Access, topic_named
from forebay.contract.wire import Delivered, Encoded, Unread
from forebay.privacy.sealing import Keyring, looks_sealed
from forebay.settings import ConfigurationError, RetrySettings
from forebay.trust.proofs import RetryProofs, Signed

DLQ = "dlq"

_LONGEST_KEY = 1_024
_LONGEST_HEADER = 1_000
_MOST_NAMES = 20
_OF_WAITING = frozenset({h.DUE_AT, h.PROOF})

LONGEST_WAIT_S = 86_400.0
"""Seconds that a record waits for its next try at most: who is asked to wait for a year has not been answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """Circumstances of a failure; ``now_ms`` in ms since the epoch."""

    stage: str
    attempt: int
    now_ms: int
    request_id: str
    tenant_id: str | None


class SealingRules(Protocol):
    """The part of :class:`forebay.runtime.rules.Rules` that is needed here."""

    @property
    def retry(self) -> RetrySettings:
        """Delays."""
        ...

    @property
    def keyring(self) -> Keyring | None:
        """Seals restricted bytes."""
        ...

    @property
    def proofs(self) -> RetryProofs:
        """Signs what is to come back."""
        ...


def delay_s(failure: Transient, attempt: int, delays_s: tuple[float, ...]) -> float:
    """Seconds to wait before the next try: what the other side asked for, else the delay of this attempt's level."""
    if failure.retry_after_s is not None:
        return min(max(0.0, failure.retry_after_s), LONGEST_WAIT_S)
    return delays_s[min(attempt, len(delays_s)) - 1]


def retry_level(wait_s: float, delays_s: tuple[float, ...]) -> str:
    """Retry topic for a wait: the first whose delay is long enough, so that long waits do not hold up short ones."""
    index = next((i for i, delay in enumerate(delays_s) if wait_s <= delay), len(delays_s) - 1)
    return RETRY_LEVELS[index]


def retry_record(
    source: Delivered, failure: Transient, incident: Incident, due_at: int, rules: SealingRules
) -> Encoded:
    """The record that waits in a retry topic until ``due_at`` (ms since the epoch)."""
    due = {h.DUE_AT: str(due_at).encode()}
    topic = retry_level((due_at - incident.now_ms) / 1000, rules.retry.delays_s)
    if source.topic in RETRY_LEVELS:  # the scheduler's own trouble: the record is still another's, who signed it
        return Encoded(
            topic=topic, key=source.key, value=source.value, headers=list((dict(source.headers) | due).items())
        )
    key, value, headers = _keep(source, incident, rules.keyring)
    headers |= failure.carry
    headers |= {
        h.ATTEMPT: str(incident.attempt + 1).encode(),
        h.RETRY_STAGE: incident.stage.encode(),
        h.LAST_CODE: failure.code.encode(),
    }
    headers[h.PROOF] = rules.proofs.proof(Signed(key=key, value=value, headers=headers))
    return Encoded(topic=topic, key=key, value=value, headers=list((headers | due).items()))


def dead_letter(source: Delivered, failure: Failure, incident: Incident, rules: SealingRules) -> Encoded:
    """The record for the dead letter queue.

    Raises:
        ConfigurationError: its bytes must be sealed, and there is no key; see :func:`bare_letter`.
    """
    key, value, headers = _keep(source, incident, rules.keyring)
    if source.topic in RETRY_LEVELS:  # what the scheduler buries is still another stage's to try again
        headers = {name: value for name, value in headers.items() if name in h.KNOWN and name not in _OF_WAITING}
    else:
        headers.pop(h.RETRY_STAGE, None)
    if key is None or (key != source.key and h.SEALED_KEY not in headers):
        key, headers[h.KEYLESS] = _made_up_key(source), b"1"  # without key and value a record cannot be sent
    headers |= _of_failure(failure, incident)
    return Encoded(topic=DLQ, key=key, value=value, headers=list(headers.items()))


def bare_letter(
    source: Delivered, failure: Failure, incident: Incident, rules: SealingRules, *, without: str
) -> Encoded:
    """A dead letter that can always be written: no byte of the record but a short key; never raises.

    Args:
        without: why, a value of the header :data:`forebay.contract.headers.WITHOUT_BYTES`.
    """
    headers = _of_failure(failure, incident) | {h.WITHOUT_BYTES: without.encode()} | _of_value(source, rules.keyring)
    origin = {name: source.headers[name] for name in h.ORIGIN if len(source.headers.get(name) or b"") in range(1, 65)}
    headers |= _origin(source, incident) | (origin if h.ORIGIN_TOPIC in origin else {})
    if source.topic in RETRY_LEVELS and len(stage := source.headers.get(h.RETRY_STAGE) or b"") in range(1, 65):
        headers[h.RETRY_STAGE] = stage
    key = source.key if _may_show_key(source, incident) else None
    if key is None or len(key) > _LONGEST_KEY:
        key, headers[h.KEYLESS] = _made_up_key(source), b"1"
    return Encoded(topic=DLQ, key=key, value=None, headers=list(headers.items()))


def _of_value(source: Delivered, keyring: Keyring | None) -> dict[str, bytes]:
    """What may be said of the value: how long it is, and a hash by which whoever has it knows it again."""
    value = source.value
    if value is None:
        return {}
    length: int | None = len(value)
    digest: bytes | None = None
    first = source.offset
    if isinstance(value, Unread):
        length, digest, first = value.length, value.digest, value.first
    else:
        digest = sha256(value).digest()
    found = {h.FIRST_OFFSET: str(first).encode()} if first < source.offset else {}
    if length is not None:
        found[h.LENGTH] = str(length).encode()
    if digest is not None and not _restricted(source):
        found[h.HASH] = b"sha256:" + digest.hex().encode()
    elif digest is not None and keyring is not None:  # without a key, few bytes can be guessed
        found[h.HASH] = b"hmac-sha256:" + keyring.tag(digest).encode()
    return found


def _made_up_key(source: Delivered) -> bytes:
    return f"{source.topic}-{source.partition}-{source.offset}".encode()


def _of_failure(failure: Failure, incident: Incident) -> dict[str, bytes]:
    texts = {
        "forebay-dlq-stage": incident.stage,
        "forebay-dlq-code": failure.code,
        "forebay-dlq-class": failure.failure_class.value,
        "forebay-dlq-message": failure.message,
        "forebay-dlq-attempts": str(incident.attempt),
        "forebay-dlq-failed-at": str(incident.now_ms),
        "forebay-dlq-request-id": incident.request_id,
    }
    if incident.tenant_id is not None:
        texts["forebay-dlq-tenant"] = incident.tenant_id
    return {name: text[:_LONGEST_HEADER].encode("utf-8", "replace") for name, text in texts.items()}


def _origin(source: Delivered, incident: Incident) -> dict[str, bytes]:
    return {
        h.ORIGIN_TOPIC: source.topic.encode(),
        h.ORIGIN_PARTITION: str(source.partition).encode(),
        h.ORIGIN_OFFSET: str(source.offset).encode(),
        h.ORIGIN_TIMESTAMP: str(source.timestamp_ms).encode(),
        h.FIRST_FAILED_AT: str(incident.now_ms).encode(),
    }


def _restricted(source: Delivered) -> bool:
    topic = topic_named(source.topic)
    return topic is not None and topic.access is not Access.INTERNAL


def key_context(headers: h.Headers) -> str:
    """What the seal of a record's key is bound to: ``TOPIC/PARTITION/OFFSET/key`` of its origin."""
    return "/".join([*((headers.get(name) or b"").decode("utf-8", "replace") for name in h.ORIGIN[:3]), "key"])


def _may_show_key(source: Delivered, incident: Incident) -> bool:
    """Whether the key is one of ours, or the id that the record has; a producer's may be anything."""
    topic = topic_named(source.topic)
    return topic is None or not topic.outside or source.key == incident.request_id.encode("utf-8", "replace")


def _dropped(source: Delivered) -> bytes:
    """The names of headers that were not believed, for who looks for their producer; else how many they were."""
    told = len(source.dropped) <= _MOST_NAMES and all(map(h.PLAIN_NAME.fullmatch, source.dropped))
    return (",".join(source.dropped) if told else str(len(source.dropped))).encode()


def _keep(
    source: Delivered, incident: Incident, keyring: Keyring | None
) -> tuple[bytes | None, bytes | None, dict[str, bytes]]:
    """Key, value and headers of a record that leaves its topic; origin headers are written once."""
    headers = dict(source.headers)
    if h.ORIGIN_TOPIC not in headers:
        headers |= _origin(source, incident)
    if source.dropped:
        headers[h.DROPPED] = _dropped(source)
    value = source.value
    if _restricted(source) and value and not (h.SEALED in headers and looks_sealed(value)):
        if keyring is None:
            raise ConfigurationError(f"stage {incident.stage} reads {source.topic} without a key to seal with")
        context = f"{source.topic}/{source.partition}/{source.offset}"
        value = keyring.seal(value, context)
        headers[h.SEALED] = context.encode()
    key = source.key
    if key is not None and not _may_show_key(source, incident):
        if keyring is not None and len(key) <= _LONGEST_KEY:
            headers[h.SEALED_KEY] = b64encode(keyring.seal(key, key_context(headers)))
        key = _made_up_key(source)
    return key, value, headers
