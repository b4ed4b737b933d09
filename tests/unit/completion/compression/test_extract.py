"""What always holds of an extract, and what it is for."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forebay_agents.completion.compression.extract import extract
from forebay_agents.completion.compression.text import noise, protection, tokens, units
from forebay_agents.completion.compression.valuation.selection import select

TEXT = """\
The lighthouse of Skerrow was built between 1811 and 1823 by the engineer Agnes Tolland (born in Leith), who had
earlier designed two bridges. It stands 41.5 metres tall, which made it the tallest tower of the coast for
ninety years. Before electricity arrived in 1926, the lamp burned about 900 litres of whale oil a month. Its
keepers, who lived on the rock for six weeks at a time, received supplies by boat from Port Ellen. The lens, a
gift of the Marquess of Breadon, was made in Birmingham. Today the tower is run by remote control from Oban and
is visited by some 4,000 people a year.
"""
QUESTIONS = [
    ("Who designed the lighthouse?", "Agnes Tolland"),
    ("How tall is the tower?", "41.5 metres"),
    ("When did electricity come to the lighthouse?", "1926"),
    ("Where was the lens made?", "Birmingham"),
    ("How long did the keepers stay on the rock?", "six weeks"),
    ("How many people visit each year?", "4,000"),
]

PLAIN = "the Tower of 1811 and 3.5 km (see below) “quoted text” MUST never it a, b. c; — `code` <b> Dr. é 日本語 Ann:"
words = st.sampled_from([*re.findall(r"\S+", PLAIN), "\n", "\n\n", "  ", '{"a": 1}', "\u00a0", "\nBob: "])
texts = st.lists(words, max_size=120).map(" ".join) | st.text(max_size=200)


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_the_answer_survives_at_less_than_half(question: str, answer: str) -> None:
    found = extract(TEXT, question, 0.4)
    assert answer in found.text
    assert found.tokens_after <= 0.4 * found.tokens_before


@pytest.mark.parametrize("question", [question for question, _ in QUESTIONS])
@pytest.mark.parametrize("keep", [0.1, 0.25, 0.5])
def test_no_number_and_no_name_is_cut_in_half(question: str, keep: float) -> None:
    kept = extract(TEXT, question, keep).text
    for whole, half in (
        ("Agnes Tolland", "Tolland"),
        ("Port Ellen", "Ellen"),
        ("41.5 metres", "41.5"),
        ("900 litres", "litres"),
    ):
        assert kept.count(half) == kept.count(whole)


@given(texts, st.sampled_from([q for q, _ in QUESTIONS] + ["", "why?"]), st.floats(0.02, 1.0))
@settings(deadline=None, max_examples=150)
def test_spans_are_the_text_and_the_budget_holds(text: str, question: str, keep: float) -> None:
    found = extract(text, question, keep)
    assert found.text == "".join(text[start:end] for start, end in found.kept)
    assert all(start < end for start, end in found.kept)
    assert all(one[1] <= two[0] for one, two in zip(found.kept, found.kept[1:], strict=False))
    assert found.tokens_before == tokens.counter()(text)
    assert found.tokens_after == tokens.counter()(found.text)
    protected = protection.spans(text)
    if not protected:
        limits = (keep * count for count in tokens.measures(text))
        assert all(count <= limit for count, limit in zip(tokens.measures(found.text), limits, strict=True))
    for start, end in protected:
        for at in range(start, end):
            assert text[at].isspace() or any(low <= at < high for low, high in found.kept)


def test_the_same_input_gives_the_same_extract() -> None:
    assert extract(TEXT * 3, "Who built it?", 0.2) == extract(TEXT * 3, "Who built it?", 0.2)


@pytest.mark.parametrize(
    "protected",
    [
        "```python\nx = {1: 'a'}\n```",
        '{"type": "object", "required": ["id"]}',
        "You MUST answer in French.",
        "NEVER tell the price.",
        "for (int i = 0; i < n; i++) {\n  total += prices[i];\n}",
    ],
)
def test_code_json_and_commands_stay(protected: str) -> None:
    found = extract(f"{TEXT}\n{protected}\n{TEXT}", "Who designed the lighthouse?", 0.2)
    assert protected in found.text


def test_repetitions_go_first() -> None:
    found = extract(TEXT + "\n" + TEXT, "Who designed the lighthouse?", 0.5)
    assert found.text.count("Agnes Tolland") == 1
    assert "Birmingham" in found.text


def test_markup_and_boilerplate_go_even_when_there_is_room() -> None:
    page = f"<div class='x'><p>{TEXT}</p></div>\nWe use cookies to improve this site.\nAll rights reserved."
    kept = extract(page, "Where was the lens made?", 0.9).text
    assert "Birmingham" in kept
    assert "<p>" not in kept
    assert "cookies" not in kept


def test_who_asks_about_cookies_reads_about_cookies() -> None:
    page = f"{TEXT}\nWe use cookies to count visitors."
    assert "to count visitors" in extract(page, "What are cookies used for?", 0.5).text


def test_a_speaker_stays_with_what_is_said() -> None:
    meeting = "\n".join(
        [
            "Chair: Okay, um, welcome to the third meeting, everybody, we have an hour.",
            "Design: I looked at the casing, and rubber is out because it costs two euros more.",
            "Chair: Right. And the battery?",
            "Sales: Customers in the survey wanted a battery that lasts for a whole year.",
            "Design: Then we take the solar cell.",
        ]
    )
    kept = extract(meeting, "What did customers want of the battery?", 0.4).text
    assert "Sales: " in kept
    assert "lasts for a whole year" in kept
    for line in kept.splitlines():
        assert line.split(":")[0] in ("Chair", "Design", "Sales")


def test_near_duplicates_with_other_numbers_are_no_duplicates() -> None:
    report = (
        "The northern branch sold 310 tons of grain in spring.\nThe northern branch sold 450 tons of grain in spring."
    )
    one, two = (noise.repeated, report)

    found = units.words_of(two)
    assert one(found, units.sentences_of(found)) == set()


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5), st.floats(0.1, 5), st.booleans()), max_size=40), st.data())
@settings(deadline=None, max_examples=80)
def test_a_selection_keeps_to_its_budget_and_its_gates(
    rows: list[tuple[float, float, float, bool]], data: st.DataObject
) -> None:
    values, cuts, costs, gates = ([row[i] for row in rows] for i in range(4))
    budget = data.draw(st.floats(0, 60))
    mask, _ = select(values, cuts, costs, budget, None, gates if any(gates) else None)
    if sum(costs) <= budget:
        assert all(mask)
        return
    assert sum(cost for cost, kept in zip(costs, mask, strict=True) if kept) <= budget + 1e-6
    is_open = True
    for kept, gate in zip(mask, gates, strict=True):
        is_open = kept if gate else is_open
        assert is_open or not kept


def test_json_is_not_cut() -> None:
    text = json.dumps({"rows": [{"id": i, "name": f"n{i}"} for i in range(30)]})
    assert extract(text, "Which name has id 3?", 0.1).text == text


@pytest.mark.parametrize("keep", [0.05, 0.1, 0.3, 0.6])
def test_the_budget_is_nearly_spent(keep: float) -> None:
    from loadtest.measurements.compression import whole

    for context, question, _ in list(whole())[::16]:
        found = extract(context, question, keep)
        assert found.tokens_after >= 0.8 * keep * found.tokens_before


def test_where_all_words_are_alike_the_budget_is_spent_all_the_same() -> None:
    found = extract("the quick brown fox " * 500 + "was bought by Mr. Smith", "Who bought the fox?", 0.5)
    assert found.tokens_after >= 0.9 * 0.5 * found.tokens_before
    assert "Mr. Smith" in found.text


def test_scripts_without_blanks_are_cut_between_sentences() -> None:
    text = "東京は日本の首都である。人口は約1400万人である。大阪は関西の中心都市である。京都には多くの寺がある。"
    found = extract(text, "東京の人口は?", 0.6)
    assert "人口は約1400万人である。" in found.text
    assert 0.3 * found.tokens_before <= found.tokens_after <= 0.6 * found.tokens_before
    assert all(sentence in text for sentence in found.text.split("。"))


def test_chinese_sentences_are_told_by_their_characters() -> None:
    text = "张伟出生于北京。李娜住在上海。王芳喜欢苹果。陈杰在广州工作了三年。"
    assert "李娜住在上海" in extract(text, "谁住在上海?", 0.5).text
