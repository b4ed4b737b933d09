"""What is no request is refused with its status, its code and its place, and nothing of it is in any topic."""

import asyncio
import socket
from typing import Any

import pytest

from tests.unit.edge.bench import HELLO, KEY, SECRET, another_key, bench

MESSAGE = {"role": "user", "content": "Hello?"}


def with_(**changes: Any) -> dict[str, Any]:
    return {**HELLO, **changes}


def said(**changes: Any) -> dict[str, Any]:
    return with_(messages=[{**MESSAGE, **changes}])


NO_JSON = {
    "nothing": b"",
    "begun": b"{",
    "a list": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "NaN": b'{"temperature": NaN}',
    "half a pair": b'{"model": "auto", "messages": [{"role": "user", "content": "\\ud83d"}]}',
    "nested": b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "nested a little too deep": b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}",
    "no UTF-8": b'{"model": "\xff"}',
    "a number without end": b'{"seed": ' + b"9" * 5_000 + b"}",
}
VALUES: list[tuple[Any, str, str]] = [
    ({"model": "auto"}, "invalid_value", "messages"),
    (with_(messages=[]), "invalid_value", "messages"),
    (with_(messages="hello"), "invalid_value", "messages"),
    (with_(messages=[MESSAGE] * 5_000), "invalid_value", "messages"),
    (with_(messages=[7]), "invalid_value", "messages.[0]"),
    (said(role="robot"), "invalid_value", "messages.[0].role"),
    (said(role="function"), "invalid_value", "messages.[0].role"),
    (said(role=["user"]), "invalid_value", "messages.[0].role"),
    (said(content=7), "invalid_value", "messages.[0].content"),
    (said(content=None), "invalid_value", "messages.[0].content"),
    (said(content=[{"type": "image_url", "image_url": {}}]), "unsupported_content", "messages.[0].content.[0]"),
    (said(content=[{"text": "x"}]), "invalid_value", "messages.[0].content.[0]"),
    (said(tool_calls={"id": "c"}), "invalid_value", "messages.[0].tool_calls"),
    (said(role="assistant", tool_calls=[{"type": "function"}]), "invalid_value", "messages.[0].tool_calls.[0].id"),
    (said(role="tool"), "invalid_value", "messages.[0].tool_call_id"),
    (with_(model=7), "invalid_value", "model"),
    (with_(temperature="hot"), "invalid_value", "temperature"),
    (with_(temperature=3), "invalid_value", "temperature"),
    (with_(temperature=True), "invalid_value", "temperature"),
    (with_(max_tokens=0), "invalid_value", "max_tokens"),
    (with_(max_tokens=-1), "invalid_value", "max_tokens"),
    (with_(max_tokens=1e30), "invalid_value", "max_tokens"),
    (with_(max_completion_tokens=1.5), "invalid_value", "max_completion_tokens"),
    (with_(stop=list("abcde")), "invalid_value", "stop"),
    (with_(stop={"a": 1}), "invalid_value", "stop"),
    (with_(seed=2**63), "invalid_value", "seed"),
    (with_(presence_penalty=2.5), "invalid_value", "presence_penalty"),
    (with_(n=2), "unsupported_parameter", "n"),
    (with_(n=True), "unsupported_parameter", "n"),
    (with_(logprobs=True), "unsupported_parameter", "logprobs"),
    (with_(functions=[{"name": "x"}]), "unsupported_parameter", "functions"),
    (with_(tools={}), "invalid_value", "tools"),
    (with_(tools=[{"type": "web_search"}]), "invalid_value", "tools.[0]"),
    (with_(tools=[{"type": "function", "function": {}}]), "invalid_value", "tools.[0].function.name"),
    (with_(tool_choice="sometimes"), "invalid_value", "tool_choice"),
    (with_(response_format={"type": "xml"}), "invalid_value", "response_format.type"),
    (with_(stream="yes"), "invalid_value", "stream"),
    (with_(stream_options={"include_usage": True}), "invalid_value", "stream_options"),
    (with_(forebay={"teir": "small"}), "unknown_parameter", "forebay.teir"),
    (with_(forebay={"cache": "often"}), "invalid_value", "forebay.cache"),
    (with_(forebay={"conversation_id": "a b"}), "invalid_value", "forebay.conversation_id"),
    (with_(reasoning_effort="very much"), "invalid_value", "reasoning_effort"),
]


