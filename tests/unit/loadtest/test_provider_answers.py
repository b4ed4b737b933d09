"""Answers are right as often as the script says, the same each time, and checkable from the prompt alone."""

import statistics

import pytest

from loadtest.provider import difficulty, is_right, truth
from loadtest.simulator.answers import answer_of
from loadtest.simulator.script import Model, Quality


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("What is 12 + 7?", "19"),
        ("What is 1200 - 1300?", "-100"),
        ("Work out 12 x 11.", "132"),
        ("9 ÷ 2", "4"),
    ],
)
def test_truth_of_arithmetic(prompt: str, expected: str) -> None:
    assert truth(prompt) == expected
    assert is_right(prompt, f"The answer is {expected}.")
    assert not is_right(prompt, f"The answer is {expected}0.")


def test_truth_without_arithmetic_depends_on_the_key_only() -> None:
    assert truth("[key=a7] Who?") == truth("Something else [key=a7] entirely")
    assert truth("[key=a7] Who?") != truth("[key=a8] Who?")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [("[difficulty=0.7] Why?", 0.7), ("Why?", 0.25), ("[difficulty=...] Why?", 0.25)],
)
def test_difficulty_is_read_from_the_prompt(prompt: str, expected: float) -> None:
    assert difficulty(prompt, 0.25) == expected


def test_longer_sums_are_harder() -> None:
    assert difficulty("1 + 2", 0) < difficulty("100 + 2", 0) < difficulty("100 * 2", 0)


def test_same_prompt_same_answer() -> None:
    model = Model(quality=Quality(skill=0.5))
    prompts = [f"[difficulty=0.5] [key={i}] Why?" for i in range(50)]
    first = [answer_of("small", model, prompt, 1, 0.3) for prompt in prompts]
    assert first == [answer_of("small", model, prompt, 1, 0.3) for prompt in prompts]
    assert first != [answer_of("small", model, prompt, 2, 0.3) for prompt in prompts]


@pytest.mark.parametrize(("level", "expected"), [(0.5, 0.5), (0.1, 0.96), (0.9, 0.04)])
def test_share_of_right_answers_follows_the_difficulty(level: float, expected: float) -> None:
    model = Model(quality=Quality(skill=0.5, slope=8))
    prompts = [f"[difficulty={level}] [key={i}] Why?" for i in range(2000)]
    answers = [answer_of("small", model, prompt, 0, 0.3) for prompt in prompts]
    assert statistics.mean(answer.right for answer in answers) == pytest.approx(expected, abs=0.04)
    assert all(is_right(p, a.text) == a.right for p, a in zip(prompts, answers, strict=True))


def test_wrong_answers_carry_more_doubt() -> None:
    model = Model(quality=Quality(skill=0.5))
    answers = [answer_of("small", model, f"[difficulty=0.5] [key={i}]", 0, 0.3) for i in range(500)]
    right = [a.doubt for a in answers if a.right]
    wrong = [a.doubt for a in answers if not a.right]
    assert statistics.median(right) < statistics.median(wrong)
    assert max(right) > min(wrong), "they overlap: confidence must not be an oracle"


def test_correlation_makes_models_fail_together() -> None:
    def agreement(correlation: float) -> float:
        model = Model(quality=Quality(skill=0.5, correlation=correlation))
        prompts = [f"[difficulty=0.5] [key={i}]" for i in range(1000)]
        pairs = [(answer_of("a", model, p, 0, 0.3).right, answer_of("b", model, p, 0, 0.3).right) for p in prompts]
        return statistics.mean(a == b for a, b in pairs)

    assert agreement(0.0) == pytest.approx(0.5, abs=0.06)
    assert agreement(1.0) == 1.0
