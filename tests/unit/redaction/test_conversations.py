"""What was asked for decides what a bare value is; and bare values that answer harmless questions stay.

The conversations are in ``tests/data/conversations.txt``, our own, by kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import Profile, RedactionSettings
from tests.data.kinds import unmarked

FILE = Path(__file__).parents[2] / "data" / "conversations.txt"
SPEAKERS = {"A": "assistant", "U": "user", "S": "system"}


@dataclass(frozen=True, kw_only=True)
class Case:
    kind: str
    turns: tuple[tuple[str, str], ...]


def cases() -> Iterator[Case]:
    for line in FILE.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, *turns = line.split(" | ")
            said = tuple((SPEAKERS[turn[0]], turn[3:].replace("⏎", "\n")) for turn in turns)
            yield Case(kind=kind, turns=said)


CASES = list(cases())


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(RedactionSettings(profile=Profile.STRICT))


def faults(detector: Detector, case: Case) -> Iterator[str]:
    rows = [unmarked(text.replace("⟦", "⟦V:"), "turn") for _, text in case.turns]
    parts = [
        Part(text=row.text, speaker=speaker, said=True) for row, (speaker, _) in zip(rows, case.turns, strict=True)
    ]
    for part, row, spans in zip(parts, rows, detector.find(Asked(parts=parts)).spans, strict=True):
        hidden = {at for span in spans for at in range(span.start, span.end)}
        shown = [(span.kind, row.text[span.start : span.end]) for span in spans]
        if case.kind == "control" and spans and part.speaker == "user":
            yield f"{row.text!r}: touched {shown}"
        for start, end, _ in row.spans:
            left = [row.text[at] for at in range(start, end) if row.text[at].isalnum() and at not in hidden]
            if left:
                yield f"{row.text!r}: left of {row.text[start:end]!r}: {''.join(left)!r}"


@pytest.mark.parametrize("kind", sorted({case.kind for case in CASES}))
def test_what_was_asked_for_goes_and_all_else_stays(detector: Detector, kind: str) -> None:
    wrong = [fault for case in CASES if case.kind == kind for fault in faults(detector, case)]
    assert not wrong


def test_there_is_something_to_find_in_each_but_the_controls() -> None:
    marked = {case.kind for case in CASES if any("⟦" in text for _, text in case.turns)}
    unmarked_ones = {case.kind for case in CASES if not any("⟦" in text for _, text in case.turns)}
    assert unmarked_ones == {"control"}
    assert "control" not in marked
