"""What compress_messages may touch, and when it leaves everything alone."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from forebay.contract.records import Message, MessageRole
from forebay_agents.completion.compression import gate
from forebay_agents.completion.compression.cli import app
from forebay_agents.completion.compression.messages import Compressed, compress_messages
from forebay_agents.completion.compression.saving import PromptCache, held_out
from tests.unit.completion.compression.test_extract import TEXT

SYSTEM = Message(role=MessageRole.SYSTEM, content="You are a guide. You MUST answer in one sentence.")
QUESTION = Message(content="Where was the lens made?")
TALK = (
    SYSTEM,
    Message(content=f"Here is what I found: {TEXT}"),
    Message(role=MessageRole.ASSISTANT, content="Thank you. " + TEXT.replace("1926", "1927")),
    Message(content="The ferry leaves from Port Ellen at nine, and it costs 14 euros for adults and 6 for children."),
    Message(role=MessageRole.ASSISTANT, content="That is good to know; I shall keep the price in mind for later."),
    QUESTION,
)


def shortened(messages: tuple[Message, ...] = TALK, **more: Any) -> Compressed:
    return compress_messages(messages, **({"keep": 0.5, "least_tokens": 0} | more))


def test_history_is_shortened_and_the_rest_stays() -> None:
    found = shortened()
    assert found.reason is None
    assert found.tokens_after <= 0.5 * found.tokens_before
    assert found.messages[0] == SYSTEM
    assert found.messages[-1] == QUESTION
    assert "Birmingham" in "".join(message.content for message in found.messages)


def test_spans_give_the_messages() -> None:
    found = shortened()
    kept = [
        "".join(message.content[start:end] for start, end in spans)
        for message, spans in zip(TALK, found.kept, strict=True)
    ]
    assert [text for text in kept if text] == [message.content for message in found.messages]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"task": "code.review"}, "code"),
        ({"task": "arithmetic"}, "maths"),
        ({"holdout": 1.0, "request_id": "r"}, "holdout"),
        ({"least_tokens": 10_000}, "short"),
        ({"messages": (SYSTEM, QUESTION)}, "protected"),
        ({"messages": (*TALK[:-1], Message(content="Write a Python function that sorts these."))}, "code"),
    ],
)
def test_what_is_left_alone_says_why(more: dict[str, Any], reason: str) -> None:
    found = shortened(**more)
    assert found.reason == reason
    assert found.tokens_after == found.tokens_before
    assert found.messages == more.get("messages", TALK)


def test_a_cached_prefix_that_is_worth_more_is_left_alone() -> None:
    long = (SYSTEM, Message(content=TEXT * 12), Message(role=MessageRole.ASSISTANT, content="Noted."), QUESTION)
    cheap = PromptCache(messages=3, discount=0.1)
    assert shortened(long, cache=cheap).reason == "cached_prefix"
    assert shortened(long, cache=PromptCache(messages=3, discount=0.9), keep=0.2).reason is None


def test_behind_a_cached_prefix_there_is_still_something_to_cut() -> None:
    long = (SYSTEM, Message(content=TEXT * 12), Message(role=MessageRole.ASSISTANT, content=TEXT * 5), QUESTION)
    found = shortened(long, cache=PromptCache(messages=2, discount=0.1))
    assert found.messages[1] == long[1]
    assert found.tokens_after < found.tokens_before


def test_the_hold_out_is_stable_and_about_its_share() -> None:
    chosen = [held_out(f"request-{i}", 0.1) for i in range(5000)]
    assert 0.08 < sum(chosen) / len(chosen) < 0.12
    assert chosen == [held_out(f"request-{i}", 0.1) for i in range(5000)]


def test_examples_are_kept_whole_and_the_alike_first() -> None:
    shots = []
    for subject in ("tax on wine", "delivery of a parcel", "opening hours of the library", "tax on tobacco"):
        shots.append(Message(content=f"Classify this ticket of a citizen who asks about the {subject}."))
        shots.append(Message(role=MessageRole.ASSISTANT, content=f"label: {subject.split()[0]}"))
    asked = Message(content="Classify this ticket of a citizen who asks about the parcel that never came.")
    found = shortened((SYSTEM, *shots, asked), keep=0.75)
    kept = [message.content for message in found.messages]
    assert shots[2].content in kept
    assert shots[3].content in kept
    assert set(kept) <= {message.content for message in (SYSTEM, *shots, asked)}
    assert found.tokens_after <= 0.75 * found.tokens_before


def test_tool_messages_stay_with_their_calls() -> None:
    call = json.dumps([{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}])
    talk = (
        Message(content="Look it up, please."),
        Message(role=MessageRole.ASSISTANT, tool_calls=call),
        Message(role=MessageRole.TOOL, tool_call_id="c1", content=TEXT * 3),
        QUESTION,
    )
    found = shortened(talk, keep=0.2)
    assert [m.role for m in found.messages if m.tool_calls or m.tool_call_id] == [
        MessageRole.ASSISTANT,
        MessageRole.TOOL,
    ]


@pytest.mark.parametrize(
    ("task", "instruction", "reason"),
    [
        (None, "Which class did Tesla complete in Java?", None),
        (None, "Who wrote the script of the film?", None),
        (None, "Please fix the bug in this function.", "code"),
        (None, "What is 12 * 7?", "maths"),
        (None, "How many people lived there in 1990?", None),
        ("sql-generation", "x", "code"),
        ("support.faq", "How do I change the PIN?", None),
    ],
)
def test_code_and_maths_are_recognised(task: str | None, instruction: str, reason: str | None) -> None:
    assert gate.reason_against(task, instruction) == reason


def test_the_command_keeps_order_and_names_bad_lines() -> None:
    lines = [
        json.dumps({"id": 1, "context": TEXT, "question": "Who designed the lighthouse?", "note": "kept"}),
        "nonsense",
        json.dumps({"id": "x", "context": 3, "question": "?"}),
        json.dumps({"id": 2, "messages": [{"role": m.role.value, "content": m.content} for m in TALK]}),
        '{"id": 5, "context": "\\ud800", "question": ""}',
        json.dumps({"id": 3, "context": "", "question": ""}),
    ]
    result = CliRunner().invoke(app, ["--keep", "0.5", "--json"], input="\n".join(lines))
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [line.get("id") for line in found] == [1, None, "x", 2, None, 3]
    assert [("error" in line) for line in found] == [False, True, True, False, True, False]
    assert found[0]["note"] == "kept"
    assert found[0]["context"] == "".join(TEXT[start:end] for start, end in found[0]["kept"])
    assert found[0]["tokens_after"] <= 0.5 * found[0]["tokens_before"]
    assert found[3]["messages"][-1]["content"] == QUESTION.content
    assert len(found[3]["kept"]) == len(TALK)


def test_numbers_of_any_size_and_byte_order_marks_pass() -> None:
    line = '\ufeff{"id": 1, "context": "Ann was born in 1970.", "question": "When?", "big": 1%s}' % ("0" * 40)
    result = CliRunner().invoke(app, ["--keep", "0.9", "--json"], input=line + "\n" + line.lstrip("\ufeff"))
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert found[0] == found[1]
    assert found[0]["big"] == 10**40
    assert found[0]["tokens_after"] < found[0]["tokens_before"]
