"""The search for leaks outlives what it searches."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from forebay.demo.leaks import _redis
from forebay.embedded.installation import installation


class Expiring:
    """A Redis whose second key expires between the list and the look."""

    def scan_iter(self, count: int) -> Iterator[bytes]:
        yield from (b"one", b"gone", b"two")

    def type(self, key: bytes) -> bytes:
        return b"none" if key == b"gone" else b"string"

    def get(self, key: bytes) -> bytes:
        return b"value of " + key


def test_a_key_that_expires_meanwhile_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: Any, **__: Any) -> Expiring:
        return Expiring()

    monkeypatch.setattr(redis.Redis, "from_url", opened)
    found = [content for _, content in _redis(installation())]
    assert {b"one", b"value of one", b"gone", b"two", b"value of two"} <= set(found)
