"""Silences: what they fit, how they are made and ended, written down; and what a configuration may not say."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from forebay.contract.handlers import Output
from forebay.contract.records import Alert, AlertState, Severity, Silence
from forebay.operations.audit.recording import Act
from forebay.operations.choices import InvalidChoiceError
from forebay.settings import ConfigurationError, Settings
from forebay_agents.notify.agent import notify_stage
from forebay_agents.notify.operations import LONGEST_MS, end_silence, firing, matchers_of, silence
from forebay_agents.notify.routing import matches
from forebay_agents.notify.settings import NotifySettings
from tests.unit.notify.memory import HOOK

NOW = 1_700_000_000_000
ALERT = Alert(
    kind="budget_spent", severity=Severity.CRITICAL, tenant_id="acme", subject="u[1]?", labels={"window": "day"}
)


class Desk:
    def __init__(self) -> None:
        self.acts: list[tuple[str, Mapping[str, str]]] = []
        self.published: list[Output] = []

    @contextmanager
    def record(
        self, action: str, /, *, subject: str, details: Mapping[str, str] | None = None, **_: Any
    ) -> Iterator[Act]:
        assert not self.published or action == "alerts.unsilence", "written down before it happens"
        self.acts.append((action, details or {}))
        yield Act()

    def publish(self, outputs: Sequence[Output]) -> None:
        self.published += outputs


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        (["kind=budget_spent"], True),
        (["kind=budget_*", "tenant=acme"], True),
        (["kind=budget_*", "tenant=globex"], False),
        (["severity=critical"], True),
        (["severity=warning"], False),
        (["subject=u[1]?"], True),
        (["subject=u[1]x"], False),
        (["label:window=day"], True),
        (["label:window=month"], False),
        (["label:of=*"], False),
        ([f"fingerprint={ALERT.fingerprint}"], True),
    ],
)
def test_all_matchers_have_to_fit(words: list[str], fits: bool) -> None:
    assert matches(ALERT, matchers_of(words)) is fits


def test_nothing_matches_nothing() -> None:
    assert not matches(ALERT, {})


@pytest.mark.parametrize("words", [[], ["kind"], ["kind="], ["message=x"], ["=x"], ["kind=a", "kind=b"]])
def test_a_matcher_that_says_nothing_is_refused(words: list[str]) -> None:
    with pytest.raises(InvalidChoiceError):
        matchers_of(words)


def test_a_silence_is_written_down_and_published_and_ends_before_its_time() -> None:
    desk = Desk()
    made = silence({"kind": "x"}, 3_600_000, desk.record, desk.publish, by="ann", reason="known", clock=lambda: NOW)
    assert made.ends_at == NOW + 3_600_000
    ended = end_silence(made.silence_id, [made], desk.record, desk.publish, clock=lambda: NOW + 5)
    assert ended == replace(made, ends_at=NOW + 5)
    assert [(output.topic, output.key, output.value) for output in desk.published] == [
        ("alerts.silences", made.silence_id, made),
        ("alerts.silences", made.silence_id, ended),
    ]
    assert [action for action, _ in desk.acts] == ["alerts.silence", "alerts.unsilence"]
    assert desk.acts[0][1]["match kind"] == "x"


@pytest.mark.parametrize("span_ms", [0, -1, LONGEST_MS + 1])
def test_a_silence_has_an_end_within_reason(span_ms: int) -> None:
    desk = Desk()
    with pytest.raises(InvalidChoiceError):
        silence({"kind": "x"}, span_ms, desk.record, desk.publish, by="ann")
    assert desk.published == []


def test_what_is_no_silence_cannot_be_ended() -> None:
    desk = Desk()
    with pytest.raises(InvalidChoiceError):
        end_silence("gone", [], desk.record, desk.publish)


def test_firing_is_what_neither_ended_nor_ends_by_itself() -> None:
    alerts = [
        replace(ALERT, starts_at=2),
        replace(ALERT, subject="over", fingerprint="", state=AlertState.RESOLVED),
        replace(ALERT, subject="yesterday", fingerprint="", ends_at=NOW - 1),
        replace(ALERT, subject="first", fingerprint="", starts_at=1, ends_at=NOW + 1),
    ]
    silenced = Silence(silence_id="s", matchers={"subject": "first"}, ends_at=NOW + 9)
    found = firing(alerts, [silenced], NOW)
    assert [(one.alert.subject, one.silenced_until) for one in found] == [("first", NOW + 9), ("u[1]?", None)]


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"channels": {"c": HOOK | {"key": "short"}}}, "notify.channels.c.key"),
        ({"channels": {"c": HOOK | {"url": "ftp://x"}}}, "notify.channels.c.url"),
        ({"channels": {"c": {"type": "slack", "url": "http://"}}}, "notify.channels.c.url"),
        ({"channels": {"c": {"type": "smtp", "sender": "a@x.test", "to": ["b@x.test"]}}}, "notify.channels.c.host"),
        ({"channels": {"c": {"type": "smtp", "host": "h", "to": ["b@x.test"]}}}, "notify.channels.c.sender"),
        ({"channels": {"c": HOOK}, "routes": [{"channels": ["d"]}]}, "notify.routes[0].channels[0]"),
        ({"channels": {"c": HOOK | {"type": "pigeon"}}}, "notify.channels.c.type"),
    ],
)
def test_a_channel_that_cannot_work_is_refused_by_name(section: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings({"notify": section})[NotifySettings]
    assert key in str(refused.value)
    assert "short" not in str(refused.value)


async def test_secrets_may_be_missing_but_where_they_are_needed() -> None:
    settings = Settings({"notify": {"channels": {"c": {"type": "webhook", "url": "", "key": ""}}}})
    assert settings[NotifySettings].channels, "workers of other stages have the same file, and no secrets of this one"
    with pytest.raises(ConfigurationError, match=r"notify\.channels\.c\.url"):
        async with notify_stage(settings):
            pass
