"""A request that is refused for its id: from the door to its response, and what others see of the id meanwhile."""

from collections.abc import Sequence
from typing import Any

import pytest

from forebay.contract import headers as h
from forebay.contract.failures import Rejected
from forebay.contract.handlers import Context, Output, Route
from forebay.contract.ids import refused_id
from forebay.contract.records import Message, Request, Response, ResponseStatus
from forebay.privacy.fingerprints import FingerprintHeaders, fingerprint, marked
from forebay.privacy.people.names import Names
from forebay.privacy.people.travelling import TravellingIds
from forebay.runtime.stage import Stage
from forebay.settings import StageSettings
from forebay.testing import KEYRING, StageRunner, memory_vault
from forebay_agents.redaction.handler import failed_completion
from forebay_agents.redaction.validation import validate
from forebay_agents.response.handler import ResponseHandler

IDS = TravellingIds(KEYRING, Names(b"\2" * 32))


def runner() -> StageRunner:
    """The door of ``redaction``, and ``response``."""

    async def door(request: Request, _context: Context) -> Sequence[Output]:
        validate(request, max_messages=10, max_chars=1_000)
        return ()

    def refuse(request: Request | None, context: Context, failure: Any) -> Sequence[Output]:
        return [failed_completion(request, context, failure, 1, IDS)]

    marks = FingerprintHeaders(KEYRING)
    back = ResponseHandler(memory_vault(), marks, people=IDS)
    routes = {
        "redaction": Route(topic="requests", handle=door, on_failure=marked(refuse, marks)),
        "response": Route(topic="completions", handle=back.handle, on_failure=back.on_failure),
    }
    return StageRunner(*(Stage(name=name, routes=[route], limits=StageSettings()) for name, route in routes.items()))


@pytest.mark.parametrize(
    ("sent", "returned"),
    [
        ("Ann Lee\n", "Ann Lee\n"),
        ("a\0b", "a\0b"),
        ("a|b", "a|b"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("i" * 1_024, "i" * 1_024),
        ("i" * 10_000, refused_id("i" * 10_000)),
    ],
)
async def test_it_comes_back_under_the_id_that_was_sent_and_nobody_between_reads_it(sent: str, returned: str) -> None:
    stages = runner()
    request = Request(request_id=sent, messages=(Message(content="hello"),))
    await stages.send("requests", request, key=sent)
    [between] = stages.topics.published("completions")
    [response] = stages.topics.published("responses")
    assert (between.key, sent.encode() in (between.source.value or b"")) == (refused_id(sent), False)
    assert all(sent not in value for value in between.headers.values())
    assert isinstance(response.record, Response)
    assert (response.key, response.record.request_id) == (returned, returned)
    assert response.record.status is ResponseStatus.REJECTED
    assert response.headers[h.FINGERPRINT] == (fingerprint(request) if sent == returned else "")


async def test_a_value_that_cannot_be_read_is_answered_under_its_odd_key() -> None:
    stages = runner()
    await stages.send("requests", b"no Avro", key="a\nb")
    [response] = stages.topics.records("responses")
    assert (response.request_id, response.status) == ("a\nb", ResponseStatus.FAILED)


async def test_a_header_that_a_producer_made_up_sends_nothing_elsewhere() -> None:
    stages = runner()
    await stages.send("requests", b"no Avro", key="mine", headers={h.SENT_ID: b"c29tZWJvZHkgZWxzZSdz"})
    [response] = stages.topics.records("responses")
    assert response.request_id == "mine"


def test_the_refusal_names_the_field_and_quotes_nothing() -> None:
    with pytest.raises(Rejected) as refused:
        validate(Request(request_id="Ann Lee", messages=(Message(content="x"),)), max_messages=1, max_chars=1)
    assert (
        refused.value.message
        == "request_id must be 1 to 128 printable characters without blanks or |, as Unicode's NFKC has them"
    )