@pytest.mark.parametrize("name", NO_JSON)
async def test_what_is_no_json_is_refused(name: str) -> None:
    async with bench() as door:
        status, body, _ = await door.call(NO_JSON[name])
        assert (status, body["error"]["code"], body["error"]["type"]) == (400, "invalid_json", "invalid_request_error")
        assert door.channel.published == []


@pytest.mark.parametrize(("body", "code", "param"), VALUES, ids=lambda value: value if isinstance(value, str) else "")
async def test_a_wrong_value_is_named_by_its_place(body: Any, code: str, param: str) -> None:
    async with bench() as door:
        status, found, _ = await door.call(body)
        assert (status, found["error"]["code"], found["error"]["param"]) == (400, code, param)
        assert door.channel.published == []


async def test_neutral_values_promise_nothing() -> None:
    async with bench() as door:
        body = with_(n=1, logprobs=False, logit_bias=None, functions=[], tool_choice=None, tools=[], stop=None)
        assert (await door.answered(body))[0] == 200


async def test_fields_that_nobody_knows_are_ignored_and_counted() -> None:
    tool = {"type": "function", "function": {"name": "add", "strict": True}, "extra": 1}
    message = {**MESSAGE, "mood": "good"}
    theirs = {"user_id": "somebody", "tenant_id": "globex"}
    async with bench() as door:
        status, _, _ = await door.answered(
            with_(messages=[message], tools=[tool], colour="red", user="somebody", metadata=theirs)
        )
        request = await door.asked()
        assert status == 200
        assert (request.user_id, request.tenant_id, request.metadata) == ("u-1", "acme", {}), "who asks says the key"
        assert '"strict": true' in (request.tools or "")
        counted = {
            field: door.metrics.get_sample_value("forebay_edge_ignored_total", {"field": field})
            for field in ("user", "other")
        }
        assert counted == {"user": 1.0, "other": 3.0}, "colour, mood and extra"
    async with bench(strict=True) as door:
        status, body, _ = await door.call(with_(colour="red"))
        assert (status, body["error"]["code"], body["error"]["param"]) == (400, "unknown_parameter", "colour")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_other_types_than_json_are_refused(kind: str) -> None:
    async with bench() as door:
        status, body, _ = await door.call(HELLO, headers={"content-type": kind})
        assert (status, body["error"]["code"]) == (415, "unsupported_media_type")
        assert door.channel.published == []


async def test_no_type_at_all_is_json() -> None:
    async with bench() as door:
        assert (await door.answered(HELLO, skip_auto_headers=["content-type"], headers={"content-type": ""}))[0] == 200


async def test_a_body_that_is_too_large_is_refused_at_once_where_its_length_is_told() -> None:
    async with bench(most_bytes=10_000) as door:
        large = with_(messages=[{"role": "user", "content": "x" * 20_000}])
        status, body, _ = await door.call(large)
        assert (status, body["error"]["code"]) == (413, "request_too_large")
    async with bench() as door:

        async def pieces() -> Any:
            for _ in range(30):
                yield b"x" * 100_000

        headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
        async with door.session.post(door.url + "/v1/chat/completions", data=pieces(), headers=headers) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (413, "request_too_large")

        told = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3000000\r\n"
        answer_text = await raw(door.url, told + f"authorization: Bearer {SECRET}\r\n\r\n".encode())
        assert answer_text.startswith(b"HTTP/1.1 413"), "before a byte of it came"
        assert door.channel.published == []


async def test_a_record_that_is_too_large_is_refused() -> None:
    async with bench() as door:
        door.channel.most_bytes = 10
        status, body, _ = await door.call(HELLO)
        assert (status, body["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("model", ["huge", "openai/huge", "large"])
async def test_an_unknown_model_and_one_that_is_not_of_this_key_look_the_same(model: str) -> None:
    async with bench() as door:
        text, key = another_key(models=("auto", "small"))
        door.keys[key.key_id] = key
        status, body, _ = await door.call(with_(model=model), key=text)
        assert status == 404
        assert body["error"] == {
            "message": "there is no such model here; see /v1/models",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
        assert door.channel.published == []


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "missing_api_key"),
        ("", "missing_api_key"),
        ("Basic dTpw", "invalid_api_key"),
        (f"Bearer {SECRET[:-1]}{'y' if SECRET.endswith('x') else 'x'}", "invalid_api_key"),
        (f"Bearer {another_key()[0]}", "invalid_api_key"),
        ("Bearer sk-1234", "invalid_api_key"),
        ("expired", "expired_api_key"),
        ("revoked", "revoked_api_key"),
    ],
)
async def test_who_has_no_key_is_not_let_in(authorization: str | None, code: str) -> None:
    async with bench() as door:
        if authorization in ("expired", "revoked"):
            text, key = another_key(**{f"{authorization.replace('expired', 'expires')}_at": 1})
            door.keys[key.key_id] = key
            authorization = f"Bearer {text}"
        headers = {} if authorization is None else {"authorization": authorization}
        status, body, answer = await door.call(HELLO, key=None, headers=headers)
        assert (status, body["error"]["code"], body["error"]["type"]) == (401, code, "authentication_error")
        assert answer["www-authenticate"] == "Bearer"
        assert door.channel.published == []


