"""Politeness is left out, questions are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay_agents.cache.language.pleasantries import bare

ASKED = [
    ("Hi there, how do I leave?", "how do I leave?"),
    ("Hello doctor, sorry to bother you, is it broken? Many thanks in advance!", "is it broken?"),
    ("Could you please tell me when the bus leaves?", "when the bus leaves?"),
    ("How do I fix it? Please help.", "How do I fix it?"),
    ("where is it, thanks", "where is it"),
]

KEPT = [
    "How do I say thank you",
    "What does cheers mean?",
    "Hi",
    "Thanks!",
    "hi how are you",
    "Can you help me move?",
    "Where is the help page?",
    "Does anyone know Kung Fu?",
]


@pytest.mark.parametrize(("text", "asked"), ASKED)
def test_what_is_asked_is_kept(text: str, asked: str) -> None:
    assert bare(text).lower() == asked.lower()


@pytest.mark.parametrize("text", KEPT)
def test_words_that_are_the_question_stay(text: str) -> None:
    assert bare(text) == text


@given(st.text(max_size=80))
def test_never_longer_and_never_nothing(text: str) -> None:
    left = bare(text)
    assert len(left) <= len(text) or left == text
    assert bool(left.strip()) == bool(text.strip())
