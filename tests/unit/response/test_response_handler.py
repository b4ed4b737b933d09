"""The response stage: restored answers, errors passed on, and never a wrong name."""

import json
from dataclasses import replace

import pytest

from forebay.contract.failures import Permanent, Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.records import Attempt, Completion, Error, RedactedRequest, Response, ResponseStatus
from forebay.contract.wire import Delivered
from forebay.privacy.pseudonyms import PseudonymMap
from forebay_agents.response.handler import ResponseHandler


class Maps:
    """A vault with one entry."""

    async def load(self, ref: str) -> PseudonymMap:
        if ref == "down":
            raise Transient("redis_unavailable", "no")
        if ref != "ref":
            raise Permanent("vault_expired", "gone")
        return PseudonymMap(originals={"<PERSON_1>": "Ana Lee"})


CONTEXT = Context(
    source=Delivered(
        topic="completions", partition=0, offset=7, key=b"r1", value=b"", timestamp_ms=5,
        headers={"forebay-timing-redaction": b"1200", "forebay-timing-x": b"no number"},
    ),
    attempt=1,
    accepted_at=5,
)  # fmt: skip
REQUEST = RedactedRequest(
    request_id="r1",
    conversation_id="c",
    vault_ref="ref",
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
HANDLER = ResponseHandler(Maps(), lambda _headers, _id: {}, clock_ms=lambda: 9)


def _response(outputs: list[Output]) -> Response:
    [output] = outputs
    assert output.topic == "responses"
    assert isinstance(output.value, Response)
    assert output.key == output.value.request_id
    return output.value


async def test_pseudonyms_are_restored_and_the_rest_is_passed_on() -> None:
    calls = json.dumps([{"function": {"arguments": '{"to": "<PERSON_1>"}'}}])
    response = _response(await HANDLER.handle(replace(OK, tool_calls=calls), CONTEXT))
    assert response.status is ResponseStatus.OK
    assert response.content == "Dear Ana Lee, not <PERSON_2>"
    assert json.loads(json.loads(response.tool_calls or "")[0]["function"]["arguments"]) == {"to": "Ana Lee"}
    assert response.metadata == {"for": "Ana Lee"}
    assert response.redactions == {"PERSON": 1}
    assert (response.attempts, response.cost_nanousd, response.conversation_id) == (2, 7, "c")
    assert (response.accepted_at, response.responded_at) == (3, 9)
    assert response.timings.keys() == {"completion", "redaction", "response"}
    assert response.timings["redaction"] == 1200


async def test_without_its_mapping_a_response_fails_instead_of_guessing() -> None:
    gone = replace(OK, request=replace(REQUEST, vault_ref="other"))
    response = _response(await HANDLER.handle(gone, CONTEXT))
    assert response.status is ResponseStatus.FAILED
    assert response.error == Error(code="vault_expired", message="gone")
    assert (response.content, response.tool_calls, response.metadata) == ("", None, {})
    assert response.cost_nanousd == 7


async def test_an_error_is_passed_on() -> None:
    error = Error(code="no_tier", message="none")
    response = _response(
        await HANDLER.handle(Completion(request_id="r1", status=ResponseStatus.REJECTED, error=error), CONTEXT)
    )
    assert (response.status, response.error) == (ResponseStatus.REJECTED, error)


async def test_a_dead_redis_is_retried() -> None:
    with pytest.raises(Transient):
        await HANDLER.handle(replace(OK, request=replace(REQUEST, vault_ref="down")), CONTEXT)


@pytest.mark.parametrize("completion", [OK, None])
def test_a_failure_is_a_response_too(completion: Completion | None) -> None:
    failure = Permanent("retries_exhausted", "8 attempts")
    response = _response(list(HANDLER.on_failure(completion, CONTEXT, failure)))
    assert response.request_id == "r1"
    assert response.status is ResponseStatus.FAILED
    assert response.error == Error(code="retries_exhausted", message="8 attempts")
    assert response.content == ""
