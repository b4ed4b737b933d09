"""No text that we can breed takes the square of its length; and the breeder would find one that does."""

import random
import re
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace

import pytest

from forebay_agents.redaction.detection.recognizers.rules import Rule
from loadtest.hostile.fragments import Recipe, sample
from loadtest.hostile.hunting import bred, grows, hunt
from loadtest.hostile.patterns import Sown, patterns_in
from loadtest.hostile.readers import Reader, readers

LINEAR = 9.0
"""Four times the text may take four times as long, 16 times is its square: between the two, with room for what a busy
machine adds."""
LENGTH = 3_000
"""Characters of the shorter text: beyond what a pattern with a bound reads ahead, 2,000."""


@pytest.fixture(scope="module")
def everyone() -> list[Reader]:
    return readers()


def test_texts_bred_for_every_pattern_are_read_in_linear_time(everyone: list[Reader]) -> None:
    squared = [
        (reader.name, one, ratio)
        for reader in everyone
        for one in bred(reader, random.Random(reader.name), 1)
        if (ratio := grows(reader.read, one, LENGTH)) > LINEAR
    ]
    assert squared == []


@pytest.mark.parametrize(
    "unit",
    ["sftp://", "wss://a", "://a:", "31.12.", "3/4/", "5500 ", "5500 0000 ", "+49 1", "a@b.", "'a@", "12:", "::", "0x1",
     "&#49;", "%31", "\\u0031", "zwei ", "one two ", "Ann ", "Ann: ", "\t", " \n", "name\t", '"name":', "passport ",
     "e\u0301", "\u0301\u0327", "<PERSON", "{{", "bc1q", "GB82 WEST ", "YWJjZGVmZ2hpamts ", "ik leefs te Ća''"],
)  # fmt: skip
def test_what_nearly_is_something_over_and_over_is_read_in_linear_time(everyone: list[Reader], unit: str) -> None:
    chosen = [one for one in everyone if one.name in {"detection", "normalised", "cues", "guard with originals"}]
    assert len(chosen) == 4
    for reader in chosen:
        assert grows(reader.read, Recipe(unit=unit, end="!"), LENGTH) <= LINEAR, reader.name


@pytest.mark.parametrize("blank", ["\t", "\r", "\f", "\v", "\n"])
def test_an_answer_with_any_blanks_between_its_words_is_read_in_linear_time(everyone: list[Reader], blank: str) -> None:
    restorer = next(one for one in everyone if one.name == "restorer True")
    assert grows(restorer.read, Recipe(start="<EMAIL_ADDRESS_1>", unit=f"<{blank}", end="://"), 25_000) <= LINEAR


def test_no_recogniser_and_no_pattern_of_the_guard_is_left_out(everyone: list[Reader]) -> None:
    named = {one.name: {sown.pattern for sown in one.sown} for one in everyone}
    assert all(named.values())
    assert {"detection", "guard", "restorer False", "reserved tags"} < set(named)
    assert sum(name.startswith("recogniser ") for name in named) > 15
    assert sum(map(len, named.values())) > 400


def _reader(pattern: str, flags: int = 0) -> Reader:
    compiled = re.compile(pattern, flags)
    return Reader(name="planted", read=compiled.findall, sown=patterns_in([[compiled]]))


@pytest.mark.parametrize(
    "pattern",
    [
        r"[a-z][a-z0-9+.\-]*://\S",  # any letter may begin it, and it is read to the end of the word
        r"\s+$",
        r"<[^>]*>x",
        r"(?:\d{1,2}[./])+\d{4}\b",
    ],
)
def test_the_breeder_finds_a_pattern_that_takes_the_square(pattern: str) -> None:
    reader = _reader(pattern)
    assert any(grows(reader.read, one, 1_500) > LINEAR for one in bred(reader, random.Random(7), 30))


def test_a_hunt_goes_on_from_what_was_slow() -> None:
    reader = Reader(name="counts", read=lambda text: sum(map(ord, text)), sown=[Sown(pattern="ab")])
    found = hunt(reader, random.Random(1), length=400, each=10, rounds=2)
    assert len(found) == 12 + 6 * 4  # the slowest of two rounds, and four of each of six of them
    assert [slow.us for slow in found] == sorted((slow.us for slow in found), reverse=True)


def _clock(costs: Iterator[float]) -> Callable[[], float]:
    """Tells the time that the costs so far make up: two looks for each, before and behind."""
    now, begun = 0.0, False

    def cpu() -> float:
        nonlocal now, begun
        if begun:
            now += next(costs)
        begun = not begun
        return now

    return cpu


@pytest.mark.parametrize(
    ("costs", "ratio"),
    [
        ([0.01, 0.04], 4.0),
        ([0.01, 0.16, 0.01, 0.16, 0.01, 0.16], 16.0),
        ([0.01, 0.16, 0.01, 0.04], 4.0),  # something else slowed the first try down
        ([0.000_1, 0.001_6], 0.0),  # too little to be told from noise
    ],
)
def test_growth_is_of_the_least_of_some_tries(costs: list[float], ratio: float) -> None:
    seen: list[int] = []
    cpu = _clock(iter(costs))
    found = grows(lambda text: seen.append(len(text)), Recipe(unit="ab"), 1_000, cpu=cpu)
    assert found == pytest.approx(ratio, rel=0.01)
    assert seen == [1_000, 4_000] * (len(costs) // 2)


def test_a_recipe_makes_a_text_of_any_length() -> None:
    one = Recipe(start="<", unit="ab ", end="!")
    assert one.text(11) == "<ab ab ab !"
    assert one.text(1) == "<ab !"


@pytest.mark.parametrize(
    "pattern", [r"(?:ab|cd){2,3}[x-z]\d?", r"[^a]\w+?\.(?P<q>['\"])a*(?P=q)", r"(?i)iban:\s*[A-Z]{2}\d{2}", r"a++b"]
)
def test_samples_are_what_a_pattern_matches(pattern: str) -> None:
    rng = random.Random(3)
    for _ in range(50):
        text = "".join(sample(pattern, 0, rng))
        assert re.fullmatch(pattern, text), text


def test_patterns_are_found_wherever_a_module_holds_them() -> None:
    module = ModuleType("planted")
    rule = Rule(kind="K", pattern=r"a\d", context=r"\bacct", hints=("acct",))
    module.__dict__.update(
        ONE=re.compile("one"),
        SOME={"k": [re.compile("two", re.IGNORECASE)]},
        RULES=(rule, rule),
        other=re,
        TEXT="three",
    )
    assert set(patterns_in([module])) == {
        Sown(pattern="one"),
        Sown(pattern="two", flags=re.IGNORECASE),
        Sown(pattern=r"a\d", flags=re.IGNORECASE, hints=("acct",)),
        Sown(pattern=r"\bacct", hints=("acct",)),
    }
    assert patterns_in([SimpleNamespace(pattern=re.compile("not ours"))]) == []
