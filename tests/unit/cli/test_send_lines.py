"""What does a line of ``forebay send --json`` say? All that the response says of the answer."""

import json

import pytest

from forebay.cli.send import response_line
from forebay.contract.records import Response, ResponseStatus


@pytest.mark.parametrize(
    ("tool_calls", "told"),
    [
        (None, None),
        ('[{"id": "1", "function": {"name": "f"}}]', [{"id": "1", "function": {"name": "f"}}]),
        ("not JSON", "not JSON"),
    ],
)
def test_the_line_has_tool_calls_and_why_the_answer_ended(tool_calls: str | None, told: object) -> None:
    response = Response(request_id="r", status=ResponseStatus.OK, tool_calls=tool_calls, finish_reason="tool_calls")
    line = json.loads(json.dumps(response_line(response, 1.0)))
    assert (line["tool_calls"], line["finish_reason"]) == (told, "tool_calls")


def test_a_response_without_an_answer_has_both_keys() -> None:
    line = response_line(Response(request_id="r"), 1.0)
    assert {"tool_calls", "finish_reason"} <= line.keys()
