"""Earlier requests of a conversation count: what they asked for, kept sealed, for a while, for that user alone."""

import json
from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract.records import Message, MessageRole, RedactedRequest, Request
from forebay.privacy.vault import Owner, Vault
from forebay.testing import MemoryVaultStore, context, memory_vault
from forebay_agents.redaction.conversation import memory
from forebay_agents.redaction.conversation.reading import PATIENCE, Open
from forebay_agents.redaction.detection.detector import Asked, Detector, Found
from forebay_agents.redaction.handler import RedactionHandler
from forebay_agents.redaction.metrics import RedactionMetrics
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import RedactionSettings


class NoCounts:
    """Daily counts of which nothing is kept."""

    def add(self, tenant_id: str, actions: Mapping[tuple[str, str], int]) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(RedactionSettings(names="none"))


@pytest.fixture
def store() -> MemoryVaultStore:
    return MemoryVaultStore()


@pytest.fixture
def vault(store: MemoryVaultStore) -> Vault:
    return memory_vault(store=store)


@pytest.fixture
def handler(detector: Detector, vault: Vault) -> RedactionHandler:
    async def find(asked: Asked) -> Found:
        return detector.find(asked)

    settings = RedactionSettings(names="none")
    metrics = RedactionMetrics(CollectorRegistry())
    return RedactionHandler(find, vault, Policies(settings), metrics, NoCounts(), max_messages=100, max_chars=10_000)


def asking(*turns: tuple[str, str], user_id: str = "u", conversation_id: str | None = "c") -> Request:
    messages = tuple(Message(role=MessageRole(role), content=text) for role, text in turns)
    return Request(request_id="r", tenant_id="t", user_id=user_id, conversation_id=conversation_id, messages=messages)


async def last(handler: RedactionHandler, request: Request) -> str:
    """The last message as the next stage sees it."""
    [output] = await handler.handle(request, context("requests", key=b"r", accepted_at=5))
    assert isinstance(output.value, RedactedRequest)
    return output.value.messages[-1].content


ASKED = ("assistant", "What is your PIN?")


async def test_what_an_earlier_request_asked_for_is_still_open(handler: RedactionHandler) -> None:
    await last(handler, asking(ASKED, ("user", "one second")))
    assert await last(handler, asking(("user", "6021"))) == "<PIN_1>"


async def test_what_was_found_earlier_is_found_again(handler: RedactionHandler) -> None:
    await last(handler, asking(ASKED, ("user", "6021")))
    assert await last(handler, asking(("user", "is it 6021 or not?"))) == "is it <PIN_1> or not?"


@pytest.mark.parametrize("other", [{"user_id": "v"}, {"conversation_id": "d"}, {"conversation_id": None}])
async def test_nobody_else_and_no_other_conversation_is_meant(
    handler: RedactionHandler, other: dict[str, str | None]
) -> None:
    await last(handler, asking(ASKED, ("user", "one second")))
    assert await last(handler, asking(("user", "6021"), **other)) == "6021"  # type: ignore[arg-type]  # of two types


async def test_a_request_that_brings_the_whole_conversation_is_read_from_its_beginning(
    handler: RedactionHandler,
) -> None:
    history = (("user", "room 2044 is cold"), ASKED, ("user", "why?"))
    assert await last(handler, asking(*history)) == "why?"
    again = asking(*history, ("assistant", "To know that it is you."), ("user", "6021"))
    [output] = await handler.handle(again, context("requests", key=b"r", accepted_at=5))
    assert isinstance(output.value, RedactedRequest)
    assert [message.content for message in output.value.messages][::4] == ["room 2044 is cold", "<PIN_1>"]


async def test_a_question_does_not_stay_open_for_ever(handler: RedactionHandler) -> None:
    await last(handler, asking(ASKED, ("user", "one second")))
    for number in range(PATIENCE):
        assert await last(handler, asking(("user", f"wait, number {'x' * number}"))) != "<PIN_1>"
    assert await last(handler, asking(("user", "6021"))) == "6021"


async def test_it_is_erased_with_the_user_and_unreadable_in_redis(
    handler: RedactionHandler, vault: Vault, store: MemoryVaultStore
) -> None:
    [output] = await handler.handle(asking(ASKED, ("user", "one second")), context("requests", key=b"r", accepted_at=5))
    assert isinstance(output.value, RedactedRequest)
    assert not [value for value, _, _ in store.entries.values() if b"PIN" in value or b"pending" in value]
    assert await vault.forget(Owner(tenant_id="t", user_id=output.value.user_id)) == 1
    assert await last(handler, asking(("user", "6021"))) == "6021"


def test_what_is_remembered_is_small_and_has_no_word_of_anybody() -> None:
    parts = [Part(text="What is your PIN, 4471?", speaker="assistant", said=True)]
    kept = memory.kept(Open(pending=("PIN", "CVV"), asker="assistant"), parts)
    assert "4471" not in kept
    assert len(kept) < 200
    assert memory.begun(kept, [Part(text="2044", speaker="user", said=True)]) == Open(
        pending=("PIN", "CVV"), asker="assistant"
    )


def test_kinds_that_are_no_more_are_forgotten() -> None:
    kept = json.loads(memory.kept(Open(pending=("PIN",), asker="a"), [])) | {"pending": ["PIN", "GONE"]}
    begun = memory.begun(json.dumps(kept), [Part(text="x", said=True)])
    assert begun is not None
    assert begun.pending == ("PIN",)
