"""A refusal goes by its HTTP status: one call, one code, free; over real HTTP, with calls counted by the provider."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp.web
import pytest

from forebay.contract.failures import Failure, Permanent, Rejected, Transient
from forebay.contract.records import Message, Params, UsageStatus
from forebay_agents.models.pool import DeploymentPool
from forebay_agents.models.providers.litellm_provider import LitellmProvider
from forebay_agents.models.providers.provider import Call, ProviderError
from forebay_agents.models.settings import Deployment, Tier
from tests.unit.models.odd import Way, ask, provider_with

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("way")]  # litellm's own warnings
BOTH = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
WRONG = (400, 405, 406, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 426, 428, 431, 444, 451, 499)


def _expected() -> list[tuple[int, str, type[Failure]]]:
    return [
        *((status, "provider_bad_request", Rejected) for status in WRONG),
        *((status, "provider_auth", Permanent) for status in (401, 402, 403)),
        (404, "provider_not_found", Permanent),
        (408, "provider_timeout", Transient),
        (409, "provider_unavailable", Transient),
        (425, "provider_unavailable", Transient),
        (429, "provider_rate_limited", Transient),
        (500, "provider_unavailable", Transient),
        (502, "provider_unavailable", Transient),
        (503, "provider_unavailable", Transient),
        (504, "provider_timeout", Transient),
        (529, "provider_unavailable", Transient),
        (599, "provider_unavailable", Transient),
    ]


@BOTH
async def test_a_status_is_one_call_and_one_code(stream: bool) -> None:
    async with provider_with(stream) as (simulator, place):
        for status, code, kind in _expected():
            simulator.configure({"models": {"x": {"errors": None}}})
            simulator.configure({"models": {"x": {"errors": {str(status): 1.0}}}})
            became = await ask(place, simulator)
            assert type(became.failure) is kind, status
            assert (became.failure.code, became.failure.message) == (code, f"d: HTTP {status}")
            closed = (became.entry.status, became.entry.error_code, became.entry.cost_nanousd)
            assert closed == (UsageStatus.FAILED, code, 0)


async def test_what_is_said_of_a_request_says_nothing_of_the_deployment() -> None:
    async with provider_with() as (simulator, place):
        pool = DeploymentPool([Tier(name="only", deployments=(place,))], 10.0)
        for status in (*WRONG, 404):
            simulator.configure({"models": {"x": {"errors": None}}})
            simulator.configure({"models": {"x": {"errors": {str(status): 1.0}}}})
            assert (await ask(place, simulator, pool=pool)).calls == 1
        simulator.configure({"models": {"x": {"errors": None}}})
        assert (await ask(place, simulator, pool=pool)).answer is not None, f"after {len(WRONG)} refusals in a row"


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_key_that_is_refused_is_told_and_the_deployment_rests(status: int) -> None:
    async with provider_with(errors={str(status): 1.0}) as (simulator, place):
        pool = DeploymentPool([Tier(name="only", deployments=(place,))], 10.0)
        first = await ask(place, simulator, pool=pool)
        [alert] = first.trace.alerts
        assert (alert.kind, alert.subject) == ("provider_auth", "d")
        assert f"HTTP {status}" in alert.message
        second = await ask(place, simulator, pool=pool)
        assert second.calls == 0
        assert isinstance(second.failure, Transient)
        assert second.failure.message == f"only: every deployment rests (provider_auth: d: HTTP {status})"


async def test_each_rest_has_its_cause() -> None:
    places = tuple(Deployment(name=name, model="m") for name in ("a", "b"))
    tier = Tier(name="only", deployments=places)
    pool = DeploymentPool([tier], 10.0)
    for _ in range(4):
        pool.failed(places[0], ProviderError("provider_unavailable", "a: HTTP 503"))
        pool.failed(places[0], ProviderError("provider_bad_request", "a: HTTP 422"))
        pool.failed(places[1], ProviderError("provider_timeout", "b: stalled for 15 s"))
    assert pool.why_rests(tier) == "provider_unavailable: a: HTTP 503; provider_timeout: b: stalled for 15 s"


class Server:
    """Answers everything with one status and body; a status of 0 breaks the connection. Knows what it was asked."""

    def __init__(self, status: int, body: str) -> None:
        self.status, self.body = status, body
        self.asked: list[dict[str, Any]] = []

    async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        self.asked.append(await request.json())
        if not self.status:
            assert request.transport is not None
            request.transport.abort()
        return aiohttp.web.Response(status=self.status or 500, text=self.body, content_type="application/json")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its address."""
        application = aiohttp.web.Application()
        application.router.add_route("*", "/{path:.*}", self.answer)
        runner = aiohttp.web.AppRunner(application)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            await runner.cleanup()


