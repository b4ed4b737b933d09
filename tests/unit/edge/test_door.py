"""A request by HTTP becomes a record, its answer is the record's; whatever happens, the client is told the truth."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from forebay.contract.records import AnswerSource, CacheMode, FeedbackRating, KeyRole, MessageRole, Request
from forebay.edge.answers import Answers
from forebay.privacy.fingerprints import fingerprint
from forebay.state.rates import Taken
from tests.unit.edge.bench import HELLO, KEY, another_key, bench, failed

CALLS = [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 12}'}}]
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]


async def test_a_question_becomes_a_record_and_its_answer_comes_back() -> None:
    body = {
        "model": "openai/small",
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "brief."}]},
            {"role": "assistant", "content": None, "tool_calls": CALLS},
            {"role": "tool", "tool_call_id": "c1", "content": "19"},
        ],
        "tools": TOOLS,
        "tool_choice": {"type": "function", "function": {"name": "add"}},
        "parallel_tool_calls": False,
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
        "max_completion_tokens": 7,
        "max_tokens": 9,
        "temperature": 0,
        "stop": "End",
        "seed": 2**63 - 1,
        "forebay": {"cache": "refresh", "ttl_s": 60, "max_cost_usd": 0.5, "deadline_ms": 9_000, "priority": 9},
    }
    more = {"x-forebay-conversation": "c-7", "x-forebay-redaction": "balanced"}
    answer = {"content": "19", "model": "m/s", "tier": "small", "prompt_tokens": 5, "completion_tokens": 2}
    answer |= {"cost_nanousd": 12, "saved_nanousd": 3, "cached_prompt_tokens": 4, "source": AnswerSource.MODEL}
    async with bench() as door:
        status, found, headers = await door.answered(body, headers=more, with_=answer)
        request = await door.asked()
    assert (request.tenant_id, request.user_id, request.key_id) == ("acme", "u-1", KEY.key_id)
    assert [(one.role, one.content) for one in request.messages] == [
        (MessageRole.DEVELOPER, "Be\nbrief."),
        (MessageRole.ASSISTANT, ""),
        (MessageRole.TOOL, "19"),
    ]
    assert json.loads(request.messages[1].tool_calls or "") == CALLS
    params = request.params
    assert (params.max_tokens, params.temperature, params.stop, params.seed) == (7, 0.0, ("End",), 2**63 - 1)
    assert (params.parallel_tool_calls, params.reasoning_effort) == (False, "low")
    assert json.loads(params.tool_choice or "")["function"] == {"name": "add"}
    assert (request.tier, request.cache.mode, request.cache.ttl_s) == ("small", CacheMode.REFRESH, 60)
    assert (request.max_cost_nanousd, request.deadline_ms, request.priority) == (500_000_000, 9_000, 9)
    assert (request.conversation_id, request.redaction) == ("c-7", "balanced")
    assert status == 200
    assert found == {
        "id": f"chatcmpl-{request.request_id}",
        "object": "chat.completion",
        "created": found["created"],
        "model": "m/s",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "19", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 5,
            "completion_tokens": 2,
            "total_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 4},
        },
        "system_fingerprint": None,
        "service_tier": None,
    }
    told = {name.removeprefix("x-forebay-"): value for name, value in headers.items() if name.startswith("x-forebay-")}
    assert told == {
        "source": "model",
        "tier": "small",
        "cost-nanousd": "12",
        "saved-nanousd": "3",
        "degraded": "false",
    }
    assert headers["x-request-id"] == request.request_id


@pytest.mark.parametrize("stream", [False, True])
async def test_what_the_door_adds_is_told_without_what_stages_took(stream: bool) -> None:
    async with bench() as door:
        body, named = {**HELLO, "stream": stream}, {"idempotency-key": "one"}
        call = asyncio.create_task(door.streamed(body, headers=named) if stream else door.call(body, headers=named))
        request = await door.asked()
        await asyncio.sleep(0.05)
        door.channel.answer(request, accepted_at=1_000_000, responded_at=1_000_040)
        await call
        await door.call(HELLO, headers=named)  # a replay has nothing to do with stages
        count = door.metrics.get_sample_value("forebay_edge_added_seconds_count")
        added_s = door.metrics.get_sample_value("forebay_edge_added_seconds_sum") or 0.0
        whole_s = door.metrics.get_sample_value("forebay_edge_seconds_sum", {"path": "/chat/completions"}) or 0.0
        assert (count, 0.0 < added_s < whole_s - 0.035) == (1.0, True)


async def test_calls_of_tools_come_whole() -> None:
    async with bench() as door:
        _, found, _ = await door.answered(with_={"tool_calls": json.dumps(CALLS), "finish_reason": "stop"})
        choice = found["choices"][0]
        assert (choice["message"]["content"], choice["message"]["tool_calls"]) == (None, CALLS)
        assert choice["finish_reason"] == "tool_calls"
        _, found, _ = await door.answered(with_={"content": ""})
        assert found["choices"][0]["message"]["content"] == "", "null stands beside calls alone"


@pytest.mark.parametrize(
    ("code", "status", "told", "repeated", "after"),
    [
        ("context_length", 400, "context_length_exceeded", True, None),
        ("pii_blocked", 400, "pii_blocked", True, None),
        ("no_tier", 404, "no_tier", True, None),
        ("budget_exceeded", 429, "insufficient_quota", False, "midnight"),
        ("rate_limited", 429, "rate_limit_exceeded", True, "10"),
        ("bug", 500, "bug", False, None),
        ("low_confidence", 500, "low_confidence", False, None),
        ("retries_exhausted", 503, "retries_exhausted", True, "1"),
        ("provider_timeout", 503, "provider_timeout", True, "30"),
        ("deadline_exceeded", 504, "deadline_exceeded", False, None),
        ("a_code_of_tomorrow", 500, "a_code_of_tomorrow", False, None),
    ],
)
async def test_a_failure_has_its_status(code: str, status: int, told: str, repeated: bool, after: str | None) -> None:
    async with bench() as door:
        found, body, headers = await door.answered(with_=failed(code))
        assert (found, body["error"]["code"], body["error"]["message"]) == (status, told, "why")
        assert (headers.get("x-should-retry") != "false") is repeated
        if after == "midnight":
            assert 0 < int(headers["retry-after"]) <= 86_401
        else:
            assert headers.get("retry-after") == after


async def test_the_same_key_of_idempotency_is_one_request() -> None:
    named = {"idempotency-key": "order-7"}
    async with bench() as door:
        first, second = (asyncio.create_task(door.call(HELLO, headers=named)) for _ in range(2))
        request = await door.asked()
        other = {**HELLO, "messages": [{"role": "user", "content": "Else?"}]}
        status, body, headers = await door.call(other, headers=named)
        assert (status, body["error"]["code"], headers["x-should-retry"]) == (409, "idempotency_conflict", "false")
        door.channel.answer(request, content="One.")
        assert [(await task)[1]["choices"][0]["message"]["content"] for task in (first, second)] == ["One.", "One."]
        _, body, headers = await door.call(HELLO, headers=named)
        assert (body["choices"][0]["message"]["content"], headers["idempotent-replayed"]) == ("One.", "true")
        status, body, _ = await door.call(other, headers=named)
        assert (status, body["error"]["code"]) == (409, "idempotency_conflict")
        assert len(door.channel.requests) == 1


async def test_another_door_answers_for_one_that_is_gone() -> None:
    named = {"idempotency-key": "order-7"}
    async with bench() as door, bench() as other:
        call = asyncio.create_task(door.call(HELLO, headers=named))
        request = await door.asked()
        other.channel.answer(request, content="Read by both.")
        _, body, headers = await other.call(HELLO, headers=named)
        assert (body["choices"][0]["message"]["content"], headers["idempotent-replayed"]) == ("Read by both.", "true")
        assert other.channel.requests == []
        status, body, _ = await other.call(path=f"/v1/requests/chatcmpl-{request.request_id}")
        assert (status, body["status"], body["response"]["choices"][0]["message"]["content"]) == (
            200,
            "ok",
            "Read by both.",
        )
        call.cancel()


async def test_tenants_do_not_share_keys_of_idempotency() -> None:
    named = {"idempotency-key": "order-7"}
    async with bench() as door:
        text, key = another_key(tenant_id="globex")
        door.keys[key.key_id] = key
        await door.answered(headers=named)
        await door.answered(headers=named, key=text)
        first, second = door.channel.requests
        assert first.request_id != second.request_id
        assert {published[1] for published in door.channel.published} == {"acme", "globex"}


async def test_what_the_library_of_openai_repeats_is_one_request() -> None:
    async with bench() as door:
        first = asyncio.create_task(door.call(HELLO, headers={"x-stainless-retry-count": "0"}))
        request = await door.asked()
        again = asyncio.create_task(door.call(HELLO, headers={"x-stainless-retry-count": "1"}))
        while door.metrics.get_sample_value("forebay_edge_joined_total", {"with": "in_flight"}) is None:
            await asyncio.sleep(0)
        door.channel.answer(request, content="Once.")
        await asyncio.gather(first, again)
        _, body, headers = await door.call(HELLO, headers={"x-stainless-retry-count": "2"})
        assert (body["choices"][0]["message"]["content"], headers["idempotent-replayed"]) == ("Once.", "true")
        assert len(door.channel.requests) == 1
        await door.answered(headers={"x-stainless-retry-count": "0"})
        assert len(door.channel.requests) == 2, "who asks afresh is asked afresh"


async def test_a_failure_that_passes_is_not_repeated_to_who_asks_again() -> None:
    async with bench() as door:
        assert (await door.answered(headers={"x-stainless-retry-count": "0"}, with_=failed("provider_timeout")))[
            0
        ] == 503
        assert (await door.answered(headers={"x-stainless-retry-count": "1"}))[0] == 200
        first, second = door.channel.requests
        assert first.request_id != second.request_id
        status, _, headers = await door.call(HELLO, headers={"x-stainless-retry-count": "2"})
        assert (status, headers["idempotent-replayed"]) == (200, "true")


@pytest.mark.parametrize("code", ["retries_exhausted", "provider_unavailable", "redis_unavailable", "budget_exceeded"])
@pytest.mark.parametrize("stream", [False, True])
async def test_after_a_failure_that_passes_the_same_key_of_idempotency_is_a_new_try(code: str, stream: bool) -> None:
    named, body = {"idempotency-key": "order-7"}, {**HELLO, "stream": stream}
    async with bench() as door:
        _, told, first = await door.answered(body, headers=named, with_=failed(code))
        assert (told["error"]["message"], "retry-after" in first) == ("why", True), "it says when to come again"
        asking = asyncio.create_task(door.call(HELLO, headers=named))
        again = await door.asked(2)
        assert again.request_id == (await door.asked()).request_id, "what was paid is kept under this id"
        _, found, _ = await door.call(path=f"/v1/requests/{again.request_id}")
        assert found["status"] == "in_progress"
        door.channel.answer(again, content="Made good.")
        status, found, headers = await asking
        assert (status, found["choices"][0]["message"]["content"]) == (200, "Made good.")
        assert "idempotent-replayed" not in headers
        _, found, headers = await door.call(HELLO, headers=named)
        assert (found["choices"][0]["message"]["content"], headers["idempotent-replayed"]) == ("Made good.", "true")
        _, found, _ = await door.call(path=f"/v1/requests/{again.request_id}")
        assert found["status"] == "ok"
        assert len(door.channel.requests) == 2


async def test_a_new_try_at_one_door_is_answered_at_another_too() -> None:
    named = {"idempotency-key": "order-7"}
    async with bench() as door, bench() as other:
        await door.answered(headers=named, with_=failed("retries_exhausted"))
        request = await door.asked()
        other.channel.answer(request, **failed("retries_exhausted"))
        other.channel.answer(request, content="Made good.")
        other.channel.answer(request, **failed("retries_exhausted"))  # the first one again, late
        _, found, headers = await other.call(HELLO, headers=named)
        assert (found["choices"][0]["message"]["content"], headers["idempotent-replayed"]) == ("Made good.", "true")


@pytest.mark.parametrize("code", ["pii_blocked", "context_length", "no_tier", "bug", "low_confidence"])
async def test_what_no_repetition_mends_is_replayed(code: str) -> None:
    named = {"idempotency-key": "order-7"}
    async with bench() as door:
        first, _, _ = await door.answered(headers=named, with_=failed(code))
        status, body, headers = await door.call(HELLO, headers=named)
        assert (status, body["error"]["message"], headers["idempotent-replayed"]) == (first, "why", "true")
        assert len(door.channel.requests) == 1


async def test_who_waits_too_long_is_told_where_the_answer_will_be() -> None:
    async with bench(timeout_s=0.05) as door:
        status, body, headers = await door.call(HELLO)
        request = await door.asked()
        assert (status, body["error"]["code"]) == (504, "still_running")
        where = headers["location"]
        assert (where, headers["x-should-retry"]) == (f"/v1/requests/{request.request_id}", "false")
        assert (await door.call(path=where))[1]["status"] == "in_progress"
        waiting = asyncio.create_task(door.call(path=f"{where}?wait=60"))
        await asyncio.sleep(0)
        door.channel.answer(request, content="Late.")
        _, body, _ = await waiting
        assert (body["status"], body["response"]["choices"][0]["message"]["content"]) == ("ok", "Late.")


async def test_who_need_not_wait_does_not() -> None:
    async with bench() as door:
        status, body, headers = await door.call(HELLO, headers={"prefer": "respond-async"})
        request = await door.asked()
        assert (status, body["id"], body["status"]) == (202, request.request_id, "in_progress")
        assert (headers["location"], headers["preference-applied"]) == (f"/v1/requests/{body['id']}", "respond-async")
        door.channel.answer(request, **failed("no_tier"))
        _, body, _ = await door.call(path=headers["location"] + "?wait=5")
        assert (body["status"], body["error"]["code"], body["response"]) == ("failed", "no_tier", None)


async def test_another_tenants_request_is_none() -> None:
    text, key = another_key(tenant_id="globex")
    async with bench() as door:
        door.keys[key.key_id] = key
        await door.answered()
        request = await door.asked()
        theirs = await door.call(path=f"/v1/requests/{request.request_id}?wait=1", key=text)
        nobodys = await door.call(path="/v1/requests/unknown?wait=1", key=text)
        assert theirs[:2] == nobodys[:2]
        assert theirs[0] == 404


async def test_without_brokers_nothing_is_accepted() -> None:
    async with bench() as door:
        door.channel.away = True
        status, body, headers = await door.call(HELLO)
        assert (status, body["error"]["code"], headers["retry-after"]) == (503, "not_delivered", "1")
        assert (await door.call({"request_id": "r", "rating": "up"}, "/v1/feedback"))[0] == 503
        door.channel.away = False
        assert (await door.answered())[0] == 200


async def test_too_many_are_refused_before_their_bodies_are_read() -> None:
    async with bench(max_in_flight=1) as door:
        first = asyncio.create_task(door.call(HELLO))
        request = await door.asked()
        status, body, headers = await door.call(b"{")
        assert (status, body["error"]["code"], headers["retry-after"]) == (503, "overloaded", "1")
        door.channel.answer(request)
        await first
        door.lag[0] = 10_001
        assert (await door.call(HELLO))[0] == 503


async def test_who_asks_too_fast_is_told_when_to_come_again() -> None:
    async with bench() as door:
        door.rates.taken = Taken(wait_s=2.3)
        status, body, headers = await door.call(HELLO)
        assert (status, body["error"]["code"], headers["retry-after"]) == (429, "rate_limit_exceeded", "3")
        assert door.channel.published == []


async def test_a_door_that_goes_takes_nothing_new_and_leaves_nobody_without_a_word() -> None:
    async with bench() as door:
        waiting = asyncio.create_task(door.call(HELLO))
        request = await door.asked()
        door.app.draining = True
        status, body, headers = await door.call(HELLO)
        assert (status, body["error"]["code"], headers["connection"]) == (503, "draining", "close")
        door.app.cut()
        status, body, headers = await waiting
        assert (status, body["error"]["code"]) == (504, "still_running")
        assert headers["location"].endswith(request.request_id)


async def test_models_are_the_tiers_and_the_choice_of_one() -> None:
    async with bench() as door:
        text, key = another_key(models=("auto", "small"))
        door.keys[key.key_id] = key
        _, body, _ = await door.call(path="/v1/models")
        assert [one["id"] for one in body["data"]] == ["auto", "small", "large"]
        assert body["data"][0] == {"id": "auto", "object": "model", "created": 1_700_000_000, "owned_by": "forebay"}
        assert [one["id"] for one in (await door.call(path="/models", key=text))[1]["data"]] == ["auto", "small"]
        assert (await door.call(path="/v1/models/openai/small"))[1]["id"] == "small"
        assert (await door.call(path="/v1/models/large", key=text))[0] == 404
        await door.answered({**HELLO, "model": "gpt-4o-mini"})
        assert (await door.asked()).tier == "small"


async def test_feedback_is_a_record() -> None:
    async with bench() as door:
        told = {"request_id": "chatcmpl-r-1", "rating": "down", "reason": "too_long"}
        assert (await door.call(told, "/v1/feedback"))[0] == 202
        kind, tenant, feedback, _ = door.channel.published[0]
        assert (kind, tenant, feedback.request_id, feedback.rating) == ("feedback", "acme", "r-1", FeedbackRating.DOWN)
        assert (feedback.tenant_id, feedback.user_id, feedback.reason) == ("acme", "u-1", "too_long")
        for wrong in ({"rating": "up"}, {"request_id": "r", "rating": "good"}, {**told, "reason": "It is too long."}):
            assert (await door.call(wrong, "/v1/feedback"))[0] == 400


async def test_a_key_may_do_what_it_may() -> None:
    async with bench() as door:
        reader, read = another_key(role=KeyRole.READ)
        elsewhere, away = another_key(addresses=("10.0.0.0/8",))
        chosen, profile = another_key(redaction=("strict",))
        door.keys.update({key.key_id: key for key in (read, away, profile)})
        assert (await door.call(HELLO, key=reader))[0] == 403
        assert (await door.call(path="/v1/models", key=reader))[0] == 200
        assert (await door.call(path="/v1/models", key=elsewhere))[0] == 403
        assert (await door.call(HELLO, key=chosen, headers={"x-forebay-redaction": "balanced"}))[0] == 403
        await door.answered(key=chosen)
        assert (await door.asked()).redaction == "strict"


async def test_a_trusted_proxy_says_where_a_request_comes_from() -> None:
    async with bench(trusted_proxies=("127.0.0.0/8",)) as door:
        text, key = another_key(addresses=("10.0.0.0/8",))
        door.keys[key.key_id] = key
        for given, status in ((None, 403), ("10.1.1.1", 200), ("10.1.1.1, 8.8.8.8", 403), ("8.8.8.8, 10.1.1.1", 200)):
            headers = {} if given is None else {"x-forwarded-for": given}
            assert (await door.call(path="/v1/models", key=text, headers=headers))[0] == status


async def test_the_trace_of_the_client_goes_on() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with bench() as door:
        await door.answered(headers={"traceparent": trace})
        await door.answered(headers={"traceparent": "nonsense"})
        first, second = (headers["traceparent"] for *_, headers in door.channel.published)
        assert (first, second[:3]) == (trace.encode(), b"00-")


def test_answers_are_kept_by_age_and_by_size() -> None:
    now = [0.0]
    answers = Answers(keep_s=10, keep_bytes=3_000, clock_s=lambda: now[0])
    requests = [replace(Request(tenant_id="acme"), request_id=f"r-{number}") for number in range(9)]
    from tests.unit.edge.bench import MemoryChannel

    channel: Any = object.__new__(MemoryChannel)
    from forebay.testing import codecs

    channel._answers, channel._codecs = answers, codecs()
    answers.read_with(channel)
    for request in requests:
        channel.answer(request)
    assert answers.kept_bytes <= 3_000
    assert answers.about(requests[0]) is None
    assert answers.about(requests[-1]) is not None
    assert fingerprint(requests[-1])
    now[0] = 11.0
    assert answers.about(requests[-1]) is None
