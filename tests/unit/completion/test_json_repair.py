"""What models get wrong about JSON is put right without another call, and nothing is made up."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay_agents.completion.json_repair import repaired
from forebay_agents.completion.trace import Trace
from tests.unit.completion.fakes import Provider, Written, asked, cascade_of, good, tier

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), VALUES, min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('Here it is, as in [1]:\n\n{"a": [1, 2]}\n\nAnything else?', {"a": [1, 2]}),
        ('Sure!\n```\n[{"a": 1}]\n```\nDone.', [{"a": 1}]),
        ('{"a": 1, "b": [1, 2,],}', {"a": 1, "b": [1, 2]}),
        ("{'a': 'it\\'s', b: True, c: None}", {"a": "it's", "b": True, "c": None}),
        ('{"a": "x" "b": {"c": 1} "d": 2}', {"a": "x", "b": {"c": 1}, "d": 2}),
        ('{"a": 1, // the first\n "b": 2 /* the last */}', {"a": 1, "b": 2}),
        ('{"a": "line one\nline two"}', {"a": "line one\nline two"}),
        ("{'a': 'say \"yes\"'}", {"a": 'say "yes"'}),
        ("{“a”: “b”}", {"a": "b"}),
        ('{"price": 007, "b": "C:\\Users"}', {"price": 7, "b": "C:Users"}),
        # cut off
        ('{"answer": "Paris', {"answer": "Paris"}),
        ('{"a": [1, {"b": "x"', {"a": [1, {"b": "x"}]}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": 1, "b":', {"a": 1}),
        ('{"a": 1, "b": 12', {"a": 1}),
        ('{"a": 1, "b": fal', {"a": 1}),
        ('{"a": "caf\\u00', {"a": "caf"}),
    ],
)
def test_it_reads_what_was_meant(text: str, value: Any) -> None:
    found = repaired(text)
    assert found is not None
    assert json.loads(found) == value


@pytest.mark.parametrize(
    "text", ["", "no", "42", '"text"', "{a b c}", "{1: 2}", "[NaN]", "{", '{"a": ', "{" * 500, "{}" * 150_000]
)
def test_what_cannot_be_read_is_not_guessed(text: str) -> None:
    assert repaired(text) is None


@given(OBJECTS)
def test_what_is_right_stays_as_it_is(value: dict[str, Any]) -> None:
    assert json.loads(repaired(json.dumps(value)) or "") == value
    assert json.loads(repaired(f"Of course:\n```json\n{json.dumps(value, indent=1)}\n```") or "") == value


@given(OBJECTS, st.data())
def test_of_a_cut_off_object_nothing_is_made_up(value: dict[str, Any], data: st.DataObject) -> None:
    text, names = json.dumps(value, ensure_ascii=False), list(value)
    place = data.draw(st.integers(1, len(text) - 1))
    whole = sum(
        len(json.dumps({name: value[name] for name in names[:n]}, ensure_ascii=False)) <= place
        for n in range(1, len(names) + 1)
    )
    left = json.loads(repaired(text[:place]) or "{}")
    # Members that are whole are there as they were, and of the one that was cut at most its beginning.
    assert list(left) == names[: len(left)]
    assert whole <= len(left) <= whole + 1
    assert [left[name] for name in names[:whole]] == [value[name] for name in names[:whole]]


@given(st.text(alphabet="{}[]\"',:\\ab1 -.eu\n/*`", max_size=60))
def test_nothing_breaks_it(text: str) -> None:
    found = repaired(text)
    assert found is None or isinstance(json.loads(found), dict | list)


WANTED = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FORMAT = json.dumps({"type": "json_schema", "json_schema": {"name": "s", "schema": WANTED}})
TIERS = (tier("small", accept=0.6), tier("large", accept=0.5))


async def run(small: str, large: str = '{"city": "Paris"}'):  # type: ignore[no-untyped-def]
    trace = Trace()
    cascade = cascade_of(Provider({"small": good(small), "large": good(large)}), TIERS)
    served = await cascade.run(asked(response_format=FORMAT), trace, Written(), cheapest=False)
    return served, [attempt.outcome for attempt in trace.attempts]


async def test_an_answer_that_can_be_repaired_saves_the_dearer_call() -> None:
    served, outcomes = await run('```json\n{"city": "Paris",}\n```')
    assert (served.tier, json.loads(served.answer.content), outcomes) == ("small", {"city": "Paris"}, ["repaired"])


@pytest.mark.parametrize("useless", ['{"town": "Paris",}', "Paris", '{"city":'])
async def test_what_does_not_fit_the_schema_even_so_is_escalated(useless: str) -> None:
    served, outcomes = await run(useless)
    assert (served.tier, outcomes) == ("large", ["escalated", "ok"])


async def test_what_is_valid_is_served_letter_by_letter() -> None:
    served, outcomes = await run('{ "city" : "Paris" }')
    assert (served.answer.content, outcomes) == ('{ "city" : "Paris" }', ["ok"])
