"""A stream says what its record says, or that it does not."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from forebay.client.errors import NotDeliveredError
from forebay.contract.records import Request, Response
from forebay.edge.sse import Restarted, Stream
from tests.unit.edge.bench import HELLO, bench, failed

CALLS = [
    {"id": f"c{number}", "type": "function", "function": {"name": "add", "arguments": json.dumps({"a": "x" * 5_000})}}
    for number in range(2)
]
STREAM = {**HELLO, "stream": True}


def events(lines: list[str]) -> list[Any]:
    """What a client makes of the lines: JSON of each event, and the last word."""
    found: list[Any] = []
    for line in lines:
        if line.startswith("data: "):
            text = line.removeprefix("data: ")
            found.append(text if text == "[DONE]" else json.loads(text))
        else:
            assert line == "" or line.startswith(":")
    return found


def text_of(found: list[Any]) -> str:
    chunks = [one for one in found if isinstance(one, dict) and one.get("choices")]
    return "".join(one["choices"][0]["delta"].get("content") or "" for one in chunks)


class Fed:
    """Pieces that a test says."""

    reply_to = 3

    def __init__(self) -> None:
        self.heard: Callable[[str], None] | None = None

    def follow(self, request: Request, heard: Callable[[str], None]) -> Callable[[], None]:
        del request
        self.heard = heard
        return lambda: None


async def test_a_whole_answer_comes_as_chunks() -> None:
    async with bench() as door:
        body = {**STREAM, "stream_options": {"include_usage": True}}
        call = asyncio.create_task(door.streamed(body))
        request = await door.asked()
        door.channel.answer(request, content="Hello!", model="m/s", prompt_tokens=3, completion_tokens=1)
        status, lines = await call
        found = events(lines)
    assert status == 200
    assert [one["choices"][0]["delta"] for one in found[:3]] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hello!"},
        {},
    ]
    assert [one["choices"][0]["finish_reason"] for one in found[:3]] == [None, None, "stop"]
    assert [one["usage"] for one in found[:3]] == [None] * 3
    assert (found[3]["choices"], found[3]["usage"]["total_tokens"]) == ([], 4)
    assert found[4:] == ["[DONE]"]
    assert len({(one["id"], one["created"], one["object"]) for one in found[:4]}) == 1


def test_calls_of_tools_are_numbered_and_come_with_their_arguments_behind_them() -> None:
    stream = Stream("r-1", "auto", 1)
    response = Response(request_id="r-1", content="So:", tool_calls=json.dumps(CALLS))
    found = events(b"".join(stream.end(response)).decode().split("\n"))
    assert text_of(found) == "So:"
    deltas = [one["choices"][0]["delta"] for one in found[:-1]]
    calls = [part for delta in deltas for part in delta.get("tool_calls", ())]
    heads = [call for call in calls if "id" in call]
    assert [(head["index"], head["id"], head["function"]) for head in heads] == [
        (number, f"c{number}", {"name": "add", "arguments": ""}) for number in range(2)
    ]
    for number, whole in enumerate(CALLS):
        parts = [call["function"]["arguments"] for call in calls if call["index"] == number]
        assert "".join(parts) == whole["function"]["arguments"]
    assert found[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert all("usage" not in one for one in found[:-1])


def test_no_piece_is_sent_twice_and_none_is_left_out() -> None:
    stream = Stream("r-1", "auto", 1)
    sent = stream.piece("Hel") + stream.piece("lo") + b"".join(stream.end(Response(content="Hello, you.")))
    assert text_of(events(sent.decode().split("\n"))) == "Hello, you."


def test_another_answer_than_was_begun_is_no_end() -> None:
    stream = Stream("r-1", "auto", 1)
    stream.piece("Hello")
    with pytest.raises(Restarted):
        b"".join(stream.end(Response(content="Good day.")))


async def test_pieces_come_before_the_record_and_the_end_with_it() -> None:
    pieces = Fed()
    async with bench(pieces) as door:
        call = asyncio.create_task(door.streamed(STREAM))
        request = await door.asked()
        assert door.channel.published[0][3]["forebay-reply-to"] == b"3"
        while pieces.heard is None:
            await asyncio.sleep(0)
        pieces.heard("Hel")
        pieces.heard("lo")
        while not door.metrics.get_sample_value("forebay_edge_first_piece_seconds_count"):
            await asyncio.sleep(0.001)
        door.channel.answer(request, content="Hello, you.")
        found = events((await call)[1])
        assert text_of(found) == "Hello, you."
        assert found[-1] == "[DONE]"


@pytest.mark.parametrize(
    ("answer", "code"), [({"content": "Good day."}, "stream_restarted"), (failed("pii_egress"), "pii_egress")]
)
async def test_a_stream_that_breaks_says_so_and_has_no_end(answer: dict[str, Any], code: str) -> None:
    pieces = Fed()
    async with bench(pieces) as door:
        call = asyncio.create_task(door.streamed(STREAM))
        request = await door.asked()
        while pieces.heard is None:
            await asyncio.sleep(0)
        pieces.heard("Hello")
        while not door.metrics.get_sample_value("forebay_edge_first_piece_seconds_count"):
            await asyncio.sleep(0.001)
        door.channel.answer(request, **answer)
        status, lines = await call
        found = events(lines)
    assert status == 200
    assert found[-1]["error"]["code"] == code
    assert "[DONE]" not in found
    assert all(one["choices"][0]["finish_reason"] is None for one in found[:-1])


async def test_a_failure_before_the_first_piece_has_its_own_status() -> None:
    async with bench() as door:
        call = asyncio.create_task(door.call(STREAM))
        door.channel.answer(await door.asked(), **failed("context_length"))
        status, body, headers = await call
        assert (status, body["error"]["code"]) == (400, "context_length_exceeded")
        assert headers["content-type"].startswith("application/json")


async def test_a_stream_that_waits_begins_and_is_told_of_a_failure_as_an_event() -> None:
    async with bench(open_after_s=0.0) as door:
        call = asyncio.create_task(door.streamed(STREAM))
        request = await door.asked()
        while not door.metrics.get_sample_value("forebay_edge_streams"):
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        door.channel.answer(request, **failed("context_length"))
        status, lines = await call
        assert (status, events(lines)[-1]["error"]["code"]) == (200, "context_length_exceeded")


async def test_a_stream_whose_request_nobody_takes_does_not_wait_for_an_answer() -> None:
    async with bench(open_after_s=0.0) as door:
        door.channel.held = []
        call = asyncio.create_task(door.streamed(STREAM))
        await door.asked()
        while not door.metrics.get_sample_value("forebay_edge_streams"):
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        door.channel.held[0].set_exception(NotDeliveredError("no broker"))
        status, lines = await call
        assert (status, events(lines)[-1]["error"]["code"]) == (200, "not_delivered")
        assert "[DONE]" not in events(lines)


@pytest.mark.parametrize("open_after_s", [0.05, 60.0])
async def test_a_stream_whose_answer_does_not_come_says_where_it_will_be_also_after_a_piece(
    open_after_s: float,
) -> None:
    pieces = Fed()
    async with bench(pieces, open_after_s=open_after_s, timeout_s=2.0) as door:
        call = asyncio.create_task(door.streamed(STREAM))
        request = await door.asked()
        while pieces.heard is None:
            await asyncio.sleep(0)
        pieces.heard("Hello")
        status, lines = await call
        found = events(lines)
        assert (status, text_of(found[:-1])) == (200, "Hello")
        error = found[-1]["error"]
        assert (error["code"], error["id"]) == ("still_running", f"chatcmpl-{request.request_id}")


async def test_a_stream_of_a_door_that_goes_ends_as_broken() -> None:
    async with bench(open_after_s=0.0) as door:
        call = asyncio.create_task(door.streamed(STREAM))
        request = await door.asked()
        await asyncio.sleep(0.05)
        door.app.cut()
        _, lines = await call
        error = events(lines)[-1]["error"]
        assert (error["code"], error["id"]) == ("draining", f"chatcmpl-{request.request_id}")


async def test_a_stream_is_replayed() -> None:
    named = {"idempotency-key": "one"}
    async with bench() as door:
        call = asyncio.create_task(door.streamed(STREAM, headers=named))
        door.channel.answer(await door.asked(), content="Hello!")
        first = events((await call)[1])
        again = events((await door.streamed(STREAM, headers=named))[1])
        assert (text_of(first), text_of(again)) == ("Hello!", "Hello!")
        assert len(door.channel.requests) == 1


async def test_a_client_that_leaves_is_counted_and_its_request_goes_on() -> None:
    async with bench(open_after_s=0.0) as door:
        call = asyncio.create_task(door.streamed(STREAM))
        request = await door.asked()
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.sleep(0.05)
        door.channel.answer(request, content="x" * 100)
        while not door.metrics.get_sample_value("forebay_edge_gone_total"):
            await asyncio.sleep(0.001)
        assert (await door.call(path=f"/v1/requests/{request.request_id}"))[1]["status"] == "ok"
