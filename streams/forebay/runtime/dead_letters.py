"""How is a record kept that could not be processed? As its original bytes, with headers that say what happened.

Bytes from a restricted topic are sealed with the vault key before they leave it: neither a retry topic nor the dead
letter queue ever holds personal data in the clear. Header names follow Kafka Connect's ``__connect.errors.*`` (KIP-298)
in spirit; they are listed in docs/reference/dead-letters.md.
"""

from dataclasses import dataclass
from typing import Protocol

from forebay.contract import headers as h
from forebay.contract.failures import Failure, Transient
from forebay.contract.topics import RETRY_LEVELS, TOPICS, Access
from forebay.contract.wire import Delivered, Encoded
from forebay.privacy.sealing import Keyring, looks_sealed
from forebay.settings import ConfigurationError, RetrySettings

DLQ = "dlq"

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
    value, headers = _keep(source, incident, rules.keyring)
    # The scheduler, too, may fail: the record is still another stage's to try again.
    owner = headers.get(h.RETRY_STAGE) if source.topic in RETRY_LEVELS else None
    headers |= failure.carry
    headers |= {
        h.ATTEMPT: str(incident.attempt + 1).encode(),
        h.RETRY_STAGE: owner or incident.stage.encode(),
        h.DUE_AT: str(due_at).encode(),
        h.LAST_CODE: failure.code.encode(),
    }
    topic = retry_level((due_at - incident.now_ms) / 1000, rules.retry.delays_s)
    return Encoded(topic=topic, key=source.key, value=value, headers=list(headers.items()))


def dead_letter(source: Delivered, failure: Failure, incident: Incident, rules: SealingRules) -> Encoded:
    """The record for the dead letter queue."""
    value, headers = _keep(source, incident, rules.keyring)
    headers.pop(h.DUE_AT, None)
    if source.topic not in RETRY_LEVELS:  # what the scheduler buries is still another stage's to try again
        headers.pop(h.RETRY_STAGE, None)
    headers |= {
        "forebay-dlq-stage": incident.stage.encode(),
        "forebay-dlq-code": failure.code.encode(),
        "forebay-dlq-class": failure.failure_class.value.encode(),
        "forebay-dlq-message": failure.message.encode(),
        "forebay-dlq-attempts": str(incident.attempt).encode(),
        "forebay-dlq-failed-at": str(incident.now_ms).encode(),
        "forebay-dlq-request-id": incident.request_id.encode(),
    }
    if incident.tenant_id is not None:
        headers["forebay-dlq-tenant"] = incident.tenant_id.encode()
    return Encoded(topic=DLQ, key=source.key, value=value, headers=list(headers.items()))


def _keep(source: Delivered, incident: Incident, keyring: Keyring | None) -> tuple[bytes | None, dict[str, bytes]]:
    """Value and headers of a record that leaves its topic; origin headers are written once."""
    headers = dict(source.headers)
    if h.ORIGIN_TOPIC not in headers:
        headers |= {
            h.ORIGIN_TOPIC: source.topic.encode(),
            h.ORIGIN_PARTITION: str(source.partition).encode(),
            h.ORIGIN_OFFSET: str(source.offset).encode(),
            h.ORIGIN_TIMESTAMP: str(source.timestamp_ms).encode(),
            h.FIRST_FAILED_AT: str(incident.now_ms).encode(),
        }
    value = source.value
    topic = TOPICS.get(source.topic)
    restricted = topic is not None and topic.access is Access.RESTRICTED
    if restricted and value and not (h.SEALED in headers and looks_sealed(value)):
        if keyring is None:
            raise ConfigurationError(f"stage {incident.stage} reads {source.topic} without a vault key")
        context = f"{source.topic}/{source.partition}/{source.offset}"
        value = keyring.seal(value, context)
        headers[h.SEALED] = context.encode()
    return value, headers
