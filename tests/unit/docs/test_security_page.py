"""A promise on the page for security officers names a test, and the test is there; what it says is kept is all there
is."""

import re
from collections.abc import Iterator

import pytest

from forebay.contract.topics import TOPICS
from forebay.runtime.worker import stage_names
from forebay.state.keys import Common, Hashed, Owned
from tests.unit.docs.pages import ROOT, blocks, every_test, prose

PAGE = ROOT / "docs/explanation/security.md"
TEXT = PAGE.read_text("utf-8")
HEAD = "| promise | how | shown by |"
SECTIONS = {"Where data goes", "Promises", "What is kept, and for how long", "What is out of scope"}
SECTIONS |= {"What is weak today", "Questions that are usually asked"}
ASKED = (
    "sub-processor",
    "in transit",
    "at rest",
    "keys",
    "access",
    "how long",
    "erased",
    "logged",
    "audited",
    "incident",
)
ASKED += ("backup", "made of", "weaknesses", "training")


def section(heading: str) -> str:
    found = re.split(r"^## ", TEXT.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    assert found, f"there is no section {heading}"
    return found


def rows(text: str) -> Iterator[list[str]]:
    """Cells of the rows of all tables in ``text``, without their heads."""
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        for line in table.splitlines()[2:]:
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


PROMISES = list(rows(section("Promises")))


def test_the_sections_are_there() -> None:
    assert set(re.findall(r"^## (.+)$", prose(PAGE), re.MULTILINE)) >= SECTIONS
    assert TEXT.count(HEAD) == 1
    assert len(PROMISES) >= 20
    assert {len(row) for row in PROMISES} == {3}


@pytest.mark.parametrize("row", PROMISES, ids=lambda row: row[0][:60])
def test_each_promise_names_tests_that_are_there_once(row: list[str]) -> None:
    there = every_test()
    named = re.findall(r"`(test_\w+::test_\w+)`", row[-1])
    assert named, f"nothing shows: {row[0]}"
    assert {name: there[name] for name in named} == dict.fromkeys(named, 1)


def test_the_usual_questions_have_an_answer() -> None:
    answered = {row[0].lower(): row[1] for row in rows(section("Questions that are usually asked"))}
    assert all(len(answer) > 20 for answer in answered.values())
    for word in ASKED:
        assert any(word in question for question in answered), word


def test_the_picture_has_all_stages_that_data_goes_through_and_topics_that_there_are() -> None:
    [picture] = blocks("mermaid", pages=[PAGE])
    words = set(re.findall(r"[a-z][\w.]*", picture.text))
    assert set(stage_names()) - {"retry"} <= words
    assert {"requests", "responses", "completions", "usage", "reviews", "dlq"} <= words & TOPICS.keys()


def test_every_topic_and_every_space_in_redis_has_a_period() -> None:
    kept = list(rows(section("What is kept, and for how long")))
    assert TOPICS.keys() <= {row[0].strip("`") for row in kept}
    said = [name for row in kept for name in re.findall(r"`([^`]+)`", row[0]) if name not in TOPICS]
    for space in (*Owned, *Hashed, *Common):
        assert any(f"{space.head}:".startswith(name) for name in said), space.head
    for name in said:
        assert any(f"{space.head}:".startswith(name) for space in (*Owned, *Hashed, *Common)), name
    assert all(row[-1] for row in kept)
