"""What was found once is found in all of a request; and values are read by the names of their fields."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from forebay.contract.records import Message, MessageRole, Request
from forebay_agents.redaction.conversation.fields import kind_of
from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.request_parts import collect
from forebay_agents.redaction.settings import Profile, RedactionSettings


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(RedactionSettings(profile=Profile.STRICT))


def said(role: str, text: str) -> Message:
    return Message(role=MessageRole(role), content=text)


def calling(name: str, **arguments: Any) -> Message:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    return Message(role=MessageRole.ASSISTANT, content="", tool_calls=json.dumps([call]))


def left(detector: Detector, messages: Sequence[Message], **fields: Any) -> str:
    """What is not hidden of a request."""
    request = Request(request_id="r", tenant_id="t", user_id="u", messages=tuple(messages), **fields)
    parts = collect(request)
    kept = []
    for part, spans in zip(parts, detector.find(Asked(parts=parts)).spans, strict=True):
        hidden = {at for span in spans for at in range(span.start, span.end)}
        kept.append("".join("_" if at in hidden else char for at, char in enumerate(part.text)))
    return "\n".join(kept)


@pytest.mark.parametrize(
    ("call", "gone", "stay"),
    [
        (calling("balance", account_number="70441", pin=9917), ("70441", "9917"), ()),
        (calling("login", otp_code="118 204", userName="mothman"), ("118 204",), ()),
        (calling("book", guest={"birthDate": "1961-04-02", "nights": 3}), ("1961-04-02",), ("nights",)),
        (calling("check", mothersMaidenName="Quillfeather"), ("Quillfeather",), ()),
        (calling("check", security_answer="marmalade"), ("marmalade",), ()),
        (calling("verify_pin", value="5508"), ("5508",), ()),
        (calling("find", order_line_id=2938475610, rows=4096), (), ("2938475610", "4096")),
        (calling("pay", cvv="204", amount=1250), ("204",), ("1250",)),
    ],
)
def test_arguments_are_read_by_their_names(
    detector: Detector, call: Message, gone: Sequence[str], stay: Sequence[str]
) -> None:
    seen = left(detector, [said("user", "Go on."), call])
    assert not [value for value in gone if value in seen]
    assert all(value in seen for value in stay)


def test_results_of_tools_are_read_by_their_names(detector: Detector) -> None:
    result = '{"customer": {"policy_number": "77120", "security_answer": "bramble"}, "balance": 812.5, "rows": 4096}'
    seen = left(detector, [said("user", "Look it up."), said("tool", result)])
    assert "77120" not in seen
    assert "bramble" not in seen
    assert "812.5" in seen
    assert "4096" in seen


def test_what_a_tool_asks_of_people_is_asked(detector: Detector) -> None:
    seen = left(detector, [calling("ask_customer", text="What is your PIN?"), said("tool", "it is 4471")])
    assert "4471" not in seen


@pytest.mark.parametrize(
    "name",
    ["pin_length", "password_reset", "security_question", "order_date", "card_type", "account_type", "nights", "code"],
)
def test_a_field_that_is_about_a_secret_is_none(name: str) -> None:
    assert kind_of(name) == ""


@pytest.mark.parametrize(
    ("question", "answer", "later", "gone"),
    [
        ("What is your PIN?", "nine four three one", "So it is 9431?", "9431"),
        ("What is your PIN?", "7350", "I heard 7 3 5 0, right?", "7 3 5 0"),
        ("When were you born?", "8 June 1985", "I have 1985-06-08 here.", "1985-06-08"),
        ("Your date of birth?", "08/06/1985", "So the 8th of June 1985.", "June 1985"),
        ("Your date of birth?", "3 March 1961", "Your birthday is on March 3, how nice.", "March 3"),
        ("Security question: what is your favourite dish?", "gooseberry fool", "Gooseberry fool it is.", "ooseberry"),
        ("What was the name of your first pet?", "biscuit", "Biscuit's a nice name, and biscuits too", "iscuit"),
        ("What is your password?", "kestrel", "You said Kestrel.", "estrel"),
        ("Девичья фамилия матери?", "Калинина", "Вы сказали: Калининой?", "Калинин"),
    ],
)
def test_an_answer_is_found_again_in_other_forms(
    detector: Detector, question: str, answer: str, later: str, gone: str
) -> None:
    turns = [said("assistant", question), said("user", answer), said("assistant", later), said("user", "yes")]
    assert gone not in left(detector, turns)


def test_what_was_found_once_is_found_in_the_prompt_and_the_tools(detector: Detector) -> None:
    turns = [
        said("system", "The caller is verified by the word gooseberry."),
        said("assistant", "What is your memorable word?"),
        said("user", "gooseberry"),
        calling("note", text="They said gooseberry, account in order."),
    ]
    tools = json.dumps([{"name": "greet", "description": "Say gooseberry first."}])
    assert "gooseberry" not in left(detector, turns, tools=tools)


def test_a_transcript_in_json_is_read_as_one(detector: Detector) -> None:
    talk = [{"role": "agent", "content": "What is your PIN?"}, {"role": "customer", "content": "it's 5580"}]
    assert "5580" not in left(detector, [said("user", f"Sum this up: {json.dumps(talk)}")])
