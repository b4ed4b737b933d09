"""Which lines are requests, and what is said of those that are not?"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.json_lines import InvalidLineError, record_from_json, request_from_line, to_json
from forebay.contract.records import CacheMode, MessageRole, Request


def refused(line: str) -> InvalidLineError:
    with pytest.raises(InvalidLineError) as found:
        request_from_line(line)
    return found.value


@pytest.mark.parametrize("line", ["Name a colour.", "  Name a colour.\r", "\ufeffName a colour."])
def test_plain_text_is_one_user_turn(line: str) -> None:
    request = request_from_line(line)
    assert [(message.role, message.content) for message in request.messages] == [(MessageRole.USER, "Name a colour.")]


@pytest.mark.parametrize("line", ['[{"role": "user", "content": "x"}]', '"quoted"', "12"])
def test_only_an_object_is_json(line: str) -> None:
    assert request_from_line(line).messages[0].content == line


def test_ids_and_times_are_given_where_they_are_missing() -> None:
    first, second = request_from_line('{"messages": "x"}'), request_from_line('{"messages": "x", "request_id": ""}')
    assert first.request_id < second.request_id, "version 7: ids sort by time"
    assert 0 < first.created_at <= second.created_at
    own = request_from_line('{"request_id": "mine", "created_at": 5, "messages": "x"}')
    assert (own.request_id, own.created_at) == ("mine", 5)


def test_defaults_give_way_to_the_line() -> None:
    defaults = {"tenant_id": "acme", "user_id": "me"}
    own = request_from_line('{"tenant_id": "other", "messages": "x"}', defaults)
    assert (own.tenant_id, own.user_id) == ("other", "me")
    assert request_from_line("x", defaults).tenant_id == "acme"


def test_values_of_the_openai_format_become_json_text() -> None:
    call = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    content = {
        "messages": [
            {"role": "user", "content": "Ärger?"},
            {"role": "assistant", "content": None, "tool_calls": call},
            {"role": "tool", "content": "5", "tool_call_id": "1"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": "für"}}],
        "response_format": {"type": "json_object"},
        "cache": {"mode": "bypass"},
    }
    request = request_from_line("\ufeff" + json.dumps(content, ensure_ascii=False))
    assert [message.role.value for message in request.messages] == ["user", "assistant", "tool"]
    assert request.messages[1].content == ""
    assert json.loads(request.messages[1].tool_calls or "") == call
    assert json.loads(request.tools or "") == content["tools"]
    assert "für" in (request.tools or "")
    assert json.loads(request.response_format or "") == content["response_format"]
    assert request.cache.mode is CacheMode.BYPASS
    again = request_from_line(json.dumps({"messages": "x", "tools": request.tools}))
    assert again.tools == request.tools, "JSON text stays as it is"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "empty"),
        (" \t", "empty"),
        ("a \udcff b", "not UTF-8"),
        ('{"messages": ', "not JSON: Expecting value at column 14"),
        ('{"messages": "x"} y', "not JSON: Extra data"),
        ('{"tools": ' + 50_000 * "[" + 50_000 * "]" + "}", "nested too deeply"),
        ('{"max_cost_nanousd": ' + 5_000 * "1" + "}", "thousands of digits"),
        ('{"messages": "\\ud800"}', "surrogate"),
        ('{"\\udc00": "x"}', "surrogate"),
        ('{"messages": null}', "messages: "),
        ('{"messages": [{"content": null}]}', "messages.0.content: "),
        ('{"messages": [7]}', "messages.0: "),
        ('{"messages": [{"role": "robot", "content": "x"}]}', "messages.0.role: "),
        ('{"message": "x"}', "message: "),
        ('{"messages": "x", "priority": NaN}', "priority: "),
        ('{"messages": "x", "metadata": {"n": 1}}', "metadata.n: "),
        ('{"messages": "x", "params": {"heat": 1}}', "params.heat: "),
        ('{"messages": "x", "cache": {"mode": "maybe"}}', "cache.mode: "),
    ],
)
def test_the_message_says_where_it_is_wrong(line: str, told: str) -> None:
    assert told in str(refused(line))


def test_the_id_is_told_where_it_can_be_read() -> None:
    assert refused('{"request_id": "r1", "messages": 5}').record_id == "r1"
    assert refused('{"request_id": 7, "messages": "x"}').record_id is None
    assert refused('{"request_id": "r1", ').record_id is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_fields = st.sampled_from(["request_id", "messages", "tools", "params", "cache", "metadata", "priority", "deadline_ms"])


@given(st.dictionaries(_fields, _json, max_size=4))
def test_any_object_is_a_request_or_refused_without_its_texts(content: dict[str, Any]) -> None:
    told = ""
    try:
        assert request_from_line(json.dumps(content)).request_id
    except InvalidLineError as error:
        told = str(error)
    assert not any(isinstance(value, str) and len(value) > 20 and value in told for value in content.values())


@given(st.text())
def test_any_line_is_a_request_or_refused(line: str) -> None:
    try:
        assert request_from_line(line).messages[0].content == line.removeprefix("\ufeff").strip()
    except InvalidLineError:
        assert not line.removeprefix("\ufeff").strip() or line.lstrip("\ufeff").lstrip().startswith("{")


def test_records_come_back_from_their_json() -> None:
    request = request_from_line('{"messages": "x", "params": {"stop": ["a", "b"]}, "metadata": {"k": "v"}}')
    assert record_from_json(Request, json.loads(json.dumps(to_json(request)))) == request