async def test_wrong_keys_are_tried_twenty_times_a_minute() -> None:
    async with bench() as door:
        found = [(await door.call(HELLO, key="sk-wrong"))[0] for _ in range(21)]
        assert found == [401] * 20 + [429]
        assert (await door.call(HELLO))[0] == 429, "also with a right one: it may have been guessed"


async def test_who_asks_for_others_needs_a_key_for_that() -> None:
    async with bench() as door:
        await door.answered(headers={"x-forebay-user": "somebody"})
        assert (await door.asked()).user_id == KEY.user_id
        text, key = another_key(user_from_header=True)
        door.keys[key.key_id] = key
        status, body, _ = await door.call(HELLO, key=text)
        assert (status, body["error"]["param"]) == (400, "x-forebay-user")
        await door.answered(key=text, headers={"x-forebay-user": "ann@example.com"})
        assert (await door.asked(2)).user_id == "ann@example.com"


@pytest.mark.parametrize("chosen", ["", "x" * 300, "a\tb"])
async def test_an_idempotency_key_is_printable_and_short(chosen: str) -> None:
    async with bench() as door:
        status, body, _ = await door.call(HELLO, headers={"idempotency-key": chosen})
        assert (status, body["error"]["param"]) == (400, "idempotency-key")
        assert door.channel.published == []


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("POST", "/v1/embeddings", 404, "unsupported_endpoint"),
        ("POST", "/v1/responses", 404, "unsupported_endpoint"),
        ("POST", "/v1/audio/speech", 404, "unsupported_endpoint"),
        ("GET", "/v1/requests/unknown", 404, "unknown_request"),
        ("GET", "/v1/requests", 404, "not_found"),
    ],
)
async def test_paths_and_methods(method: str, path: str, status: int, code: str) -> None:
    async with bench() as door:
        found, body, headers = await door.call(path=path, method=method)
        assert (found, body["error"]["code"]) == (status, code)
        assert ("allow" in headers) == (status == 405)
        assert door.channel.published == []


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}])
async def test_pages_of_other_sites_reach_nothing(headers: dict[str, str]) -> None:
    async with bench() as door:
        status, body, answer = await door.call(HELLO, headers=headers)
        assert (status, body["error"]["code"]) == (403, "not_allowed")
        assert not any(name.lower().startswith("access-control") for name in answer)
        assert door.channel.published == []


async def test_origins_that_are_named_may_ask() -> None:
    async with bench(cors_origins=("https://app.example",)) as door:
        asks = {"origin": "https://app.example", "access-control-request-headers": "authorization"}
        status, _, answer = await door.call(method="OPTIONS", key=None, headers=asks)
        assert (status, answer["access-control-allow-origin"]) == (204, "https://app.example")
        assert (await door.answered(headers={"origin": "https://app.example"}))[0] == 200


async def test_headers_have_an_end() -> None:
    async with bench() as door:
        text = await raw(door.url, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 20_000 + b"\r\n\r\n")
        assert text.split(b" ")[1] == b"431"
        assert b'"headers_too_large"' in text


async def test_what_is_no_http_gets_json() -> None:
    async with bench() as door:
        assert b'"error"' in await raw(door.url, b"hello\r\n\r\n")


async def raw(url: str, content: bytes) -> bytes:
    """What a server says to bytes, until it closes or says all of a JSON error."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), family=socket.AF_INET)
    try:
        writer.write(content)
        text = b""
        while not text.endswith(b"}}") and (more := await reader.read(65_536)):
            text += more
        return text
    finally:
        writer.close()
