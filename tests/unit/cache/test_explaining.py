"""One line out for every line in, whatever the line is."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forebay_agents.cache.language.facts import facts_of
from forebay_agents.cache.matching.guards import differences
from forebay_agents.cache.offline.explaining import decide, explain_lines, pair_of
from tests.data.cache_pairs import pairs
from tests.unit.cache.memory import WordMatcher

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_records = st.fixed_dictionaries({}, optional={"id": _values, "a": _values, "b": _values, "duplicate": _values})


def _out(*lines: str) -> list[dict[str, object]]:
    return [output for output, _ in explain_lines(lines, WordMatcher())]


@settings(max_examples=100)
@given(st.lists(st.text(max_size=30) | _records.map(json.dumps) | _values.map(json.dumps), max_size=5))
def test_every_line_has_its_own_output(lines: list[str]) -> None:
    outputs = _out(*lines)
    assert len(outputs) == len(lines)
    assert all(("error" in output) != ("hit" in output) for output in outputs)
    assert all(json.dumps(output) for output in outputs)


@pytest.mark.parametrize(
    "line",
    ["", "{", "[1]", "[" * 100_000, "1" * 5_000, '{"a":"x"}', '{"a":"","b":"x"}', '{"a":"x","b":"\\ud800"}',
     '{"a":[{"role":"assistant","content":"x"}],"b":"x"}', '{"a":"x","b":"y","duplicate":"maybe"}'],
)  # fmt: skip
def test_bad_lines_say_what_is_wrong_and_quote_nothing(line: str) -> None:
    [(output, good)] = explain_lines([line], WordMatcher())
    assert not good
    assert output["error"]["code"] == "invalid_request"
    assert output["error"]["message"]


def test_ids_come_back_also_from_bad_lines() -> None:
    assert [output.get("id") for output in _out('{"id":7,"a":"x","b":"y"}', '{"id":"k","a":1,"b":"y"}')] == [7, "k"]


def test_another_conversation_before_the_question_is_never_compared() -> None:
    line = json.dumps({"a": [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}], "b": "hi"})
    [output] = _out(line)
    assert (output["hit"], output["reasons"]) == (False, ["context"])


def test_equal_questions_are_hits_of_the_exact_tier() -> None:
    verdict = decide(pair_of('{"a":"one  two","b":"one two"}'), WordMatcher())
    assert (verdict.hit, verdict.score, verdict.reasons) == (True, 1.0, ("equal",))


@settings(max_examples=150)
@given(st.text(max_size=60), st.text(max_size=60))
def test_guards_stand_any_text(a: str, b: str) -> None:
    found = differences(facts_of(a), facts_of(b))
    assert set(found.decisive) <= set(found.seen)


def test_the_labelled_set_is_what_its_generator_makes() -> None:
    checked_in = (Path(__file__).parents[2] / "data" / "cache_pairs.jsonl").read_text("utf-8").splitlines()
    assert checked_in == [json.dumps(pair) for pair in pairs()]
    assert len(checked_in) >= 1_000


def test_what_the_encoders_cannot_read_is_matched_exactly_only() -> None:
    for a, b in (
        ("如何重置密码？", "如何删除账户？"),
        ("كيف أحذف حسابي؟", "كيف أعيد كلمة المرور؟"),
        ("😀😀😀", "😀😀"),
    ):
        pair = pair_of(json.dumps({"a": a, "b": b}))
        assert decide(pair, WordMatcher(0.0)).reasons == ("script",)
    assert decide(pair_of(json.dumps({"a": "如何重置密码？", "b": "如何重置密码？"})), WordMatcher()).hit
    assert decide(pair_of(json.dumps({"a": "Wie heißt Ängström?", "b": "Wie heißt er?"})), WordMatcher(0.0)).hit


def test_what_is_too_long_for_the_stage_is_too_long_to_explain() -> None:
    pair = pair_of(json.dumps({"a": "very " * 300 + "long?", "b": "very " * 300 + "long."}))
    assert decide(pair, WordMatcher(0.0)).reasons == ("too_long",)
