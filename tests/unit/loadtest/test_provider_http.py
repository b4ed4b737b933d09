"""The simulator over real HTTP: what clients see, what is billed, and how it is changed live."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from loadtest.provider import ProviderSimulator, is_right

QUESTION = "What is 12 + 7?"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def body(**more: Any) -> dict[str, Any]:
    return {"model": "small", "messages": [{"role": "user", "content": QUESTION}], **more}


async def ask(
    http: aiohttp.ClientSession, provider: ProviderSimulator, **more: Any
) -> tuple[int, Mapping[str, str], Any]:
    url = f"{provider.base_url}/chat/completions"
    async with http.post(url, json=body(**more), headers={"x-forebay-attempt-id": "a-1"}) as response:
        return response.status, response.headers, json.loads(await response.read())


async def stream(http: aiohttp.ClientSession, provider: ProviderSimulator, **more: Any) -> list[str]:
    url = f"{provider.base_url}/chat/completions"
    async with http.post(url, json=body(stream=True, **more)) as response:
        return [line.decode()[6:].strip() async for line in response.content if line.startswith(b"data: ")]


SURE = {"models": {"small": {"quality": {"floor": 1.0}}}}


async def test_an_answer_with_usage_and_its_bill(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator(SURE) as provider:
        status, _, reply = await ask(http, provider)
        assert status == 200
        assert is_right(QUESTION, reply["choices"][0]["message"]["content"])
        assert reply["choices"][0]["finish_reason"] == "stop"
        [line] = provider.invoice
        usage = reply["usage"]
        assert line["attempt_id"] == "a-1"
        assert line["status"] == "ok"
        assert line["cost_nanousd"] == usage["prompt_tokens"] * 150 + usage["completion_tokens"] * 600
        assert line["finished_ms"] >= line["started_ms"]


async def test_a_stream_says_the_same_as_the_whole(http: aiohttp.ClientSession) -> None:
    pace = {"models": {"small": {"latency": {"tokens_per_s": 5000}}}}
    async with ProviderSimulator(pace) as provider:
        _, _, reply = await ask(http, provider)
        lines = await stream(http, provider, stream_options={"include_usage": True})
        assert lines[-1] == "[DONE]"
        chunks = [json.loads(line) for line in lines[:-1]]
        deltas = [choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]]
        assert len([delta for delta in deltas if delta]) > 1
        assert "".join(deltas) == reply["choices"][0]["message"]["content"]
        assert chunks[-1]["usage"] == reply["usage"]


async def test_logprobs_cover_the_answer(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator() as provider:
        _, _, reply = await ask(http, provider, logprobs=True, top_logprobs=3)
        choice = reply["choices"][0]
        tokens = choice["logprobs"]["content"]
        assert "".join(token["token"] for token in tokens) == choice["message"]["content"]
        assert all(token["logprob"] <= 0 and len(token["top_logprobs"]) == 3 for token in tokens)


async def test_max_tokens_truncates(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator() as provider:
        _, _, reply = await ask(http, provider, max_tokens=3)
        assert reply["choices"][0]["finish_reason"] == "length"
        assert reply["usage"]["completion_tokens"] == 3


async def test_structured_output_fits_its_schema(http: aiohttp.ClientSession) -> None:
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "n": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}},
        },
        "required": ["city", "n", "tags"],
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    async with ProviderSimulator(SURE) as provider:
        _, _, reply = await ask(http, provider, response_format=wanted)
        value = json.loads(reply["choices"][0]["message"]["content"])
        assert value["n"] == 19
        assert value["tags"] == ["x"]
        provider.configure({"models": {"small": {"quality": {"broken_json": 1.0}}}})
        _, _, reply = await ask(http, provider, response_format=wanted)
        with pytest.raises(json.JSONDecodeError):
            json.loads(reply["choices"][0]["message"]["content"])


async def test_a_required_tool_is_called_whole_and_streamed(http: aiohttp.ClientSession) -> None:
    function = {"name": "add", "parameters": {"type": "object", "properties": {"sum": {"type": "integer"}}}}
    tools = {"tools": [{"type": "function", "function": function}], "tool_choice": "required"}
    async with ProviderSimulator(SURE) as provider:
        _, _, reply = await ask(http, provider, **tools)
        [call] = reply["choices"][0]["message"]["tool_calls"]
        assert json.loads(call["function"]["arguments"]) == {"sum": 19}
        assert reply["choices"][0]["finish_reason"] == "tool_calls"
        chunks = [json.loads(line) for line in (await stream(http, provider, **tools))[:-1]]
        parts = [part for chunk in chunks for part in chunk["choices"][0]["delta"].get("tool_calls", [])]
        assert json.loads("".join(part["function"]["arguments"] for part in parts)) == {"sum": 19}


async def test_a_prompt_has_a_tool_called_where_the_model_may_choose_until_it_has_answered(
    http: aiohttp.ClientSession,
) -> None:
    function = {"name": "add", "parameters": {"type": "object", "properties": {"sum": {"type": "integer"}}}}
    tools: list[Any] = [{"type": "function", "function": function}]
    prompt = {"role": "user", "content": "[call=add] what is 30 + 4?"}
    async with ProviderSimulator(SURE) as provider:
        _, _, reply = await ask(http, provider, tools=tools, messages=[prompt])
        message = reply["choices"][0]["message"]
        assert message["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"sum":34}'}
        for kept in ({"tool_choice": "none"}, {"tools": []}, {"tools": [{"function": {"name": "other"}}]}):
            _, _, reply = await ask(http, provider, messages=[prompt], **{"tools": tools, **kept})
            assert "34" in reply["choices"][0]["message"]["content"]
        answered = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "34"}
        _, _, reply = await ask(http, provider, tools=tools, messages=[prompt, message, answered])
        assert "34" in reply["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("429", 429, "rate_limit_exceeded"),
        ("500", 500, None),
        ("503", 503, None),
        ("401", 401, "invalid_api_key"),
        ("context_length", 400, "context_length_exceeded"),
        ("content_policy", 400, "content_policy_violation"),
    ],
)
async def test_scripted_errors_are_not_billed(
    http: aiohttp.ClientSession, kind: str, status: int, code: str | None
) -> None:
    async with ProviderSimulator({"models": {"small": {"errors": {kind: 1.0}, "retry_after_s": 7}}}) as provider:
        seen, headers, reply = await ask(http, provider)
        assert (seen, reply["error"]["code"]) == (status, code)
        assert headers.get("Retry-After") == ("7" if kind in ("429", "503") else None)
        assert provider.invoice == []


async def test_the_error_mix_is_drawn_in_proportion(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator({"seed": 3, "models": {"small": {"errors": {"429": 0.3, "500": 0.1}}}}) as provider:
        statuses = [(await ask(http, provider))[0] for _ in range(300)]
        assert 60 <= statuses.count(429) <= 120
        assert 12 <= statuses.count(500) <= 50
        assert len(provider.invoice) == statuses.count(200)


async def test_disconnect_in_the_middle_of_a_stream_bills_what_was_generated(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator({"models": {"small": {"errors": {"disconnect": 1.0}}}}) as provider:
        with pytest.raises(aiohttp.ClientError):
            await stream(http, provider)
        [line] = provider.invoice
        assert line["status"] == "disconnect"
        assert line["completion_tokens"] > 0


@pytest.mark.parametrize(("rule", "billed"), [("generated", 1), ("never", 0)])
async def test_a_disconnected_call_is_billed_by_the_rule(http: aiohttp.ClientSession, rule: str, billed: int) -> None:
    script = {"bill_disconnect": rule, "models": {"small": {"errors": {"disconnect": 1.0}}}}
    async with ProviderSimulator(script) as provider:
        with pytest.raises(aiohttp.ClientError):
            await ask(http, provider)
        assert len(provider.invoice) == billed


async def test_malformed_json(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator({"models": {"small": {"errors": {"malformed": 1.0}}}}) as provider:
        with pytest.raises(json.JSONDecodeError):
            await ask(http, provider)
        lines = await stream(http, provider)
        with pytest.raises(json.JSONDecodeError):
            [json.loads(line) for line in lines[:-1]]


async def test_refused_connections(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator({"outages": [{"to_s": 60, "kind": "refuse"}]}) as provider:
        with pytest.raises(aiohttp.ClientError):
            await ask(http, provider)
        assert provider.invoice == []


async def until(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition never came true")


@pytest.mark.parametrize(
    ("rule", "first_token_ms", "billed"),
    [("generated", 0, 1), ("generated", 60_000, 0), ("always", 60_000, 1), ("never", 0, 0)],
)
async def test_a_client_that_goes_away_pays_if_generation_had_begun(
    http: aiohttp.ClientSession, rule: str, first_token_ms: int, billed: int
) -> None:
    latency = {"first_token_ms": first_token_ms, "tokens_per_s": 2}
    async with ProviderSimulator({"bill_client_gone": rule, "models": {"small": {"latency": latency}}}) as provider:
        asking = asyncio.create_task(ask(http, provider))
        stats = provider.simulator.stats
        await until(lambda: stats.in_flight["small"] == 1)
        await asyncio.sleep(0.05)
        asking.cancel()
        await until(lambda: stats.outcomes["small", "client_gone"] == 1)
        assert [line["status"] for line in provider.invoice] == ["client_gone"] * billed


async def test_a_stall_can_be_cut_by_the_client(http: aiohttp.ClientSession) -> None:
    latency = {"tokens_per_s": 10_000, "stall": {"share": 1.0, "ms": 60_000}}
    async with ProviderSimulator({"seed": 1, "models": {"small": {"latency": latency}}}) as provider:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await stream(http, provider)
        await until(lambda: len(provider.invoice) == 1)
        assert provider.invoice[0]["status"] == "client_gone"


async def test_limits_answer_429_with_the_time_to_wait(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator({"models": {"small": {"limits": {"rpm": 2}}}}) as provider:
        statuses = [(await ask(http, provider))[0] for _ in range(3)]
        assert statuses == [200, 200, 429]
        _, headers, _ = await ask(http, provider)
        assert 0 < float(headers["Retry-After"]) <= 60


async def test_a_prompt_longer_than_the_window_is_refused(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator({"models": {"small": {"limits": {"context_tokens": 20}}}}) as provider:
        assert (await ask(http, provider))[0] == 200
        status, _, reply = await ask(http, provider, max_tokens=100)
        assert (status, reply["error"]["code"]) == (400, "context_length_exceeded")


async def test_outage_on_the_time_line_for_one_model(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator({"models": {"small": {}, "large": {}}}) as provider:
        async with http.post(f"{provider.admin_url}/outage", json={"for_s": 60, "models": ["small"]}) as response:
            assert response.status == 200
        assert (await ask(http, provider))[0] == 503
        assert (await ask(http, provider, model="large"))[0] == 200
        provider.configure({"outages": None})
        assert (await ask(http, provider))[0] == 200


async def test_admin_changes_reads_and_resets(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    path = tmp_path / "invoice.jsonl"
    async with ProviderSimulator(invoice=path) as provider:
        await ask(http, provider)
        assert len(path.read_text().splitlines()) == 1
        async with http.get(f"{provider.admin_url}/invoice") as response:
            invoice = await response.json()
            assert invoice["lines"] == list(provider.invoice)
            assert invoice["total_nanousd"] == provider.invoice[0]["cost_nanousd"]
        async with http.get(f"{provider.admin_url}/stats") as response:
            assert (await response.json())["models"]["small"]["outcomes"] == {"ok": 1}
        async with http.post(
            f"{provider.admin_url}/config", json={"models": {"small": {"input_nanousd": 7}}}
        ) as response:
            assert response.status == 200
        async with http.get(f"{provider.admin_url}/config") as response:
            assert (await response.json())["script"]["models"]["small"]["input_nanousd"] == 7
        async with http.post(f"{provider.admin_url}/config", json={"models": {"small": {"nonsense": 7}}}) as response:
            assert response.status == 400
        async with http.post(f"{provider.admin_url}/reset") as response:
            assert response.status == 200
        assert path.read_text() == ""
        assert provider.simulator.raw["models"]["small"] == {"input_nanousd": 7}
        await ask(http, provider)
        assert len(path.read_text().splitlines()) == 1


async def test_models_health_unknown_paths_and_unknown_models(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator(profile="tiers") as provider:
        async with http.get(f"{provider.base_url}/models") as response:
            ids = {entry["id"] for entry in (await response.json())["data"]}
            assert ids == {"small", "medium", "large"}
        async with http.get(f"http://127.0.0.1:{provider.port}/health") as response:
            assert response.status == 200
        async with http.get(f"http://127.0.0.1:{provider.port}/nothing") as response:
            assert response.status == 404
        assert (await ask(http, provider, model="gpt-unknown"))[0] == 404


async def test_embeddings_put_common_words_nearer(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator() as provider:
        texts = ["the cat sat down", "the cat sat up", "bonds rallied"]
        async with http.post(f"{provider.base_url}/embeddings", json={"model": "e", "input": texts}) as response:
            vectors = [entry["embedding"] for entry in (await response.json())["data"]]

        def cosine(a: list[float], b: list[float]) -> float:
            return sum(x * y for x, y in zip(a, b, strict=True))

        assert cosine(vectors[0], vectors[0]) == pytest.approx(1.0, abs=1e-4)
        assert cosine(vectors[0], vectors[1]) > 0.5 > cosine(vectors[0], vectors[2])
        assert provider.invoice[0]["completion_tokens"] == 0


async def test_instant_profile_answers_and_bills(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator(profile="instant") as provider:
        status, _, reply = await ask(http, provider)
        lines = await stream(http, provider)
        assert status == 200
        text = "".join(
            choice["delta"].get("content", "") for line in lines[:-1] for choice in json.loads(line)["choices"]
        )
        assert text == reply["choices"][0]["message"]["content"]
        assert [line["status"] for line in provider.invoice] == ["ok", "ok"]


async def test_the_request_log_has_what_the_provider_saw(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    async with ProviderSimulator(request_log=path) as provider:
        await ask(http, provider)
    [line] = path.read_text().splitlines()
    assert json.loads(line)["messages"][0]["content"] == QUESTION


async def test_broken_requests_are_refused(http: aiohttp.ClientSession) -> None:
    async with ProviderSimulator() as provider:
        async with http.post(f"{provider.base_url}/chat/completions", data=b"{") as response:
            assert response.status == 400
        assert (await ask(http, provider, n=2))[0] == 400
