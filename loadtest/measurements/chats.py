"""How much of what customers answer leaks, by label, when the agents' questions are put in?

For collections of chats that have the customers' turns only, with labels. Before each turn stands a question: one that
asks for what is labelled in it, in varied words, or a harmless one. A conversation is one request, as an application
would send it. Leak: letters and digits of labelled values that are still there, as a share of all; clean turns: those
without a label, and how many of them were touched. By source, so that what was seen of one tells of another.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import Profile, RedactionSettings

QUESTIONS = Path(__file__).parents[2] / "tests" / "data" / "chat-questions.toml"
Turn = Mapping[str, Any]


class Questions:
    """Puts questions.

    Args:
        file: TOML with ``asked``, ``joined``, ``several`` and ``harmless``.
    """

    def __init__(self, file: Path = QUESTIONS) -> None:
        self._given = tomllib.loads(file.read_text("utf-8"))
        self._turn: Counter[str] = Counter()

    def before(self, turn: Turn) -> str:
        """The question before ``turn``; each has its turn."""
        spans = sorted(turn["spans"], key=lambda span: span["start"])
        kinds = list(dict.fromkeys(span["type"] for span in spans))
        if not kinds:
            return self._next("harmless", self._given["harmless"]["questions"])
        if len(kinds) == 1:
            return self._next(kinds[0], self._given["asked"][kinds[0]])
        names = [self._given["joined"][kind] for kind in kinds]
        asked = f"{', '.join(names[:-1])} and {names[-1]}"
        return self._next("several", self._given["several"]["questions"]).replace("{}", asked)

    def _next(self, sort: str, questions: Sequence[str]) -> str:
        self._turn[sort] += 1
        return questions[self._turn[sort] % len(questions)]


def report(file: Path, limit: int, every: int = 1) -> dict[str, Any]:
    """Figures of the conversations of ``file`` (JSON lines with ``source`` and ``turns``).

    Args:
        limit: conversations that are read, at most.
        every: of so many one is read.
    """
    detector = Detector(RedactionSettings(profile=Profile.STRICT))
    questions = Questions()
    left: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    lines = [line for line in file.read_text("utf-8").splitlines() if line.strip()][::every][:limit]
    for conversation in map(json.loads, lines):
        source = conversation["source"]
        parts: list[Part] = []
        for turn in conversation["turns"]:
            parts += (
                Part(text=questions.before(turn), speaker="assistant", said=True),
                Part(text=turn["text"], speaker="user", said=True),
            )
        found = detector.find(Asked(parts=parts)).spans[1::2]
        for turn, spans in zip(conversation["turns"], found, strict=True):
            if not turn["spans"]:
                total[source, "clean"] += 1
                left[source, "clean"] += bool(spans)
            hidden = {at for span in spans for at in range(span.start, span.end)}
            for one in turn["spans"]:
                at = [place for place in range(one["start"], one["end"]) if turn["text"][place].isalnum()]
                total[source, one["type"]] += len(at)
                left[source, one["type"]] += len([place for place in at if place not in hidden])
    return {"conversations": len(lines), "all": _shares(left, total, None)} | {
        source: _shares(left, total, source) for source in sorted({source for source, _ in total})
    }


def _shares(left: Counter[tuple[str, str]], total: Counter[tuple[str, str]], source: str | None) -> dict[str, float]:
    """Per cent by label; of ``clean`` how many were touched."""
    kinds = sorted({kind for one, kind in total if source in (None, one)})
    return {kind: round(100 * _sum(left, kind, source) / max(1, _sum(total, kind, source)), 2) for kind in kinds}


def _sum(counts: Counter[tuple[str, str]], kind: str, source: str | None) -> int:
    return sum(count for (one, name), count in counts.items() if name == kind and source in (None, one))
