"""The two local models: real answers, log-probabilities, several requests at once."""

from typing import Any

import aiohttp
import pytest

from tests.stack import Servers

pytestmark = pytest.mark.embedded


async def ask(base: str, question: str, **more: Any) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": 24} | more
    timeout = aiohttp.ClientTimeout(total=120)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(f"{base}/chat/completions", json=body) as answer,
    ):
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


@pytest.mark.parametrize("tier", ["small", "large"])
async def test_answers_come_with_log_probabilities(models: dict[str, str], tier: str) -> None:
    answer = await ask(models[tier], "What is the capital of France?", logprobs=True, top_logprobs=2)
    tokens = answer["choices"][0]["logprobs"]["content"]
    assert tokens
    assert all(token["logprob"] <= 0 and len(token["top_logprobs"]) == 2 for token in tokens)
    assert answer["usage"]["completion_tokens"] >= len(tokens)


async def test_the_large_model_knows_what_the_small_one_does_not(models: dict[str, str]) -> None:
    question = "What is 12 + 7? Answer with the number only."
    answers = {tier: (await ask(url, question))["choices"][0]["message"]["content"] for tier, url in models.items()}
    assert "19" in answers["large"]
    assert "19" not in answers["small"]


async def test_the_large_model_stops_after_its_answer(models: dict[str, str]) -> None:
    answer = await ask(models["large"], "What is the capital of France?", max_tokens=200)
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert "Question" not in answer["choices"][0]["message"]["content"]


async def test_texts_of_others_are_not_served(models: dict[str, str]) -> None:
    async with aiohttp.ClientSession() as session, session.get(models["small"].replace("/v1", "/slots")) as answer:
        assert answer.status >= 400


async def test_a_killed_model_comes_back(model_servers: tuple[Servers, dict[str, str]]) -> None:
    servers, urls = model_servers
    servers.kill("model-small")
    servers.start("model-small")
    assert (await ask(urls["small"], "Say hello."))["choices"]
