"""The response stage: restored answers, errors passed on, and never a wrong name."""

import json
from dataclasses import replace

import pytest

from forebay.contract.failures import Permanent
from forebay.contract.handlers import Route
from forebay.contract.records import Attempt, Completion, Error, RedactedRequest, Response, ResponseStatus
from forebay.privacy.fingerprints import FingerprintHeaders
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.vault import Owner
from forebay.runtime.stage import Stage
from forebay.settings import StageSettings
from forebay.testing import KEYRING, MemoryVaultStore, Outcome, StageRunner, VirtualClock, context, memory_vault
from forebay_agents.response.handler import ResponseHandler

TIMED = {"forebay-spans": b"redaction;5;4;1200;retry:redis_unavailable,redaction;6;1;1300;ok"}
REQUEST = RedactedRequest(
    request_id="r1",
    tenant_id="acme",
    user_id="u",
    conversation_id="c",
    vault_ref="nobody's",
    entities={"PERSON": 1},
    metadata={"for": "<PERSON_1>"},
    accepted_at=3,
)
OK = Completion(
    request_id="r1",
    tenant_id="acme",
    user_id="u",
    status=ResponseStatus.OK,
    content="Dear <PERSON_1>, not <PERSON_2>",
    attempts=(Attempt(), Attempt()),
    cost_nanousd=7,
    timings={"completion": 10},
    request=REQUEST,
)


@pytest.fixture
def store() -> MemoryVaultStore:
    return MemoryVaultStore(VirtualClock().seconds)


@pytest.fixture
def handler(store: MemoryVaultStore) -> ResponseHandler:
    return ResponseHandler(memory_vault(store=store), FingerprintHeaders(KEYRING), clock_ms=lambda: 9)


@pytest.fixture
def stage(handler: ResponseHandler) -> StageRunner:
    route = Route(topic="completions", handle=handler.handle, on_failure=handler.on_failure)
    return StageRunner(Stage(name="response", routes=[route], limits=StageSettings(max_attempts=2)))


async def redacted(store: MemoryVaultStore, **fields: object) -> Completion:
    """An answer whose pseudonyms are in the vault."""
    mapping = PseudonymMap(originals={"<PERSON_1>": "Ana Lee"})
    ref = await memory_vault(store=store).store(mapping, Owner(tenant_id="acme", user_id="u"), "r1")
    return replace(OK, request=replace(REQUEST, vault_ref=ref), **fields)  # type: ignore[arg-type]  # any of its fields


def response_of(outcome: Outcome) -> Response:
    output, _kept = outcome.outputs
    response = output.record
    assert isinstance(response, Response)
    assert (output.topic, output.key) == ("responses", response.request_id)
    return response


async def test_pseudonyms_are_restored_and_the_rest_is_passed_on(stage: StageRunner, store: MemoryVaultStore) -> None:
    calls = json.dumps([{"function": {"arguments": '{"to": "<PERSON_1>"}'}}])
    response = response_of(await stage.send("completions", await redacted(store, tool_calls=calls), headers=TIMED))
    assert response.status is ResponseStatus.OK
    assert response.content == "Dear Ana Lee, not <PERSON_2>"
    assert json.loads(json.loads(response.tool_calls or "")[0]["function"]["arguments"]) == {"to": "Ana Lee"}
    assert response.metadata == {"for": "Ana Lee"}
    assert response.redactions == {"PERSON": 1}
    assert (response.attempts, response.cost_nanousd, response.conversation_id) == (2, 7, "c")
    assert (response.accepted_at, response.responded_at) == (3, 9)
    assert response.timings.keys() == {"completion", "redaction", "response"}
    assert response.timings["redaction"] == 1300


async def test_without_its_mapping_a_response_fails_instead_of_guessing(stage: StageRunner) -> None:
    response = response_of(await stage.send("completions", OK))
    assert response.status is ResponseStatus.FAILED
    assert response.error is not None
    assert response.error.code == "vault_expired"
    assert (response.content, response.tool_calls, response.metadata) == ("", None, {})
    assert response.cost_nanousd == 7


@pytest.mark.parametrize(
    ("addressee", "asker"),
    [
        ({"tenant_id": "evil"}, {"tenant_id": "evil"}),
        ({"user_id": "eve"}, {"user_id": "eve"}),
        ({"request_id": "r2"}, {"request_id": "r2"}),
        ({"tenant_id": "evil", "user_id": "eve", "request_id": "r2"}, {}),
        ({}, {"request_id": "r2"}),
        ({"user_id": "eve"}, {}),
    ],
)
async def test_nobody_elses_mapping_is_restored(
    stage: StageRunner, store: MemoryVaultStore, addressee: dict[str, str], asker: dict[str, str]
) -> None:
    completion = await redacted(store)
    request = replace(completion.request or REQUEST, **asker)
    outcome = await stage.send("completions", replace(completion, request=request, **addressee))
    response = response_of(outcome)
    assert response.error is not None
    assert (response.status, response.error.code, response.content) == (ResponseStatus.FAILED, "vault_mismatch", "")
    assert outcome.dead_letter is not None
    assert (outcome.dead_letter.code, outcome.retry) == ("vault_mismatch", None)


async def test_an_error_is_passed_on(stage: StageRunner) -> None:
    error = Error(code="no_tier", message="none")
    completion = Completion(request_id="r1", status=ResponseStatus.REJECTED, error=error)
    response = response_of(await stage.send("completions", completion))
    assert (response.status, response.error) == (ResponseStatus.REJECTED, error)


async def test_a_dead_redis_is_waited_for_and_then_told(stage: StageRunner, store: MemoryVaultStore) -> None:
    completion = await redacted(store)
    store.down = True
    first = await stage.send("completions", completion)
    assert (first.code, first.outputs) == ("redis_unavailable", ())
    [last] = await stage.advance(10)
    response = response_of(last)
    assert response.error is not None
    assert (response.status, response.error.code) == (ResponseStatus.FAILED, "retries_exhausted")
    assert response.content == ""


async def test_what_cannot_be_read_has_somebody_waiting_for_it_too(stage: StageRunner) -> None:
    response = response_of(await stage.send("completions", b"{}", key="r1"))
    assert response.error is not None
    assert (response.request_id, response.status) == ("r1", ResponseStatus.FAILED)
    assert response.error.code == "not_avro"


def test_a_failure_keeps_the_cost_and_says_nothing_of_the_answer(handler: ResponseHandler) -> None:
    output, _kept = handler.on_failure(OK, context("completions"), Permanent("retries_exhausted", "8 attempts"))
    response = output.value
    assert isinstance(response, Response)
    assert response.error == Error(code="retries_exhausted", message="8 attempts")
    assert (response.cost_nanousd, response.content) == (7, "")