async def _failure(model: str, url: str, *, stream: bool, **params: Any) -> ProviderError:
    await Way.provider.ready()
    place = Deployment(name="d", model=model, api_base=url, api_key="k", stream=stream)  # type: ignore[arg-type]  # pydantic
    message = Message(content="hi")
    call = Call(attempt_id="a", request_id="r", messages=(message,), timeout_s=10.0, params=Params(**params))
    with pytest.raises(ProviderError) as failed:
        await Way.provider.complete(place, call)
    return failed.value


OTHERS = ("anthropic/claude-3-5-haiku-latest", "mistral/mistral-small", "azure_ai/x")
EXTRA = {"message": "Extra inputs are not permitted", "detail": [{"loc": ["body", "temperature"]}]}


@BOTH
@pytest.mark.parametrize("model", ["openai/x", *OTHERS])
async def test_no_library_calls_twice_for_a_422(stream: bool, model: str) -> None:
    server = Server(422, json.dumps({"error": EXTRA}))
    async with server.serving() as url:
        error = await _failure(model, url, stream=stream, temperature=0.5)
    assert (error.code, error.may_be_billed, len(server.asked)) == ("provider_bad_request", False, 1)


@BOTH
@pytest.mark.parametrize("model", ["openai/x", *OTHERS])
async def test_no_library_calls_twice_after_a_broken_connection(stream: bool, model: str) -> None:
    server = Server(0, "")
    async with server.serving() as url:
        error = await _failure(model, url, stream=stream)
    assert (error.code, error.may_be_billed, len(server.asked)) == ("provider_unavailable", True, 1)


@BOTH
@pytest.mark.parametrize("model", ["openai/x", *OTHERS])
async def test_no_library_calls_twice_after_a_reset(stream: bool, model: str) -> None:
    asked = 0

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        # Seen by the other side as an error of the socket (ECONNRESET), as is a host that nobody can reach.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with await asyncio.start_server(reset, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        error = await _failure(model, url, stream=stream)
    assert (error.code, error.may_be_billed, asked) == ("provider_unavailable", True, 1)


@pytest.mark.parametrize("model", ["openai/o1", "openai/gpt-5"])
async def test_what_a_model_does_not_know_is_left_out(model: str) -> None:
    server = Server(400, "{}")
    async with server.serving() as url:
        await _failure(model, url, stream=False, temperature=0.5, presence_penalty=0.5)
    assert not {"temperature", "presence_penalty"} & server.asked[0].keys()


@BOTH
@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"message": "the request exceeds the available context size"}, "context_length"),
        (413, {"message": "maximum context length is 4096 tokens", "type": "odd"}, "context_length"),
        (422, {"message": "No.", "code": "content_policy_violation"}, "content_policy"),
        (400, {"message": "No.", "code": "context_of_the_day"}, "provider_bad_request"),
        (503, {"message": "the context window service is down"}, "provider_unavailable"),
        (403, {"message": "context size"}, "provider_auth"),
        (400, {"message": "could not finish the message because max_tokens or model output limit was reached"},
         "provider_bad_request"),
    ],
)  # fmt: skip
async def test_a_4xx_may_say_what_is_wrong(stream: bool, status: int, body: Any, code: str) -> None:
    server = Server(status, json.dumps({"error": body}))
    async with server.serving() as url:
        error = await _failure("openai/x", url, stream=stream)
    assert (error.code, error.message) == (code, f"d: HTTP {status}")


async def test_the_wait_that_a_provider_asks_for_is_kept() -> None:
    async with provider_with(errors={"429": 1.0}, retry_after_s=7) as (simulator, place):
        became = await ask(place, simulator)
    assert isinstance(became.failure, Transient)
    assert became.failure.retry_after_s == 7.0


class NoneForAnAnswer:
    """A library that brings nothing, and says nothing."""

    async def acompletion(self, **_arguments: Any) -> None:
        """None."""


@BOTH
async def test_none_for_an_answer_is_an_error(stream: bool) -> None:
    provider = LitellmProvider(NoneForAnAnswer())
    call = Call(attempt_id="a", request_id="r", messages=(Message(content="hi"),))
    with pytest.raises(ProviderError) as failed:
        await provider.complete(Deployment(name="d", model="m", stream=stream), call)
    assert (failed.value.code, failed.value.may_be_billed) == ("provider_no_answer", True)
