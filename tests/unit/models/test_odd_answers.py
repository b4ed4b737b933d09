"""Answers of an odd form, over real HTTP: what is one is served, what is none has a code, what is paid is entered."""

import json
from typing import Any

import pytest

from forebay.contract.error_codes import CODES, FailureClass
from forebay.contract.failures import Permanent, Rejected, Transient
from forebay.contract.records import UsageStatus
from tests.unit.models.odd import Became, became_of

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("way")]  # litellm's own warnings
BOTH = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
HTML = "<!DOCTYPE html>\n<html><body>Please log in.</body></html>"


async def shaped(stream: bool, **shape: Any) -> Became:
    return await became_of(stream, shape=shape)


def text(value: Any) -> str:
    return json.dumps(value)


@BOTH
@pytest.mark.parametrize(
    ("content", "read"),
    [
        ([{"type": "text", "text": "Nine"}, {"type": "text", "text": "teen."}], "Nineteen."),
        ([{"type": "text", "text": "19"}], "19"),
        (["1", "9"], "19"),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "12, 7"}]}, {"type": "text", "text": "19"}], "19"),
        ([None, 7, {"type": "text"}, {"type": "text", "text": "19"}], "19"),
        ("19 \ud83d", "19 �"),
    ],
)
async def test_text_in_parts_is_text(stream: bool, content: Any, read: str) -> None:
    became = await shaped(stream, content=text(content))
    assert became.answer is not None, became.failure
    assert became.answer.content == read
    assert became.entry.status is UsageStatus.SETTLED


@BOTH
@pytest.mark.parametrize("kind", ["image_url", "input_audio", "video"])
async def test_another_part_is_refused_by_name_and_paid(stream: bool, kind: str) -> None:
    became = await shaped(stream, content=text([{"type": "text", "text": "See:"}, {"type": kind, kind: {}}]))
    assert isinstance(became.failure, Permanent)
    assert became.failure.code == "answer_not_text"
    assert f"type {kind}" in became.failure.message
    assert (became.entry.status, became.entry.error_code) == (UsageStatus.SETTLED, "answer_not_text")


@BOTH
@pytest.mark.parametrize(
    ("finish", "code", "kind"),
    [
        ("error", "provider_unavailable", Permanent),
        ("ERROR", "provider_unavailable", Permanent),
        ("MALFORMED_FUNCTION_CALL", "provider_unavailable", Permanent),
        ("abort", "provider_unavailable", Permanent),
        ("content_filter", "content_policy", Rejected),
        ("SAFETY", "content_policy", Rejected),
        ("Content-Filter", "content_policy", Rejected),
        ("RECITATION", "content_policy", Rejected),
        ("guardrail_intervened", "content_policy", Rejected),
    ],
)
async def test_an_end_that_makes_it_no_answer(stream: bool, finish: str, code: str, kind: type) -> None:
    became = await shaped(stream, finish=text(finish))
    assert isinstance(became.failure, kind), "paid once, and not asked for again later"
    assert became.failure.code == code
    assert (became.entry.status, became.entry.error_code, became.entry.estimated) == (UsageStatus.SETTLED, code, False)
    assert became.entry.cost_nanousd > 0
    [attempt] = became.trace.attempts
    assert attempt.outcome == code


@BOTH
@pytest.mark.parametrize(
    ("finish", "meaning"),
    [
        ("stop", "stop"),
        ("end_turn", "stop"),
        ("MAX_TOKENS", "length"),
        ("banana", "unknown"),
        (7, "unknown"),
        ({"reason": "stop"}, "unknown"),
    ],
)
async def test_an_end_has_one_meaning(stream: bool, finish: Any, meaning: str) -> None:
    became = await shaped(stream, finish=text(finish))
    assert became.answer is not None, became.failure
    assert became.answer.finish_reason == meaning


@BOTH
@pytest.mark.parametrize("finish", ["banana", "stop", "length"])
@pytest.mark.parametrize("content", ["", None, [], [{"type": "thinking", "thinking": "Hm."}]])
async def test_an_end_without_a_text_is_no_answer(stream: bool, finish: str, content: Any) -> None:
    became = await shaped(stream, finish=text(finish), content=text(content))
    assert became.failure is not None
    assert became.failure.code == "low_confidence"
    assert became.entry.status is UsageStatus.SETTLED


@BOTH
async def test_a_refusal_beside_no_text_is_one(stream: bool) -> None:
    became = await shaped(stream, message=text({"content": None, "refusal": "I can't help with that."}))
    assert isinstance(became.failure, Rejected)
    assert became.failure.code == "content_policy"


