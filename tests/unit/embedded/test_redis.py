"""The Redis of the embedded stack keeps what it has answered, whenever its process ends."""

from pathlib import Path

import pytest

from forebay.embedded.servers.redis import configuration


@pytest.fixture
def lines() -> list[str]:
    return configuration(6379, Path("/data"), "secret", 256, "noeviction").splitlines()


def test_every_write_is_in_its_log_before_it_is_answered(lines: list[str]) -> None:
    # everysec would hold writes back while a flush is under way, and answer them.
    assert "appendonly yes" in lines
    assert "appendfsync no" in lines


def test_it_listens_on_loopback_and_asks_for_a_password(lines: list[str]) -> None:
    assert "bind 127.0.0.1" in lines
    assert "requirepass secret" in lines
