"""A long text is read in pieces, finds what it found before, and fails closed when it takes too long."""

import random
import re

import pytest

from forebay.contract.failures import Permanent
from forebay_agents.redaction.detection.detector import Asked, Detector, Found
from forebay_agents.redaction.detection.pace import LEAST, LONG, TOO_SLOW, Budget, breathe, budget_of
from forebay_agents.redaction.detection.recognizers.grouping import fewest
from forebay_agents.redaction.detection.recognizers.nearby import Places, words
from forebay_agents.redaction.detection.windows import OVERLAP, SIZE, first, matches
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import RedactionSettings

WORDS = "the order was packed and sent on the same day as promised by our store "


def _asked(text: str) -> Asked:
    return Asked(parts=[Part(text=text)])


@pytest.fixture(scope="module")
def patient() -> Detector:
    """A detector that has time."""
    return Detector(RedactionSettings(names="none"))


@pytest.fixture(scope="module")
def hurried() -> Detector:
    """A detector whose long texts have no time at all."""
    return Detector(RedactionSettings(names="none", timeout_s=1e-9))


# -- pieces


@pytest.mark.parametrize(
    "pattern",
    [r"ab*a", r"(?=a)", r"\bab", r"(?<=a)b+", r"a{1,4}(?!b)", r"^a", r"a$", r"(?:)", r"(?:ab)+\s", r"a.{0,9}b"],
)
def test_pieces_find_what_one_search_finds(pattern: str) -> None:
    rng = random.Random(pattern)
    compiled = re.compile(pattern)
    for _ in range(1_000):
        text = "".join(rng.choice("aab \n") for _ in range(rng.randint(0, 80)))
        low = rng.randint(0, len(text))
        high = rng.randint(low, len(text))
        whole = [match.span() for match in compiled.finditer(text, low, high)]
        if any(end - start > 18 for start, end in whole):
            continue  # what is longer than the overlap may be cut
        assert [match.span() for match in matches(compiled, text, low, high, size=7, overlap=20)] == whole
        found = first(compiled, text, low, high, size=7)
        assert (found and found.span()) == (whole[0] if whole else None)


class _Searched:
    """A pattern that keeps how much it was given at once."""

    def __init__(self) -> None:
        self.most = 0

    def finditer(self, text: str, low: int, high: int) -> list[re.Match[str]]:
        self.most = max(self.most, high - low)
        return []


def test_nobody_waits_longer_than_a_piece_takes() -> None:
    pattern = _Searched()
    assert list(matches(pattern, "x" * 1_000_000)) == []  # type: ignore[arg-type]  # a pattern cannot be derived from
    assert SIZE <= pattern.most <= SIZE + OVERLAP + 1


@pytest.mark.parametrize("value", ["ann.lee@example.com", "+1 212 555 0187", "4111 1111 1111 1111", "078-05-1120"])
def test_what_lies_across_a_seam_is_found(patient: Detector, value: str) -> None:
    filler = WORDS * (1 + SIZE // len(WORDS))
    for before in range(0, len(value) + 1, 8):
        head = filler[: SIZE - before - 5] + " SSN "
        text = f"{head}{value} {filler}"
        spans = patient.text(text)
        assert any(s.start <= len(head) and len(head) + len(value) <= s.end for s in spans), before


# -- the budget


def test_a_budget_is_spent_in_parts() -> None:
    budget = Budget(10.0)
    for _ in range(2):
        left = budget.left
        with budget.spending():
            sum(range(100_000))
            breathe()
        assert budget.left < left


def test_what_is_used_up_stays_used_up_and_only_for_whom_it_was() -> None:
    used, other = Budget(0.0), Budget(10.0)
    with other.spending():
        with pytest.raises(Permanent) as raised, used.spending():
            breathe()
        breathe()
    breathe()
    assert raised.value.code == TOO_SLOW
    with pytest.raises(Permanent), used.spending():
        breathe()


def test_a_budget_grows_with_the_text_up_to_the_time_after_which_nobody_waits() -> None:
    assert budget_of(10_000, 0.0005, 180.0).seconds == pytest.approx(LEAST + 5.0)
    assert budget_of(2_000_000, 0.0005, 180.0).seconds == 180.0


def test_a_text_that_takes_too_long_fails_closed_and_no_other(hurried: Detector) -> None:
    long, short = WORDS * (1 + LONG // len(WORDS)), "Write to ann.lee@example.com."
    failed, found = hurried.find_all([_asked(long), _asked(short)])
    assert isinstance(failed, Permanent)
    assert failed.code == TOO_SLOW
    assert "ann" not in failed.message
    assert isinstance(found, Found)
    assert [span.kind for span in found.spans[0]] == ["EMAIL_ADDRESS"]
    with pytest.raises(Permanent):
        hurried.find(_asked(long))


# -- what makes patterns linear, and must not change what they find


@pytest.mark.parametrize(("least", "most"), [(1, 2), (1, 4), (1, 6), (2, 3), (2, 4), (2, 5)])
def test_digits_are_cut_into_the_fewest_groups(least: int, most: int) -> None:
    rng = random.Random(most)
    for _ in range(4_000):
        text = "".join(rng.choice(("1", "1", "1", " ", "-")) for _ in range(rng.randint(1, 16)))
        for groups in (2, 3, 5):
            naive = re.fullmatch(rf"(?:[ -]?\d{{{least},{most}}}){{1,{groups}}}", text)
            assert bool(re.fullmatch(rf"(?:[ -]?{fewest(least, most)}){{1,{groups}}}", text)) == bool(naive), text


@pytest.mark.parametrize("alternatives", [r"\bab|\bb\b|a b", r"ab|b", r"\ba(?:b|c)\b|\b[|a]b|x\|y", r"\bssn|\bid\b"])
def test_words_are_near_whether_asked_once_or_often(alternatives: str) -> None:
    rng = random.Random(alternatives)
    plain, compiled = re.compile(rf"(?:{alternatives})"), words(alternatives)
    for _ in range(200):
        text = "".join(rng.choice(("a", "b", " ", "ab", "ssn", "id", "|", "x|y", "_", "1")) for _ in range(60))
        seldom, often = Places(compiled, text + " " * 10_000), Places(compiled, text)
        for _ in range(20):
            low = rng.randint(0, len(text))
            high = rng.randint(low, min(len(text), low + 30))
            expected = {match.end() for match in plain.finditer(text, low, high)}
            assert set(often.ends(low, high)) == expected
            assert set(seldom.ends(low, high)) == expected
