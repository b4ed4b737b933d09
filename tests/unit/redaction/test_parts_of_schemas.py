"""A schema's own words are no people."""

import json

from forebay.contract.records import Message, Params, Request
from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.request_parts import Sort, collect, rebuild
from forebay_agents.redaction.settings import RedactionSettings

FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "order",
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string", "description": "Of Karen Whitfield"}},
            "required": ["name"],
        },
    },
}


def test_names_and_types_are_identifiers_and_descriptions_are_prose() -> None:
    parts = collect(Request(response_format=json.dumps(FORMAT)))
    sorts = {part.text: part.sort for part in parts}
    assert sorts["order"] is sorts["object"] is sorts["json_schema"] is Sort.IDENTIFIER
    assert sorts["Of Karen Whitfield"] is Sort.PROSE
    assert not any(part.joined for part in parts if part.text in ("order", "object", "string"))


def test_what_is_no_schema_is_read_as_before() -> None:
    tools = [{"function": {"name": "mail", "description": "x"}}]
    parts = collect(Request(tools=json.dumps(tools)))
    assert {part.text: part.sort for part in parts}["mail"] is Sort.IDENTIFIER


def test_a_tool_that_has_to_be_called_is_read_as_tools_are() -> None:
    choice = {"type": "function", "function": {"name": "mail"}}
    request = Request(params=Params(tool_choice=json.dumps(choice), stop=("End.",)))
    parts = collect(request)
    assert {part.text: part.sort for part in parts}["mail"] is Sort.IDENTIFIER
    texts = [part.text.upper() if part.text in ("mail", "End.") else part.text for part in parts]
    params = rebuild(request, texts).params
    assert (json.loads(params.tool_choice or ""), params.stop) == (choice | {"function": {"name": "MAIL"}}, ("END.",))
    assert collect(Request(params=Params(tool_choice="required"))) == [], "a word of ours"


def test_a_schema_does_not_make_a_name_of_a_word_before_it() -> None:
    detector = Detector(RedactionSettings())
    text = "Three\u200b boxes of green tea, please."  # the invisible character moves everything behind it
    request = Request(messages=(Message(content=text),), response_format=json.dumps(FORMAT))
    found = detector.find(Asked(parts=collect(request)))
    assert found.spans[0] == []
    assert any(found.spans)  # the person in the description is found all the same
