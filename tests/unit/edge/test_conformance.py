"""Every body and chunk is what the types of OpenAI's client say, and event streams are read by others' rules."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder  # the parser of events that most clients have
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.shared import ErrorObject
from pydantic import ValidationError

from forebay.contract.records import Response
from forebay.edge import answering, errors, sse
from tests.unit.edge.bench import HELLO, bench, failed
from tests.unit.edge.conforming import conforming

CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 12}'}}
RESPONSES = [
    Response(request_id="r-1", content="Hello!", model="m/s", prompt_tokens=3, completion_tokens=1),
    Response(request_id="r-2", content="", finish_reason="stop"),
    Response(request_id="r-3", content="Cut", finish_reason="length", cached_prompt_tokens=2, prompt_tokens=2),
    Response(request_id="r-4", content="Filtered", finish_reason="content_filter"),
    Response(request_id="r-5", tool_calls=json.dumps([CALL, {**CALL, "id": "c2"}]), finish_reason="stop"),
    Response(request_id="r-6", content="So:", tool_calls=json.dumps([CALL])),
    Response(request_id="r-7", content="x" * 10_000),
]
TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["\r", "\n", "\r\n", "\n\n", "data: ", ":", "\ufeff", "\u0085", "\u2028", "\u2029", "\x00", "é", "🌊"]
    )
).map("".join)
"""Any text, and such as would end a line or an event if it were not escaped."""


def stream(response: Response, cuts: list[int], *, usage: bool) -> Iterator[bytes]:
    """A stream as it is sent: pieces, silence, and the rest with the record."""
    made = sse.Stream(response.request_id, "auto", 1, include_usage=usage)
    at = 0
    for cut in sorted(cut % (len(response.content) + 1) for cut in cuts):
        yield made.piece(response.content[at:cut])
        yield sse.WAITING
        at = max(at, cut)
    yield from made.end(response)


def chunks_of(lines: list[str]) -> list[ChatCompletionChunk]:
    """The chunks of what was read; ends with ``[DONE]``."""
    assert lines[-1] == "[DONE]"
    return [conforming(ChatCompletionChunk, json.loads(line)) for line in lines[:-1]]


@pytest.mark.parametrize("response", RESPONSES, ids=lambda response: str(response.request_id))
def test_a_body_is_a_chat_completion(response: Response) -> None:
    found = conforming(ChatCompletion, answering.completion(response, "auto", 1))
    assert (found.choices[0].message.content or "") == response.content


@pytest.mark.parametrize("usage", [False, True])
@pytest.mark.parametrize("response", RESPONSES, ids=lambda response: str(response.request_id))
def test_each_chunk_is_one_and_together_they_are_the_body(response: Response, usage: bool) -> None:
    sent = b"".join(stream(response, [2, 5, 900], usage=usage))
    chunks = chunks_of([event.data for event in SSEDecoder().iter_bytes(iter([sent]))])
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == response.content
    reasons = [choice.finish_reason for choice in choices]
    assert reasons[-1] == answering.finish_reason(response)
    assert set(reasons[:-1]) == {None}
    assert not choices[-1].delta.model_fields_set, "never text and the end in one"
    assert [chunk for chunk in chunks if chunk.usage] == (chunks[-1:] if usage else [])


@given(TEXTS, st.lists(st.integers(0, 100), max_size=4), st.integers(1, 40))
def test_any_text_comes_through_any_cutting(text: str, cuts: list[int], size: int) -> None:
    """Also where a reader takes U+0085, U+2028 and U+2029 for ends of lines, as ``iter_lines`` of httpx does."""
    sent = b"".join(stream(Response(content=text), cuts, usage=False))
    parts = [sent[at : at + size] for at in range(0, len(sent), size)]
    by_openai = [event.data for event in SSEDecoder().iter_bytes(iter(parts))]
    lines = httpx.Response(200, content=iter(parts)).iter_lines()
    by_lines = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert by_openai == by_lines
    found = chunks_of(by_openai)
    assert "".join(choice.delta.content or "" for chunk in found for choice in chunk.choices) == text


async def test_models_and_errors_are_told_in_their_types() -> None:
    async with bench() as door:
        listed = (await door.call(path="/v1/models", method="GET"))[1]
        assert [conforming(Model, one).id for one in listed["data"]]
        refused = (await door.call({**HELLO, "model": "none"}))[1]
        assert conforming(ErrorObject, refused["error"]).code == "model_not_found"
        ended = (await door.answered(with_=failed("retries_exhausted")))[1]
        assert conforming(ErrorObject, ended["error"]).code == "retries_exhausted"
    for code in errors.ROWS:
        conforming(ErrorObject, errors.body(code, "why")["error"])


def test_what_is_not_conforming_is_noticed() -> None:
    body = answering.completion(RESPONSES[0], "auto", 1)
    with pytest.raises(AssertionError):
        conforming(ChatCompletion, {**body, "more": 1})
    with pytest.raises(ValidationError):
        conforming(ChatCompletion, {**body, "created": "1"})
    choice: Any = {**body["choices"][0], "finish_reason": "because"}
    with pytest.raises(ValidationError):
        conforming(ChatCompletion, {**body, "choices": [choice]})