@BOTH
@pytest.mark.parametrize(
    ("shape", "code"),
    [
        ({"body": HTML}, "provider_not_json"),
        ({"body": "[]"}, "provider_not_json"),
        ({"body": "null"}, "provider_not_json"),
        ({"body": '{"choices": [{"index": 0, "message": {"content": "The ans'}, "provider_cut_off"),
        ({"body": '{"id": "1"}'}, "provider_no_answer"),
        ({"body": '{"choices": null}'}, "provider_no_answer"),
        ({"body": '{"choices": [null, 5, "text"]}'}, "provider_no_answer"),
        ({"body": '{"error": {"message": "worker died"}}'}, "provider_unavailable"),
        ({"body": '{"error": {"message": "slow down", "code": 429}}'}, "provider_rate_limited"),
        (
            {
                "body": '{"error": "no"}',
            },
            "provider_unavailable",
        ),
    ],
)
async def test_a_body_that_is_no_answer_has_a_code(stream: bool, shape: dict[str, Any], code: str) -> None:
    became = await shaped(stream, **shape)
    assert isinstance(became.failure, Transient)
    assert became.failure.code == code
    assert (became.entry.status, became.entry.error_code) == (UsageStatus.UNSETTLED, code)


async def test_choices_that_are_none_are_paid_as_counted() -> None:
    for shape in ({"choices": "[]"}, {"message": "null"}, {"message": '"text"'}):
        became = await shaped(False, **shape)
        assert became.failure is not None
        assert became.failure.code == "provider_no_answer"
        assert isinstance(became.failure, Permanent), "paid once, and not asked for again later"
        assert (became.entry.status, became.entry.estimated) == (UsageStatus.SETTLED, False)


@pytest.mark.parametrize(
    "shape", [{"no_end": True}, {"body": ""}, {"body": "data: [DONE]\n\n"}, {"body": ": keep-alive\n\n"}]
)
async def test_a_stream_without_its_last_chunk_is_no_answer(shape: dict[str, Any]) -> None:
    became = await shaped(True, **shape)
    assert became.failure is not None
    assert became.failure.code == "provider_no_end"
    assert became.entry.status is UsageStatus.UNSETTLED


async def test_what_breaks_behind_the_end_of_an_answer_breaks_no_answer() -> None:
    became = await shaped(True, broken_end=True)
    assert became.answer is not None, became.failure
    assert (became.entry.status, became.entry.estimated) == (UsageStatus.SETTLED, True)


async def test_chunks_that_say_nothing_are_passed_by() -> None:
    chunks: list[Any] = [
        {"choices": [{"index": 0, "delta": {"role": "assistant"}}]},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0}]},
        {"choices": [None]},
        {"choices": {}},
        {"choices": [{"index": 1, "delta": {"content": "another choice"}}]},
        {"choices": [{"index": 0, "delta": {"content": "It is "}}, {"index": 1, "delta": {"content": "no"}}]},
        [],
        None,
        7,
        {"choices": [{"index": 0, "delta": {"content": "19."}, "logprobs": [], "finish_reason": "stop"}]},
        {"error": {"message": "after the end"}},
    ]
    body = "".join(f"data: {text(chunk)}\r\n\r\n" for chunk in chunks) + "data: {broken\n\ndata: [DONE]\n\n"
    became = await shaped(True, body=body)
    assert became.answer is not None, became.failure
    assert became.answer.content == "It is 19."


async def test_a_choice_that_is_not_the_first_is_followed_alone() -> None:
    chunks = [{"choices": [{"index": 1, "delta": {"content": piece}}]} for piece in ("1", "9")]
    end = {"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]}
    became = await shaped(True, body="".join(f"data: {text(chunk)}\n\n" for chunk in [*chunks, end]))
    assert became.answer is not None, became.failure
    assert became.answer.content == "19"


@BOTH
async def test_an_answer_in_the_other_form_is_one(stream: bool) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "19"}, "finish_reason": "stop"}]}
    message = {"choices": [{"index": 0, "message": {"content": "19"}, "finish_reason": "stop"}]}
    became = await shaped(stream, body=json.dumps(message, indent=2) if stream else f"data: {text(chunk)}\n\n")
    assert became.answer is not None, became.failure
    assert became.answer.content == "19"


@BOTH
@pytest.mark.parametrize(
    ("calls", "made"),
    [
        ([{"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}], '{"x": 1}'),
        ([{"id": 7, "function": {"name": "f", "arguments": '{"x": 1}'}}], '{"x": 1}'),
        ({"id": "a", "function": {"name": "f", "arguments": None}}, ""),
        ([None, "f", {"id": "a", "function": {"name": ["f"], "arguments": 5}}], "5"),
        ([{"id": "a", "function": "f"}], ""),
    ],
)
async def test_tool_calls_of_an_odd_form_are_read_as_far_as_can_be(stream: bool, calls: Any, made: str) -> None:
    became = await shaped(stream, message=text({"content": "19", "tool_calls": calls}))
    # No tool was offered, so that nobody can use it; what counts is that it was read, and paid.
    assert became.failure is not None
    assert became.failure.code == "low_confidence"
    assert "bad_tool_call" in became.failure.message
    assert became.entry.status is UsageStatus.SETTLED


def test_every_code_says_whether_it_may_get_better() -> None:
    codes = ("provider_not_json", "provider_no_answer", "provider_cut_off", "provider_no_end")
    assert {CODES[code].failure_class for code in codes} == {FailureClass.TRANSIENT}
