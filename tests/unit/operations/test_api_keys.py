"""Keys are made, changed and taken away in records, and each act is in the trail before it happens."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from forebay.cli.keys.commands import told
from forebay.contract.handlers import Output
from forebay.contract.records import ApiKey, KeyRole
from forebay.operations.api_keys import created, one, revoke, rotated, span_ms
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.publishing import PublishError
from forebay.trust.api_keys import read_key
from tests.unit.operations.trail import MemoryTrail

WANTED = ApiKey(tenant_id="acme", user_id="u-1", models=("auto",), requests_per_minute=60)
NOW = 1_700_000_000_000


class Topic:
    """Newest records of ``keys``."""

    def __init__(self, *, away: bool = False) -> None:
        self.keys: dict[str, ApiKey] = {}
        self.away = away

    def publish(self, outputs: Sequence[Output]) -> None:
        if self.away:
            raise PublishError("no broker")
        for output in outputs:
            assert output.topic == "keys"
            assert isinstance(output.value, ApiKey)
            self.keys[output.key] = output.value

    def find(self) -> list[ApiKey]:
        return list(self.keys.values())


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture
def trail() -> MemoryTrail:
    return MemoryTrail()


def made(topic: Topic, trail: MemoryTrail, **changes: Any) -> Any:
    with created(replace(WANTED, **changes), trail.record, topic.publish, lambda: NOW) as shown:
        return shown


def test_a_key_is_shown_once_and_kept_as_a_hash(topic: Topic, trail: MemoryTrail) -> None:
    shown = made(topic, trail)
    [key] = topic.find()
    read = read_key(shown.key)
    assert read is not None
    assert (read.key_id, read.matches(key.secret_hash)) == (key.key_id, True)
    assert (key.tenant_id, key.user_id, key.models, key.created_at) == ("acme", "u-1", ("auto",), NOW)
    assert trail.acts == [("keys.create", "begun"), ("keys.create", "done")]
    assert shown.key.split("-")[2] not in repr(trail.events) + repr(told(key)) + repr(key)


def test_a_rotated_key_has_two_secrets_for_a_while(topic: Topic, trail: MemoryTrail) -> None:
    first = made(topic, trail)
    with rotated(first.key_id, 5_000, topic.find, trail.record, topic.publish, lambda: NOW + 1) as second:
        pass
    [key] = topic.find()
    before, after = read_key(first.key), read_key(second.key)
    assert before is not None
    assert after is not None
    assert (second.key_id, after.matches(key.secret_hash)) == (first.key_id, True)
    assert (before.matches(key.previous_hash), key.previous_expires_at) == (True, NOW + 5_001)
    assert key.requests_per_minute == 60


def test_a_revoked_key_stays_revoked(topic: Topic, trail: MemoryTrail) -> None:
    shown = made(topic, trail)
    revoke(shown.key, topic.find, trail.record, topic.publish, reason="left", clock=lambda: NOW)
    assert topic.keys[shown.key_id].revoked_at == NOW
    revoke(shown.key_id, topic.find, trail.record, topic.publish, clock=lambda: NOW + 9)
    assert topic.keys[shown.key_id].revoked_at == NOW
    with (
        pytest.raises(InvalidChoiceError, match="revoked"),
        rotated(shown.key_id, 1, topic.find, trail.record, topic.publish),
    ):
        pass


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tenant_id": "a b"}, "tenant"),
        ({"user_id": ""}, "user"),
        ({"role": KeyRole.ADMIN}, "role"),
        ({"requests_per_minute": 0}, "rpm"),
        ({"daily_nanousd": -1}, "daily-usd"),
        ({"addresses": ("here",)}, "from"),
        ({"redaction": ("none",)}, "redaction"),
    ],
)
def test_a_key_that_cannot_be_is_not_made(topic: Topic, trail: MemoryTrail, changes: Any, field: str) -> None:
    with pytest.raises(InvalidChoiceError) as refused:
        made(topic, trail, **changes)
    assert refused.value.field == field
    assert (topic.find(), trail.events) == ([], [])


def test_without_brokers_no_key_is_shown(trail: MemoryTrail) -> None:
    with pytest.raises(PublishError):
        made(Topic(away=True), trail)


def test_an_unknown_key_is_none(topic: Topic) -> None:
    with pytest.raises(InvalidChoiceError):
        one("abcdefghijkl", topic.find)


def test_spans() -> None:
    assert [span_ms(text, "x") for text in ("90d", "24h", "30m", "5s")] == [7_776_000_000, 86_400_000, 1_800_000, 5_000]
    with pytest.raises(InvalidChoiceError):
        span_ms("soon", "expires")
