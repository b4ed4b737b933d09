"""Reads ``kinds.txt``: texts of kinds that no training corpus has, labelled by hand."""

import re
from pathlib import Path

from forebay_agents.redaction.offline.scoring import Labelled

_KINDS = Path(__file__).parent / "kinds.txt"
_MARK = re.compile(r"⟦(?P<type>[A-Z_]+):(?P<value>[^⟧]+)⟧")


def texts(path: Path = _KINDS) -> list[Labelled]:
    """All texts with their spans; ``source`` is the kind."""
    found: list[Labelled] = []
    kind = ""
    for line in path.read_text("utf-8").splitlines():
        if re.fullmatch(r"\[[a-z]+\]", line):
            kind = line[1:-1]
        elif line and not line.startswith("# "):
            found.append(unmarked(line.replace("\\n", "\n"), kind))
    return found


def unmarked(line: str, kind: str) -> Labelled:
    """``line`` without its marks, and what they marked."""
    pieces: list[str] = []
    spans: list[tuple[int, int, str]] = []
    position = length = 0
    for match in _MARK.finditer(line):
        before = line[position : match.start()]
        start = length + len(before)
        length = start + len(match["value"])
        spans.append((start, length, match["type"]))
        pieces += (before, match["value"])
        position = match.end()
    pieces.append(line[position:])
    return Labelled(text="".join(pieces), spans=tuple(spans), source=kind)
