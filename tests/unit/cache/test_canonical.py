"""Two prompts meet exactly when they are the same question."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.canonical import Renumbering, fold, prompt_hash
from forebay.contract.records import Message, Params, RedactedRequest, Request
from tests.unit.cache.memory import request


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a  question", "a question"),
        ("a question\r\n", "a question"),
        ("a\n\n\nb", "a\nb"),
        ("ｆｕｌｌ width", "full width"),
        ("Is <PERSON_3> older than <PERSON_1>?", "Is <PERSON_1> older than <PERSON_2>?"),
    ],
)
def test_the_same_question(one: str, other: str) -> None:
    assert prompt_hash(request(one)) == prompt_hash(request(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 10² in decimal?", "What is 102 in decimal?"),
        ("Is 1½ a fraction?", "Is 11/2 a fraction?"),
        ("if a:\n    b()\nc()", "if a:\n    b()\n    c()"),
        ("```\na  b\n```", "```\na b\n```"),
        ("What is `a  b`?", "What is `a b`?"),
        ('How long is "a  b"?', 'How long is "a b"?'),
        ("Is <PERSON_1> <PERSON_1>'s friend?", "Is <PERSON_1> <PERSON_2>'s friend?"),
        ("Polish the text", "polish the text"),
    ],
)
def test_other_questions(one: str, other: str) -> None:
    assert prompt_hash(request(one)) != prompt_hash(request(other))


def test_how_tools_may_be_used_is_part_of_the_question_once_it_is_said() -> None:
    plain = Request(messages=(Message(content="one"),))
    assert prompt_hash(plain) == "07030e05966fef7cb4607552b36ebf3b50260133e738f50a7c464b5572763939", "as ever"
    said = [
        plain,
        *(replace(plain, params=Params(tool_choice=choice)) for choice in ("none", "required")),
        replace(plain, params=Params(parallel_tool_calls=False)),
        *(replace(plain, params=Params(reasoning_effort=effort)) for effort in ("low", "high")),
    ]
    assert len({prompt_hash(request) for request in said}) == len(said)


def test_hidden_values_of_which_a_fact_is_asked_are_part_of_the_question() -> None:
    plain = RedactedRequest(messages=(Message(content="one"),))
    assert prompt_hash(plain) == prompt_hash(Request(messages=plain.messages))
    assert len({prompt_hash(replace(plain, asked=asked)) for asked in ("", "a", "b")}) == 3


def test_code_spans_keep_the_blanks_around_them() -> None:
    assert fold("Is `x` defined?") == "Is `x` defined?"


_tags = st.lists(st.sampled_from([f"<{kind}_{n}>" for kind in ("PERSON", "IBAN") for n in range(1, 6)]), max_size=8)


@given(_tags, _tags)
def test_renumbering_can_be_undone(question: list[str], more: list[str]) -> None:
    numbers = Renumbering()
    text = " and ".join(question)
    canonical = numbers.apply(text)
    assert numbers.revert(canonical) == text
    answer = " or ".join(more)
    assert numbers.knows(answer) == (set(more) <= set(question))
    assert numbers.covers(canonical)


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
