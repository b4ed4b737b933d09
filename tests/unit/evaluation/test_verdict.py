"""Which score did the judge give, and which answers does it see at all?"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay_agents.evaluation.sampling import sampled
from forebay_agents.evaluation.verdict import VERDICT_FORMAT, Verdict, read_verdict


@pytest.mark.parametrize(
    ("text", "score", "reason"),
    [
        ('{"score": 4, "reason": "Small gaps."}', 4.0, "Small gaps."),
        ('{\n  "score": 1,\n  "reason": "Says \\"12\\" da', 1.0, 'Says \\"12\\" da'),  # cut off in the middle
        ("5: complete.", 5.0, "complete."),
        ("Grade: 2 - beside the point", 2.0, "beside the point"),
        ("I would give 3/5 here", 3.0, "here"),
        ("The answer is 12.", 0.0, "The answer is 12."),
        ("It costs 3.50 and 4,000 times 17.", 0.0, "It costs 3.50 and 4,000 times 17."),
        ("", 0.0, ""),
    ],
)
def test_the_grade_is_the_digit_that_stands_alone(text: str, score: float, reason: str) -> None:
    verdict = read_verdict(text)
    assert verdict.score == score
    assert verdict.reason.startswith(reason[:8])


def test_the_alternatives_sharpen_the_grade() -> None:
    token = {
        "token": "4",
        "top_logprobs": [
            {"token": "4", "logprob": math.log(0.5)},
            {"token": "2", "logprob": math.log(0.25)},
            {"token": "{", "logprob": math.log(0.25)},
        ],
    }
    assert read_verdict("4", {"content": [token]}).score == pytest.approx(10 / 3)


def test_a_reason_is_cut() -> None:
    assert read_verdict("3 " + "x" * 2_000) == Verdict(score=3.0, reason="x" * 500)


def test_the_form_allows_the_grades_and_nothing_else() -> None:
    schema = VERDICT_FORMAT["json_schema"]["schema"]  # type: ignore[index]  # nested literals
    assert schema["properties"]["score"]["enum"] == [1, 2, 3, 4, 5]


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_sample_holds_the_smaller_one(request_id: str, one: float, other: float) -> None:
    assert sampled(request_id, 1.0)
    assert not sampled(request_id, 0.0)
    if sampled(request_id, min(one, other)):
        assert sampled(request_id, max(one, other))


def test_the_sample_is_as_large_as_its_rate() -> None:
    hits = sum(sampled(f"r-{number}", 0.2) for number in range(5_000))
    assert 900 < hits < 1_100  # 7 standard deviations wide
