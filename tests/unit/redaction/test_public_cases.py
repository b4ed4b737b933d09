"""Of questions in ten languages, by kind, what is public knowledge stays and what is somebody's goes."""

import re
from collections import Counter
from pathlib import Path

import pytest

from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import Profile, RedactionSettings

FILE = Path(__file__).parents[2] / "data" / "public-cases.txt"
CASES = [
    line.split("|", 2) for line in FILE.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")
]
_MARKED = re.compile(r"\[(?P<stays>[^\]]+)\]|\{(?P<goes>[^}]+)\}")


def _read(marked: str) -> tuple[str, list[tuple[str, int, int]]]:
    """The text without its marks; of what is marked the sort and the place."""
    text, found, at = "", [], 0
    for match in _MARKED.finditer(marked):
        text += marked[at : match.start()]
        sort = str(match.lastgroup)
        found.append((sort, len(text), len(text) + len(match[sort])))
        text += match[sort]
        at = match.end()
    return text + marked[at:], found


def _wrong(detector: Detector, marked: str, profile: Profile) -> list[str]:
    text, places = _read(marked)
    spans = detector.find(Asked(parts=[Part(text=text, said=True)], profile=profile)).spans[0]
    hidden = {at for span in spans for at in range(span.start, span.end)}
    left = {sort: [at in hidden for at in range(low, high) if text[at].isalnum()] for sort, low, high in places}
    return [sort for sort, hid in left.items() if (any(hid) if sort == "stays" else not all(hid))]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(RedactionSettings(profile=Profile.BALANCED))


def test_of_all_19_in_20_are_right_and_of_no_kind_fewer_than_17(detector: Detector) -> None:
    right, every = Counter[str](), Counter[str]()
    for kind, _, marked in CASES:
        every[kind] += 1
        right[kind] += not _wrong(detector, marked, Profile.BALANCED)
    assert {kind: right[kind] / every[kind] for kind in every if right[kind] < 0.85 * every[kind]} == {}
    assert right.total() >= 0.95 * every.total()


def test_what_goes_with_strict_goes_with_balanced(detector: Detector) -> None:
    leaks = [
        marked
        for kind, _, marked in CASES
        if kind.startswith("private")
        and "goes" in _wrong(detector, marked, Profile.BALANCED)
        and "goes" not in _wrong(detector, marked, Profile.STRICT)
    ]
    assert leaks == []
