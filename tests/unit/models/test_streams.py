"""Answers come as streams: put together, given up when they stall, and never taken for whole when they are not."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp.web
import pytest

from forebay.contract.records import Message, Params, UsageStatus
from forebay_agents.completion.trace import Trace
from forebay_agents.models.providers.assembly import Assembly
from forebay_agents.models.providers.provider import Answer, Call, Provider, ProviderError
from forebay_agents.models.settings import Deployment, Price, Tier
from loadtest.provider import ProviderSimulator
from tests.unit.completion.fakes import Written, asked, cascade_of

pytestmark = pytest.mark.filterwarnings("ignore")  # litellm's own
BY_TOKEN: dict[str, Any] = {"chunk_tokens": 1}
SLOW = {"latency": {"tokens_per_s": 2000}}
FOREVER = 60_000


def deployment(url: str, **fields: Any) -> Deployment:
    return Deployment(name="d", model="openai/x", api_base=url, **fields)


def call(**fields: Any) -> Call:
    given = {"messages": (Message(content="What is 12 + 7?"),), "timeout_s": 20.0} | fields
    return Call(attempt_id="a", request_id="r", **given)


async def ask(provider: Provider, place: Deployment, **fields: Any) -> Answer:
    await provider.ready()
    return await provider.complete(place, call(**fields))


async def failure(provider: Provider, place: Deployment, **fields: Any) -> ProviderError:
    with pytest.raises(ProviderError) as failed:
        await ask(provider, place, **fields)
    return failed.value


async def test_a_streamed_answer_is_the_whole_one(provider: Provider) -> None:
    async with ProviderSimulator(BY_TOKEN | {"models": {"x": SLOW}}) as simulator:
        streamed = await ask(provider, deployment(simulator.base_url), top_logprobs=2)
        whole = await ask(provider, deployment(simulator.base_url, stream=False), top_logprobs=2)
        assert (streamed.content, streamed.finish_reason, streamed.usage) == (
            whole.content,
            whole.finish_reason,
            whole.usage,
        )
        tokens = streamed.logprobs["content"]
        assert "".join(token["token"] for token in tokens) == streamed.content
        assert streamed.logprobs == whole.logprobs
        assert len(tokens[0]["top_logprobs"]) == 2


async def test_a_tool_call_is_put_together(provider: Provider) -> None:
    function = {"name": "add", "parameters": {"type": "object", "properties": {"sum": {"type": "integer"}}}}
    tools = [{"type": "function", "function": function}]

    async def required(simulator: ProviderSimulator, **fields: Any) -> Any:
        place = deployment(simulator.base_url, **fields)
        answer = await ask(provider, place, tools=tools, params=Params(tool_choice="required"))
        assert answer.tool_calls is not None
        [made] = json.loads(answer.tool_calls)
        assert answer.finish_reason == "tool_calls"
        assert made["id"]
        return made["type"], made["function"]

    sure = {"quality": {"floor": 1.0}} | SLOW
    async with ProviderSimulator(BY_TOKEN | {"models": {"x": sure}}) as simulator:
        streamed, whole = await required(simulator), await required(simulator, stream=False)
        assert streamed == whole
        assert json.loads(streamed[1]["arguments"]) == {"sum": 19}


@pytest.mark.parametrize(
    ("model", "patience", "told"),
    [
        ({"latency": {"first_token_ms": FOREVER}}, {"first_token_timeout_s": 0.2}, "no first token after 0.2 s"),
        ({"errors": {"hang": 1.0}}, {"first_token_timeout_s": 0.2}, "no first token after 0.2 s"),
        ({"latency": {"stall": {"share": 1, "ms": FOREVER}}}, {"stall_timeout_s": 0.2}, "stalled for 0.2 s"),
        ({"latency": {"tokens_per_s": 20}}, {"timeout_s": 0.2}, "no end after 0.2 s"),
    ],
)
async def test_a_stream_that_does_not_go_on_is_given_up(
    provider: Provider, model: dict[str, Any], patience: dict[str, float], told: str
) -> None:
    # Stalls come before some chunk, the first too: it takes an answer of several for one in the middle.
    script = BY_TOKEN | {"seed": 1, "models": {"x": {"answer_tokens": 60} | model}}
    async with ProviderSimulator(script) as simulator:
        of_the_place = {name: value for name, value in patience.items() if name != "timeout_s"}
        timeout_s = patience.get("timeout_s", 20.0)
        error = await failure(provider, deployment(simulator.base_url, **of_the_place), timeout_s=timeout_s)
        assert (error.code, error.message, error.may_be_billed) == ("provider_timeout", f"d: {told}", True)


async def test_after_a_stall_the_next_deployment_answers_and_both_calls_are_in_the_ledger(
    provider: Provider,
) -> None:
    models = {"stalling": {"latency": {"first_token_ms": FOREVER}}, "sound": {}}
    async with ProviderSimulator({"models": models}) as simulator:
        place = deployment(simulator.base_url, price=Price(input=1.0, output=1.0))
        stalling = {"name": "stalling", "model": "openai/stalling", "weight": 1e12, "first_token_timeout_s": 0.2}
        sound = {"name": "sound", "model": "openai/sound"}
        only = Tier(name="only", deployments=tuple(place.model_copy(update=one) for one in (stalling, sound)))
        trace = Trace()
        await provider.ready()
        served = await cascade_of(provider, [only]).run(asked(), trace, Written(), cheapest=False)
        assert served.deployment == "sound"
        assert [(one.deployment, one.status, one.error_code) for one in trace.entries] == [
            ("stalling", UsageStatus.UNSETTLED, "provider_timeout"),
            ("sound", UsageStatus.SETTLED, None),
        ]
        assert trace.entries[0].cost_nanousd == trace.entries[0].reserved_nanousd > trace.entries[1].cost_nanousd
        stalled, answered = trace.attempts
        assert stalled.first_token_ms is None
        assert answered.first_token_ms is not None
        assert 0 <= answered.first_token_ms <= answered.duration_ms


async def test_the_first_token_is_told_once_and_only_of_a_stream(provider: Provider) -> None:
    async with ProviderSimulator(BY_TOKEN | {"models": {"x": SLOW}}) as simulator:
        told: list[str] = []
        await ask(provider, deployment(simulator.base_url), begun=lambda: told.append("stream"))
        await ask(provider, deployment(simulator.base_url, stream=False), begun=lambda: told.append("whole"))
        assert told == ["stream"]


async def test_a_slow_stream_that_goes_on_is_not_given_up(provider: Provider) -> None:
    pace = {"answer_tokens": 30, "answer_sigma": 0, "latency": {"tokens_per_s": 60}}
    async with ProviderSimulator(BY_TOKEN | {"models": {"x": pace}}) as simulator:
        place = deployment(simulator.base_url, first_token_timeout_s=5.0, stall_timeout_s=0.3)
        assert (await ask(provider, place)).finish_reason == "stop"


async def test_the_provider_hears_that_nobody_waits_any_more(provider: Provider) -> None:
    stalls = {"latency": {"stall": {"share": 1, "ms": FOREVER}}, "answer_tokens": 60}
    async with ProviderSimulator({"seed": 1, "models": {"x": stalls}}) as simulator:
        await failure(provider, deployment(simulator.base_url, stall_timeout_s=0.1))
        while not simulator.invoice:
            await asyncio.sleep(0.01)
        assert simulator.invoice[0]["status"] == "client_gone"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("cut", "provider_no_end"), ("disconnect", "provider_cut_off"), ("malformed", "provider_cut_off")],
)
async def test_an_answer_that_broke_off_is_none_and_may_be_billed(provider: Provider, kind: str, code: str) -> None:
    async with ProviderSimulator({"models": {"x": {"errors": {kind: 1.0}, "answer_tokens": 40}}}) as simulator:
        error = await failure(provider, deployment(simulator.base_url))
        assert (error.code, error.may_be_billed) == (code, True)
        assert len(simulator.invoice) <= 1


class Scripted:
    """A server that sends one prepared body as a stream."""

    def __init__(self, body: str) -> None:
        self.body = body

    async def __aenter__(self) -> str:
        async def answer(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
            response = aiohttp.web.StreamResponse(headers={"content-type": "text/event-stream"})
            await response.prepare(request)
            await response.write(self.body.encode())
            return response

        application = aiohttp.web.Application()
        application.router.add_post("/v1/chat/completions", answer)
        self._runner = aiohttp.web.AppRunner(application)
        await self._runner.setup()
        await aiohttp.web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


def chunk(content: str, finish: str | None = None, **more: Any) -> str:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    base = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "x", "choices": [choice]}
    return f"data: {json.dumps(base | more, ensure_ascii=False)}\n\n"


async def test_line_separators_within_an_answer_are_kept(provider: Provider) -> None:
    text = "one\u2028two\u0085three\x1cfour"
    async with Scripted(f": hello\r\n\r\n{chunk(text, 'stop')}data: [DONE]\n\n") as url:
        assert (await ask(provider, deployment(url))).content == text


async def test_without_a_count_the_tokens_are_estimated(provider: Provider) -> None:
    async with Scripted(f"{chunk('x' * 30, 'stop')}data: [DONE]\n\n") as url:
        usage = (await ask(provider, deployment(url))).usage
        assert (usage.prompt_tokens > 0, usage.completion_tokens) == (True, 11)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"message": "exceeds the available context size", "code": 400}, "context_length"),
        ({"message": "slow down", "type": "rate_limit_exceeded"}, "provider_rate_limited"),
        ({"message": "worker died"}, "provider_unavailable"),
    ],
)
async def test_an_error_within_a_stream_is_one(provider: Provider, told: dict[str, Any], code: str) -> None:
    async with Scripted(chunk("half an ") + f"data: {json.dumps({'error': told})}\n\ndata: [DONE]\n\n") as url:
        error = await failure(provider, deployment(url))
        assert (error.code, error.may_be_billed) == (code, True)
        assert told["message"] not in error.message


def test_calls_that_share_a_number_but_not_an_id_are_two() -> None:
    found = Assembly()
    for identity in ("a", "b"):
        part = {"index": 0, "id": identity, "function": {"name": "f", "arguments": "{}"}}
        found.add({"choices": [{"delta": {"tool_calls": [part]}}]})
    assert [one["id"] for one in found.calls] == ["a", "b"]


class OtherProvider:
    """A stream that is not OpenAI's, as litellm wraps it: chunks as objects, a finish reason made up at the end."""

    completion_stream = None

    def __init__(self, received: str | None) -> None:
        self.received_finish_reason = received
        self.closed = False

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._chunks()

    async def _chunks(self) -> AsyncIterator[Any]:
        from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

        yield ModelResponseStream(choices=[StreamingChoices(delta=Delta(content="Paris"))])
        yield ModelResponseStream(choices=[StreamingChoices(delta=Delta(), finish_reason="stop")])

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("received", ["end_turn", None])
async def test_a_finish_reason_that_was_made_up_is_none(provider: Provider, received: str | None) -> None:
    from forebay_agents.models.providers.bodies import NoAnswerError
    from forebay_agents.models.providers.stream_reading import Patience, Watch, read

    stream, found = OtherProvider(received), Assembly()
    async with Watch(Patience(first_token_s=5, stall_s=5, total_s=5)) as watch:
        if received is None:
            with pytest.raises(NoAnswerError):
                await read(stream, watch, found)
        else:
            await read(stream, watch, found)
            assert found.text == "Paris"
    assert found.ended is (received is not None)
    assert stream.closed
