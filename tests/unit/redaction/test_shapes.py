"""A rule that says of which shape its findings are is tried on fewer texts, and finds what it would find without."""

import random

import pytest

from forebay_agents.redaction.detection.engine import structured
from forebay_agents.redaction.detection.recognizers.facts import Facts
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer
from loadtest.hostile.fragments import sample

SHAPED = [
    rule
    for recogniser in structured()
    if isinstance(recogniser, RuleRecognizer)
    for rule in recogniser.rules
    if rule.shapes
]
AROUND = ("", " ", "a", "at ", "No. ", ":")


@pytest.mark.parametrize("rule", SHAPED, ids=lambda rule: f"{rule.kind} {rule.shapes[0]}")
def test_whatever_a_pattern_matches_has_one_of_its_shapes(rule: Rule) -> None:
    rng = random.Random(rule.pattern)
    matched = 0
    for _ in range(400):
        text = rng.choice(AROUND) + "".join(sample(rule.pattern, rule.flags, rng)) + rng.choice(("", " ", " on", "."))
        if not text.isascii() or not rule.compiled.search(text):
            continue
        matched += 1
        assert Facts(text=text).shaped(rule.shapes), text
    assert matched > 10


@pytest.mark.parametrize(
    ("text", "shape", "has"),
    [
        ("Unit 4B", "9A", True),
        ("unit 4b", "9A", False),
        ("unit 4B", "9a", True),  # whoever ignores case asks for any letter
        ("a1:b2:3c", "ww:ww:ww", True),
        ("version 1.2", "9.9", True),
        ("at 10. 4 of us", "9.9", False),
        ("héllo", "9.9", True),  # beyond ASCII nothing is said
    ],
)
def test_a_text_has_the_shape_of_what_is_in_it(text: str, shape: str, *, has: bool) -> None:
    assert Facts(text=text).shaped((shape,)) is has
