"""What is a handler called with? A record as brokers deliver it, and the context of its delivery."""

from collections.abc import Mapping

from forebay.contract.handlers import Context, Hint, WriteAhead
from forebay.contract.wire import Delivered
from forebay.testing.clock import BEGINNING_MS


def delivered(
    topic: str,
    value: bytes | None = b"",
    *,
    key: bytes | None = b"",
    headers: Mapping[str, bytes] | None = None,
    partition: int = 0,
    offset: int = 0,
    timestamp_ms: int = BEGINNING_MS,
) -> Delivered:
    """A record of ``topic`` from the broker."""
    return Delivered(
        topic=topic,
        partition=partition,
        offset=offset,
        key=key,
        value=value,
        headers=dict(headers or {}),
        timestamp_ms=timestamp_ms,
    )


def context(
    topic: str,
    *,
    key: bytes | None = b"",
    headers: Mapping[str, bytes] | None = None,
    attempt: int = 1,
    accepted_at: int = BEGINNING_MS,
    write_ahead: WriteAhead | None = None,
    hint: Hint = lambda _outputs: None,
) -> Context:
    """What a handler of ``topic`` is told of the delivery, for tests that call it as the function it is.

    Args:
        topic: logical name.
        key: of the record.
        headers: of the record.
        attempt: 1 for the first try.
        accepted_at: ms since 1970.
        write_ahead: takes what the handler writes before it goes on; without it such a handler fails.
        hint: takes what may be lost.
    """
    source = delivered(topic, key=key, headers=headers, timestamp_ms=accepted_at)
    if write_ahead is None:
        return Context(source=source, attempt=attempt, accepted_at=accepted_at, hint=hint)
    return Context(source=source, attempt=attempt, accepted_at=accepted_at, write_ahead=write_ahead, hint=hint)
