"""Which deployments are called straight, and what that spares; what both ways do alike is in the other modules here."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp.web
import pytest

from forebay.contract.records import Message
from forebay_agents.models.providers.direct_provider import DirectProvider, speaks_openai
from forebay_agents.models.providers.provider import Call, ProviderError
from forebay_agents.models.settings import Deployment

CALL = Call(attempt_id="a", request_id="r", messages=(Message(content="What is 12 + 7?"),), timeout_s=10.0)


def place(model: str, **fields: Any) -> Deployment:
    return Deployment(name="d", model=model, **fields)


@pytest.mark.parametrize(
    "model",
    ["openai/gpt-4o-mini", "openai/gpt-4.1", "openai/qwen2.5:0.5b", "openai/gemma-3-270m", "openai/ft:gpt-4o:me"],
)
def test_what_speaks_openais_format_is_called_straight(model: str) -> None:
    assert speaks_openai(place(model))


@pytest.mark.parametrize(
    "model",
    [
        *("gpt-4o-mini", "anthropic/claude-sonnet-4", "azure/gpt-4o", "gemini/gemini-2.5-flash", "openai/o3-mini"),
        *("openai/gpt-5", "openai/ft:gpt-5-mini:me", "openai/gpt-4o-audio-preview", "openai/gpt-4", "openai/o1"),
        *("openai/gpt-4o-search-preview", "openai/responses/gpt-4o"),
    ],
)
def test_what_litellm_translates_or_sends_elsewhere_goes_through_it(model: str) -> None:
    assert not speaks_openai(place(model))


@asynccontextmanager
async def serving(answer: Any) -> AsyncIterator[str]:
    application = aiohttp.web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = aiohttp.web.AppRunner(application, access_log=None)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@asynccontextmanager
async def straight() -> AsyncIterator[DirectProvider]:
    provider = DirectProvider()
    yield provider
    await provider.aclose()


async def failed(deployment: Deployment, call: Call = CALL) -> ProviderError:
    async with straight() as provider:
        with pytest.raises(ProviderError) as failure:
            await provider.complete(deployment, call)
    return failure.value


async def test_a_redirect_is_not_followed_since_it_would_take_the_prompt_elsewhere() -> None:
    elsewhere: list[str] = []

    async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
        elsewhere.append(request.path)
        return aiohttp.web.Response(status=307, headers={"location": "/elsewhere"})

    async with serving(answer) as url:
        error = await failed(place("openai/x", api_base=url))
    assert (error.code, error.may_be_billed) == ("provider_unavailable", False)
    assert elsewhere == ["/chat/completions"]


async def test_a_server_that_takes_no_connection_in_time_charges_nothing() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        try:
            for _ in range(4):  # its queue is full: the next connection is not taken up
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(full.getsockname())
                waiting.append(one)
            url = f"http://127.0.0.1:{full.getsockname()[1]}"
            error = await failed(place("openai/x", api_base=url, connect_timeout_s=0.2))
        finally:
            for one in waiting:
                one.close()
    assert (error.code, error.may_be_billed) == ("provider_timeout", False)


async def test_an_address_that_is_none_is_an_error_with_a_code() -> None:
    error = await failed(place("openai/x", api_base="no address"))
    assert (error.code, error.may_be_billed) == ("provider_unavailable", False)


async def test_openais_own_address_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []

    async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
        keys.append(request.headers["authorization"])
        return aiohttp.web.Response(status=401)

    async with serving(answer) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-house")
        assert (await failed(place("openai/gpt-4o-mini"))).code == "provider_auth"
    assert keys == ["Bearer key-of-the-house"]


_PROGRAM = """
import asyncio, sys
from forebay.contract.records import CallPurpose
from forebay.settings import Settings
from forebay_agents.models.open_caller import open_caller

async def main(model, price):
    tiers = [{"name": "only", "deployments": [{"name": "d", "model": model, "api_base": "http://x", "price": price}]}]
    async with open_caller(Settings({"models": {"tiers": tiers}}), CallPurpose.COMPLETION) as opened:
        await opened.provider.ready()

asyncio.run(main(sys.argv[1], {"input": 1.0, "output": 2.0}))
print("litellm" in sys.modules)
"""


@pytest.mark.parametrize(("model", "imported"), [("openai/gemma", "False"), ("openai/o3", "True")])
def test_litellm_is_imported_only_where_it_is_needed(model: str, imported: str) -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, model], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == imported
