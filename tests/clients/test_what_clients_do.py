"""Clients that nobody here wrote ask a whole stack by HTTP, and get what they would get from OpenAI."""

import json
from collections.abc import Callable

import pytest

from loadtest.chaos.stack import Stack
from tests.clients.conftest import Program
from tests.clients.environments import CLIENTS

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

Programs = Callable[[str], Program]


def which(act: str) -> list[str]:
    return [name for name, client in CLIENTS.items() if act in client.acts]


@pytest.mark.parametrize("name", which("chat"))
def test_an_answer_comes_with_its_names(programs: Programs, name: str) -> None:
    told = programs(name)("chat", f"My name is Anna Berg, and I ask by {name}: what is 12 + 7?")
    assert "Anna Berg" in told["text"]
    assert "19" in told["text"]
    assert told.get("finish", "stop") == "stop"


@pytest.mark.parametrize("name", which("stream"))
def test_a_stream_comes_in_pieces_with_its_names_whole(programs: Programs, name: str) -> None:
    told = programs(name)("stream", f"My name is Bertha Kowalski, and I stream by {name}: what is 30 + 7?")
    assert "Bertha Kowalski" in told["text"]
    assert "37" in told["text"]
    assert told["pieces"] > 2
    assert told.get("finish", "stop") == "stop"


@pytest.mark.parametrize("act", ["tools", "streamed_tools"])
@pytest.mark.parametrize("name", which("tools"))
def test_tools_are_called(programs: Programs, name: str, act: str) -> None:
    told = programs(name)(act, f"By {name} in {act}, [call=add] what is 20 + 3?")
    assert told["calls"] == [{"name": "add", "arguments": {"a": 23, "b": 23}}]
    assert told.get("finish", "tool_calls") == "tool_calls"


@pytest.mark.parametrize("name", which("tool_turn"))
def test_what_a_tool_said_comes_to_the_model(programs: Programs, stack: Stack, name: str) -> None:
    number = 100 + list(CLIENTS).index(name)
    told = programs(name)("tool_turn", f"In turn, [call=add] what is {number} + 2?")
    assert str(number + 2) in told["text"]
    # By line feeds alone: other tests have models say every sign that other rules end lines with.
    asked = [json.loads(line)["messages"] for line in stack.asked.read_text("utf-8").split("\n") if line]
    [turn] = [one for one in asked if f"what is {number} + 2?" in str(one[0]) and one[-1]["role"] == "tool"]
    assert turn[-1]["content"] == str(2 * (number + 2))
    assert turn[-1]["tool_call_id"] == turn[-2]["tool_calls"][0]["id"]


@pytest.mark.parametrize("name", which("structured"))
def test_an_object_has_the_form_that_was_asked_for(programs: Programs, name: str) -> None:
    told = programs(name)("structured", f"An object by {name}: what is 50 + 6?")
    assert told["value"]["total"] == 56
    assert "56" in told["value"]["words"]


def test_an_object_that_is_streamed_grows_until_it_is_whole(programs: Programs) -> None:
    told = programs("instructor")("streamed_tools", "An object in pieces: what is 60 + 6?")
    assert told["calls"][0]["arguments"]["total"] == 66


@pytest.mark.parametrize("name", which("models"))
def test_models_are_listed(programs: Programs, name: str) -> None:
    assert programs(name)("models") == {"models": ["auto", "small", "large"], "one": "small"}


def test_no_name_came_to_the_provider(programs: Programs, stack: Stack) -> None:
    programs("curl")("chat", "My name is Gerda Nilsson, what is 70 + 7?")
    asked = stack.asked.read_text("utf-8")
    assert "70 + 7" in asked
    assert [name for name in ("Berg", "Kowalski", "Nilsson") if name in asked] == []
