"""What lay in topics and in Redis before users had pseudonyms: answered, retried, replayed and erased all the same.

``tests/data/before_pseudonyms.json`` was written by commit a89d5b1: a request under way and its outcome, a dead letter
and a retry of redaction, a dead letter of feedback, and the vault.
"""

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path as File
from typing import Any

import pytest

from forebay.contract import headers as h
from forebay.contract.records import Message
from forebay.operations.dead_letters.letters import letter_of
from forebay.operations.dead_letters.plan import Plan
from forebay.operations.dead_letters.replay import Replayer
from forebay.privacy.vault import Owner
from forebay.testing import MemoryVaultStore, delivered, memory_vault
from forebay.testing.stores import OPERATOR
from tests.unit.operations.dead_letters.bench import MemoryJournal, ScriptedOutcomes
from tests.unit.response.test_ids_on_the_way import ASKED, NAMES, Path, assert_nobody_is_named

BEFORE: Any = json.loads(File("tests/data/before_pseudonyms.json").read_text("utf-8"))
USER, CONVERSATION = "ann.lee@example.com", "ann.lee's"


@pytest.fixture
def store() -> MemoryVaultStore:
    store = MemoryVaultStore()
    for key, (value, version) in BEFORE["vault"]["entries"].items():
        store.entries[key] = b64decode(value), version, float("inf")
    store.indexes.update({key: dict.fromkeys(names, float("inf")) for key, names in BEFORE["vault"]["indexes"].items()})
    return store


@pytest.fixture
def path(store: MemoryVaultStore) -> Path:
    path = Path(store=store)
    path.runner.clock.now_ms = BEFORE["at"]
    return path


async def sent(path: Path, kept: dict[str, Any], topic: str, **headers: bytes) -> None:
    known = {name: value.encode() for name, value in kept["headers"].items()} | headers
    await path.runner.send(topic, b64decode(kept["value"]), key=kept["key"], headers=known)


@pytest.mark.parametrize(("what", "topic"), [("redacted", "requests.redacted"), ("completion", "completions")])
async def test_what_was_under_way_is_answered(path: Path, what: str, topic: str) -> None:
    await sent(path, BEFORE[what], topic)
    [response] = path.runner.topics.records("responses")
    assert (response.user_id, response.conversation_id) == (USER, CONVERSATION)
    assert response.content == "It is I am Ann Lee"


async def test_a_letter_is_replayed_and_its_request_has_a_pseudonym_from_then_on(path: Path) -> None:
    kept = BEFORE["letter"]
    known = {name: value.encode() for name, value in kept["headers"].items()}
    source = delivered("dlq", b64decode(kept["value"]), key=kept["key"].encode(), headers=known)
    journal = MemoryJournal()
    with journal.open() as steps:
        Replayer(
            journal=steps,
            signer=OPERATOR,
            position=lambda _letter: None,
            outcomes=ScriptedOutcomes(),
            plan=Plan(by="ann", settle_s=0.0),
            now_ms=path.runner.clock,
        ).run([letter_of(source)])
    [record] = [one for one in journal.sent if one.topic == "requests"]
    await path.runner.send("requests", record.value, key=record.key, headers=dict(record.headers))
    [response] = path.runner.topics.records("responses")
    assert (response.user_id, response.content) == (USER, "It is I am Ann Lee")
    [redacted] = path.runner.topics.records("requests.redacted")
    assert redacted.user_id == NAMES.user("acme", USER)


async def test_a_retry_comes_back_and_its_request_has_a_pseudonym_from_then_on(path: Path) -> None:
    kept = BEFORE["waiting"]
    headers = {name: value for name, value in kept["headers"].items() if name != h.DUE_AT}
    await sent(path, kept | {"headers": headers}, "requests")
    [response] = path.runner.topics.records("responses")
    assert (response.user_id, response.content) == (USER, "It is I am Ann Lee")


async def test_a_conversation_goes_on(path: Path, store: MemoryVaultStore) -> None:
    conversations = [key for key in store.entries if ":c:" in key]
    said = (Message(content="Write to Ann Lee"),)
    await path.ask(replace(ASKED, request_id="r-next", conversation_id=CONVERSATION, messages=said))
    assert [key for key in store.entries if ":c:" in key] == conversations
    assert_nobody_is_named(path)


async def test_erasure_reaches_what_the_vault_has_from_before(store: MemoryVaultStore) -> None:
    vault = memory_vault(store=store)
    gone = [await vault.forget(Owner(tenant_id="acme", user_id=user)) for user in (NAMES.user("acme", USER), USER)]
    assert gone == [0, 2]
