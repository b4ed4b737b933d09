"""What may an application ask, and what is it told when it may not?"""

import json
from types import MappingProxyType
from typing import Any

import pytest

from forebay.client.asking import feedback_of, request_of
from forebay.client.errors import InvalidRequestError
from forebay.contract.records import (
    CacheMode,
    CachePolicy,
    Feedback,
    FeedbackRating,
    Message,
    MessageRole,
    Params,
    Request,
)

TURNS = (
    Message(role=MessageRole.SYSTEM, content="You answer for a parcel service."),
    Message(role=MessageRole.USER, content="Where is it?"),
)
OPENAI_TURNS = [
    {"role": "system", "content": "You answer for a parcel service."},
    {"role": "user", "content": "Where is it?"},
]


def refused(asked: Any, **fields: Any) -> str:
    with pytest.raises(InvalidRequestError) as found:
        request_of(asked, fields)
    return str(found.value)


@pytest.mark.parametrize(
    "asked",
    [
        TURNS,
        list(TURNS),
        iter(TURNS),
        OPENAI_TURNS,
        tuple(map(MappingProxyType, OPENAI_TURNS)),
        [TURNS[0], OPENAI_TURNS[1]],
        {"messages": OPENAI_TURNS},
        {"messages": TURNS},
        MappingProxyType({"messages": tuple(OPENAI_TURNS)}),
        Request(messages=TURNS),
    ],
    ids=[
        "records",
        "list",
        "iterator",
        "dicts",
        "mappings",
        "both",
        "request as dict",
        "with records",
        "map",
        "record",
    ],
)
def test_a_conversation_is_written_in_many_ways(asked: Any) -> None:
    request = request_of(asked, {})
    assert request.messages == TURNS
    assert request.request_id
    assert request.created_at > 0


def test_a_text_is_one_message_of_the_user() -> None:
    assert request_of("What is 12 + 7?", {}).messages == (Message(content="What is 12 + 7?"),)
    assert request_of({"messages": "What is 12 + 7?"}, {}).messages == (Message(content="What is 12 + 7?"),)


@pytest.mark.parametrize("params", [Params(max_tokens=9, stop=("\n",)), {"max_tokens": 9, "stop": ["\n"]}])
@pytest.mark.parametrize("cache", [CachePolicy(mode=CacheMode.BYPASS), {"mode": "bypass"}])
def test_fields_are_records_or_mappings(params: Any, cache: Any) -> None:
    request = request_of("x", {"tenant_id": "acme", "params": params, "cache": cache, "metadata": {"order": "7"}})
    assert (request.tenant_id, request.params) == ("acme", Params(max_tokens=9, stop=("\n",)))
    assert (request.cache.mode, dict(request.metadata)) == (CacheMode.BYPASS, {"order": "7"})


def test_an_id_and_a_time_of_ones_own_stay() -> None:
    request = request_of({"request_id": "mine", "created_at": 5, "messages": "x"}, {})
    assert (request.request_id, request.created_at) == ("mine", 5)


def test_parts_of_text_are_joined_by_line_feeds() -> None:
    parts = [{"type": "text", "text": "Here is a letter."}, {"type": "text", "text": "Who wrote it?"}]
    assert request_of([{"role": "user", "content": parts}], {}).messages == (
        Message(content="Here is a letter.\nWho wrote it?"),
    )


def test_an_answer_goes_back_as_the_openai_client_gave_it() -> None:
    call = [{"id": "c1", "type": "function", "function": {"name": "track", "arguments": "{}"}}]
    answer = {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "annotations": [],
        "audio": None,
        "function_call": None,
        "tool_calls": call,
    }
    [message] = request_of([answer], {}).messages
    assert (message.role, message.content) == (MessageRole.ASSISTANT, "")
    assert json.loads(message.tool_calls or "") == call


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:secret"}},
            "messages.1.content.0: a part of the type 'image_url'",
        ),
        ({"type": "secret secret", "text": "x"}, "a part of no known type"),
        ({"type": "input_audio", "input_audio": {}}, "'input_audio'"),
        ({"type": "file", "file": {}}, "'file'"),
        ({"text": "secret"}, "messages.1.content.0: a part without a type"),
        ({"type": ["secret"]}, "a part without a type"),
        ("secret", "a part without a type"),
        ({"type": "text"}, "messages.1.content.0.text: "),
        ({"type": "text", "text": None}, "messages.1.content.0.text: "),
    ],
)
def test_other_parts_are_refused_by_name(part: Any, told: str) -> None:
    message = refused([TURNS[0], {"role": "user", "content": [part]}])
    assert told in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tenant": "acme"}, "tenant: there is no such field; did you mean tenant_id?"),
        ({"user": "u-1"}, "did you mean user_id?"),
        ({"prio": 3}, "did you mean priority?"),
        ({"max_cost": 3}, "did you mean max_cost_nanousd?"),
        ({"temperature": 0}, "did you mean params.temperature?"),
        ({"max_tokens": 9}, "did you mean params.max_tokens?"),
        ({"ttl_s": 9}, "did you mean cache.ttl_s?"),
        ({"model": "gpt-4o-mini"}, "did you mean tier?"),
        ({"timeout": 3}, "timeout_s, an argument of the client's ask"),
        ({"colour": "red"}, "colour: there is no such field"),
        ({"params": {"temprature": 0}}, "params.temprature: there is no such field; did you mean temperature?"),
        ({"cache": {"ttl": 5}}, "cache.ttl: there is no such field; did you mean ttl_s?"),
        ({"cache": {"mode": "maybe"}}, "cache.mode: "),
        ({"metadata": {"n": 1}}, "metadata.n: "),
        ({"priority": "high"}, "priority: "),
        ({"messages": "again"}, "messages: they are given twice"),
    ],
)
def test_a_wrong_field_is_named_with_the_nearest_right_name(fields: dict[str, Any], told: str) -> None:
    message = refused("the text is not quoted", **fields)
    assert told in message
    assert "quoted" not in message


def test_all_wrong_fields_are_named_at_once() -> None:
    told = refused({"messages": [{"rol": "user", "content": "x"}], "tenant": "acme", "colour": 3})
    assert "messages.0.rol: there is no such field; did you mean role?" in told
    assert "did you mean tenant_id?" in told
    assert told.endswith("colour: there is no such field")


@pytest.mark.parametrize("asked", [5, None, b"x", 3.5, True, [5], [["x"]], {"role": "user", "content": "x"}])
def test_what_is_no_request_is_refused(asked: Any) -> None:
    assert refused(asked)


@pytest.mark.parametrize("asked", [{"messages": "x"}, Request(messages=TURNS)])
def test_fields_are_given_once(asked: Any) -> None:
    assert "not both" in refused(asked, tenant_id="acme")


def test_a_wrong_argument_is_a_type_error_as_python_has_it() -> None:
    for kind in (TypeError, ValueError):
        with pytest.raises(kind):
            request_of("x", {"colour": "red"})


def test_feedback_gets_what_it_lacks() -> None:
    given = Feedback(request_id="order-4711", rating=FeedbackRating.DOWN, reason="wrong_facts")
    first, second = feedback_of(given), feedback_of(given)
    assert first.feedback_id < second.feedback_id
    assert first.created_at > 0
    assert (first.request_id, first.reason) == ("order-4711", "wrong_facts")
    with pytest.raises(InvalidRequestError, match="request_id"):
        feedback_of(Feedback())
