"""What counts against an answer, and that nothing counts against a good one."""

import json
from typing import Any

import pytest

from forebay.contract.records import Message, MessageRole, Params, Request
from forebay_agents.completion.routing.confidence import PRIOR, assess, assess_text

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
JSON_SCHEMA = json.dumps({"type": "json_schema", "json_schema": {"schema": SCHEMA}})
TOOLS = json.dumps([{"type": "function", "function": {"name": "add", "parameters": SCHEMA}}])
OFF_TOPIC = """Bananas grow on large herbaceous plants and ripen best when they hang in the shade, while apples keep
well in cool cellars and should be turned once a week until they are soft enough to be eaten."""


def request(question: str = "What is the capital of France?", **more: Any) -> Request:
    return Request(messages=(Message(role=MessageRole.USER, content=question),), **more)


def token(logprob: float, *others: float) -> dict[str, Any]:
    top = [{"token": "x", "logprob": value} for value in (logprob, *others)]
    return {"token": "t", "logprob": logprob, "top_logprobs": top}


def test_a_plain_answer_has_the_prior_and_no_reason() -> None:
    found = assess(request(), "The capital of France is Paris.", "stop")
    assert found.probability == pytest.approx(PRIOR)
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("answer", "finish", "reason"),
    [
        ("", "stop", "empty"),
        ("I'm sorry, but I cannot help with that.", "stop", "refusal"),
        ("Es tut mir leid, das weiß ich nicht.", "stop", "refusal"),
        ("I am not sure, but it may be Lyon.", "stop", "hedged"),
        ("The capital of France is", "length", "truncated"),
        ("Paris, the city that has for the longest time been the seat of the government and", "stop", "unfinished"),
        ("It is the city of " + "light and of the city of " * 12, "stop", "repetition"),
        ("Paris.", "content_filter", "content_filter"),
        (OFF_TOPIC, "stop", "off_topic"),
    ],
)
def test_each_detector_lowers_the_probability(answer: str, finish: str, reason: str) -> None:
    found = assess(request(), answer, finish)
    assert found.reasons[0] == reason
    assert found.probability < PRIOR


def test_who_asks_for_few_tokens_expects_a_cut() -> None:
    short = assess(request(params=Params(max_tokens=5)), "The capital of France is", "length")
    long = assess(request(params=Params(max_tokens=500)), "The capital of France is", "length")
    assert long.probability < short.probability < PRIOR


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        ('{"n": 3}', ()),
        ('```json\n{"n": 3}\n```', ()),
        ('{"n": "three"}', ("schema_violation",)),
        ('{"n": 3', ("invalid_json",)),
        ("Three.", ("invalid_json",)),
        ("", ("empty", "invalid_json")),
    ],
)
def test_structured_answers_are_validated(answer: str, reasons: tuple[str, ...]) -> None:
    assert assess(request(response_format=JSON_SCHEMA), answer, "stop").reasons == reasons


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:9/never-fetched.json"},
        {"type": "nonsense"},
        {"properties": 7},
        {"properties": {"n": {"pattern": "("}}},
    ],
)
def test_an_unusable_schema_is_not_the_answers_fault(schema: Any) -> None:
    wanted = json.dumps({"type": "json_schema", "json_schema": {"schema": schema}})
    assert assess(request(response_format=wanted), '{"n": "x"}', "stop").reasons == ()


def test_json_without_schema_must_be_an_object() -> None:
    wanted = json.dumps({"type": "json_object"})
    assert assess(request(response_format=wanted), "{}", "stop").reasons == ()
    assert assess(request(response_format=wanted), "[]", "stop").reasons == ("schema_violation",)


@pytest.mark.parametrize(
    ("name", "arguments", "reasons"),
    [
        ("add", '{"n": 1}', ()),
        ("add", "{}", ("bad_tool_call",)),
        ("add", "{", ("bad_tool_call",)),
        ("other", '{"n": 1}', ("bad_tool_call",)),
    ],
)
def test_tool_calls_must_fit_the_offered_tools(name: str, arguments: str, reasons: tuple[str, ...]) -> None:
    calls = json.dumps([{"function": {"name": name, "arguments": arguments}}])
    assert assess(request(tools=TOOLS), "", "tool_calls", tool_calls=calls).reasons == reasons


def test_certain_tokens_raise_and_uncertain_ones_lower() -> None:
    sure = assess(request(), "Paris.", "stop", {"content": [token(-0.01), token(-0.02)]})
    unsure = assess(request(), "Paris.", "stop", {"content": [token(-0.01), token(-2.0)]})
    assert unsure.probability < PRIOR < sure.probability
    assert unsure.reasons == ("uncertain_tokens",)


@pytest.mark.parametrize("logprobs", [None, {}, {"content": None}, {"content": []}, {"content": [{"logprob": None}]}])
def test_missing_log_probabilities_change_nothing(logprobs: Any) -> None:
    assert assess(request(), "Paris.", "stop", logprobs) == assess(request(), "Paris.", "stop")


def test_a_calibrator_has_the_last_word() -> None:
    assert assess(request(), "Paris.", "stop", calibrator=lambda score: score / 2).probability == PRIOR / 2


def test_recorded_answers_are_assessed_alike() -> None:
    assert assess_text("Capital of France?", "I cannot help with that.").reasons == ("refusal",)
    assert assess_text("q", "a", -3.0).probability < assess_text("q", "a", -0.01).probability
