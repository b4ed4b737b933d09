"""What is a message of the client library to us? A record with its place, whatever the library gives."""

from typing import Any

from forebay.contract import headers as h
from forebay.contract.wire import Delivered, Unread


def received(topic: str, message: Any) -> Delivered:
    """The record in Faust's ``message``; ``topic``: its logical name. Nothing in it can raise."""
    try:
        return Delivered(
            topic=topic,
            partition=message.partition,
            offset=message.offset,
            key=message.key,
            value=message.value,
            headers=h.from_kafka(message.headers),
            timestamp_ms=round((message.timestamp or 0) * 1000),
        )
    except Exception as error:  # noqa: BLE001 - a client library that gives something else than it says
        return Delivered(
            topic=topic,
            partition=message.partition,
            offset=message.offset,
            key=None,
            value=Unread(code="unreadable", message=type(error).__name__, first=message.offset),
            headers={},
            timestamp_ms=0,
        )
