"""What was asked for and what people paste goes, in many languages and forms; and what only looks like it stays.

The texts are in ``tests/data/asked-and-pasted.txt``, our own, by kind.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import Profile, RedactionSettings

FILE = Path(__file__).parents[2] / "data" / "asked-and-pasted.txt"
LINES = [line.split(" | ", 1) for line in FILE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
SPEAKERS = {"A": "assistant", "U": "user"}
_TURN = re.compile(r" \| (?=[AU]: )")
_MARK = re.compile(r"⟦(?P<goes>[^⟧]+)⟧|⟪(?P<stays>[^⟫]+)⟫")


def unmarked(turn: str) -> tuple[str, list[tuple[int, int, bool]]]:
    """A turn without its marks; start and end of what was marked, and whether it must go."""
    given = turn.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")
    text, marks, position = "", [], 0
    for match in _MARK.finditer(given):
        text += given[position : match.start()]
        value = match["goes"] or match["stays"]
        marks.append((len(text), len(text) + len(value), match["goes"] is not None))
        text, position = text + value, match.end()
    return text + given[position:], marks


def faults(detector: Detector, kind: str, said: str) -> Iterator[str]:
    turns = [(SPEAKERS[turn[0]], *unmarked(turn[3:])) for turn in _TURN.split(said)]
    parts = [Part(text=text, speaker=speaker, said=True) for speaker, text, _ in turns]
    for (_, text, marks), spans in zip(turns, detector.find(Asked(parts=parts)).spans, strict=True):
        hidden = {at for span in spans for at in range(span.start, span.end)}
        shown = [(span.kind, text[span.start : span.end]) for span in spans]
        if kind == "control" and spans:
            yield f"{text!r}: touched {shown}"
        for start, end, goes in marks:
            wrong = [at for at in range(start, end) if text[at].isalnum() and (at in hidden) != goes]
            if wrong:
                yield f"{text!r}: {text[start:end]!r} is wrong, found {shown}"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(RedactionSettings(profile=Profile.STRICT))


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in LINES}))
def test_what_must_goes_and_what_must_stays(detector: Detector, kind: str) -> None:
    wrong = [fault for own, said in LINES if own == kind for fault in faults(detector, kind, said)]
    assert not wrong


def test_there_are_enough_of_them() -> None:
    assert len(LINES) >= 170
    assert sum(kind == "control" for kind, _ in LINES) >= 30
