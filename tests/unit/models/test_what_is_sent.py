"""What a provider gets is what the page says: found from the code, and compared with the bytes of a real call."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp.web
import pytest

from forebay.contract.records import Message, MessageRole, Params
from forebay_agents.models.providers.call_arguments import call_arguments, reaching
from forebay_agents.models.providers.provider import Call, Provider
from forebay_agents.models.settings import Deployment

pytestmark = pytest.mark.filterwarnings("ignore")  # litellm's own
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]
ANSWER = {"id": "1", "object": "chat.completion", "model": "x", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
ANSWER |= {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "19"}}]}
EVERYTHING = Call(
    attempt_id="attempt-7",
    request_id="request-7",
    messages=(
        Message(role=MessageRole.USER, content="What is 12 + 7?", name="asker"),
        Message(role=MessageRole.ASSISTANT, tool_calls=json.dumps([{"id": "c", "type": "function", "function": {}}])),
        Message(role=MessageRole.TOOL, content="19", tool_call_id="c"),
    ),
    params=Params(
        temperature=0.5,
        top_p=0.5,
        stop=("x",),
        seed=7,
        presence_penalty=0.5,
        frequency_penalty=0.5,
        tool_choice="required",
        parallel_tool_calls=False,
        reasoning_effort="low",
    ),
    tools=TOOLS,
    response_format={"type": "json_object"},
    top_logprobs=2,
    timeout_s=20.0,
)


@dataclass
class Heard:
    """A provider that keeps what it is sent."""

    url: str
    body: dict[str, Any]
    headers: Mapping[str, str]


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    found = Heard("", {}, {})

    async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
        found.body, found.headers = await request.json(), request.headers
        return aiohttp.web.json_response(ANSWER)

    application = aiohttp.web.Application()
    application.router.add_post("/{path:.*}", answer)
    runner = aiohttp.web.AppRunner(application, access_log=None)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield found
    await runner.cleanup()


def paths(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict) and path not in ("tools[]", "response_format", "messages[].tool_calls[]"):
        return {one for key, item in value.items() for one in paths(item, f"{path}.{key}" if path else key)}
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return {one for item in value for one in paths(item, f"{path}[]")}
    return {path.removesuffix("[]") if path.startswith(("tools", "messages[].tool_calls")) else path}


async def test_the_bytes_of_a_call_hold_what_is_said_and_nothing_else(heard: Heard, provider: Provider) -> None:
    await provider.ready()
    place = Deployment(name="d", model="openai/x", api_base=heard.url, api_key="key-7", stream=False)
    await provider.complete(place, EVERYTHING)
    said = {path for path in reaching() if not path.startswith(("extra_headers.", "api_key", "stream"))}
    assert paths(heard.body) - {"stream"} == said
    assert not heard.body.get("stream")
    assert heard.headers["authorization"] == "Bearer key-7"
    ours = {f"extra_headers.{name.lower()}" for name in heard.headers if name.lower().startswith("x-forebay")}
    assert ours == {path for path in reaching() if path.startswith("extra_headers.")}
    of_the_library = {name.lower() for name in heard.headers} - {name.removeprefix("extra_headers.") for name in ours}
    assert {name for name in of_the_library if not name.startswith("x-stainless-")} <= {
        *("accept", "accept-encoding", "authorization", "connection", "content-length", "content-type"),
        *("host", "user-agent"),
    }


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("messages[].content", "Call.messages[].content"),
        ("temperature", "Call.params.temperature"),
        ("extra_headers.x-forebay-request-id", "Call.request_id"),
        ("model", "Deployment.model"),
        ("tools", "Call.tools"),
    ],
)
def test_each_is_traced_to_the_field_that_decides_it(path: str, origin: str) -> None:
    assert reaching()[path] == (origin,)


@pytest.mark.parametrize("name", ["name", "region", "weight", "rpm", "price", "timeout_s", "api_base"])
def test_what_is_ours_alone_is_not_sent(name: str) -> None:
    assert not {origin for origins in reaching().values() for origin in origins if origin == f"Deployment.{name}"}


@dataclass(frozen=True, kw_only=True)
class LongerMessage:
    mood: str = ""


@dataclass(frozen=True, kw_only=True)
class LongerCall(Call):
    customer: str = ""
    extras: tuple[LongerMessage, ...] = ()
    kept: str = ""


def test_a_field_that_is_sent_from_now_on_is_said_and_one_that_is_not_is_not() -> None:
    def arguments(place: Deployment, call: LongerCall) -> dict[str, Any]:
        more = {"user": call.customer, "extras": [{"mood": extra.mood} for extra in call.extras]}
        return call_arguments(place, call) | more

    found = reaching((Deployment, LongerCall), arguments)
    assert {path: origins for path, origins in found.items() if path not in reaching()} == {
        "user": ("Call.customer",),
        "extras[].mood": ("Call.extras[].mood",),
    }


def test_a_field_of_a_new_type_has_to_be_placed_first() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Strange(Call):
        when: complex = 0j

    with pytest.raises(TypeError, match="complex"):
        reaching((Deployment, Strange))
