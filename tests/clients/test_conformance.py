"""What comes over the wire of a whole stack is what OpenAI's types say, to the letter, in events as WHATWG has them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.clients.conftest import Program
from tests.clients.programs.line_by_line import ADD
from tests.unit.edge.conforming import conforming

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

Programs = Callable[[str], Program]
ODD = "Say \ufeff, \x85 and \u2028, then \r\n\r\ndata: [DONE]\n\n: and 🌊."


def events(programs: Programs, size: int, question: str, **more: Any) -> Any:
    """Events as a parser that is not ours reads them from bytes in cuttings of ``size``."""
    body = {"model": "small", "messages": [{"role": "user", "content": question}], "stream": True, **more}
    found = programs("eventsource-node")("events", {"size": size, "body": body})
    assert (found["status"], found["errors"]) == (200, [])
    assert found["headers"]["content-type"].startswith("text/event-stream")
    assert all(event.keys() <= {"data"} for event in found["events"]), "no event has a name or an id"
    return [event["data"] for event in found["events"]]


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_chunks_of_a_live_stream(programs: Programs, size: int) -> None:
    *lines, done = events(
        programs, size, f"{ODD} In cuttings of {size}: what is 11 + 2?", stream_options={"include_usage": True}
    )
    assert done == "[DONE]"
    chunks = [conforming(ChatCompletionChunk, json.loads(line)) for line in lines]
    assert len({(chunk.id, chunk.created, chunk.object) for chunk in chunks}) == 1
    assert [chunk for chunk in chunks if chunk.usage] == chunks[-1:]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert choices[0].delta.role == "assistant"
    assert sum(bool(choice.delta.content) for choice in choices) > 2
    text = "".join(choice.delta.content or "" for choice in choices)
    assert ODD in text
    assert "13" in text
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]


def test_chunks_of_a_call_of_a_tool(programs: Programs) -> None:
    *lines, done = events(programs, 5, "In chunks, [call=add] what is 12 + 2?", tools=[ADD])
    assert done == "[DONE]"
    chunks = [conforming(ChatCompletionChunk, json.loads(line)) for line in lines]
    assert not any(chunk.usage for chunk in chunks)
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert [(call.index, call.type) for call in calls[:1]] == [(0, "function")]
    arguments = "".join(call.function.arguments or "" for call in calls if call.function)
    assert json.loads(arguments) == {"a": 14, "b": 14}


@pytest.mark.parametrize("more", [{}, {"tools": [ADD]}], ids=["text", "a call"])
def test_a_whole_body(programs: Programs, more: Any) -> None:
    asked = {"messages": [{"role": "user", "content": "As a whole, [call=add] what is 12 + 3?"}], "model": "small"}
    found = programs("eventsource-node")("body", {"body": {**asked, **more}})
    answer = conforming(ChatCompletion, json.loads(found["text"]))
    assert answer.choices[0].finish_reason == ("tool_calls" if more else "stop")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert found["headers"]["x-request-id"] == answer.id.removeprefix("chatcmpl-")
