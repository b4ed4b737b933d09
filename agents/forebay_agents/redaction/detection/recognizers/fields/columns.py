"""What is in a cell? What the head of its column says, in tables of text (CSV, TSV, Markdown) and in SQL's INSERT.

Neither a form nor a sentence tells that "W355-2018-1147" is a licence or "Am Bichl 3a" an address: the head of the
column does. Read are only texts in which two lines in a row have the same delimiter, or with "insert into"; any other
text costs two searches.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from presidio_analyzer import RecognizerResult

from forebay_agents.redaction.detection.recognizers.facts import Facts
from forebay_agents.redaction.detection.recognizers.fields.headers import PERSONAL, fields, plausible
from forebay_agents.redaction.detection.recognizers.rules import RuleRecognizer

_SCORE, _NAME_SCORE = 0.85, 0.65
"""A name's is below what hides a finding from the names model: it reads the names around it better with it."""
_DELIMITERS = ("\t", "|", ";", ",")
_BLANKS = "  "
"""What divides columns that are set out with blanks."""
_PIECE = re.compile(r"\S+(?: \S+)*")
_MOST = 64
"""Columns of a table that is read, at most."""
_RULE = re.compile(r"[\s|:\-+=]*")
"""The line below the heads of a Markdown table."""
_INSERT = re.compile(
    r"insert\s{1,8}into\s{1,8}[\w.\"`\[\]]{1,120}\s{0,8}\(([^()]{1,4000})\)\s{0,8}values\s{0,8}(?=\()", re.IGNORECASE
)
_VALUE = re.compile(r"'((?:[^'\\]|''|\\.){0,2000})'|\"([^\"]{0,2000})\"|([^\s,()'\"][^,()'\"]{0,200})|([(),])")
_QUOTES = "\"'`*_ \t"

Cell = tuple[int, int]


class Columns(RuleRecognizer):
    """Recogniser of cells by the heads of their columns."""

    def __init__(self) -> None:
        super().__init__("columns", [])
        self.supported_entities = sorted(
            PERSONAL | {"US_SSN", "NATIONAL_ID", "US_BANK_NUMBER", "IBAN_CODE", "CREDIT_CARD", "US_DRIVER_LICENSE",
                        "LICENSE_PLATE", "VIN", "US_PASSPORT", "MEDICAL_RECORD", "ACCOUNT_ID", "IP_ADDRESS", "USERNAME"}
        )  # fmt: skip

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio. ``nlp_artifacts`` may carry the text's facts."""
        facts = getattr(nlp_artifacts, "facts", None)
        if facts is None or facts.text != text:
            facts = Facts(text=text)
        found: list[RecognizerResult] = []
        if "\n" in text and (any(delimiter in text for delimiter in _DELIMITERS) or _BLANKS in text):
            for heads, cells in _rows(text):
                self._read(text, heads, cells, found)
        if "insert" in facts.low:
            for match in _INSERT.finditer(text):
                if kinds := fields([name.strip(_QUOTES + "[]") for name in match[1].split(",")]):
                    for cells in _tuples(text, match.end()):
                        if len(cells) == len(kinds):
                            self._read(text, kinds, cells, found)
        return found

    def _read(
        self, text: str, kinds: Sequence[str | None], cells: Sequence[Cell], found: list[RecognizerResult]
    ) -> None:
        for kind, (start, end) in zip(kinds, cells, strict=False):
            if kind and plausible(kind, text[start:end]):
                found.append(self.result(kind, start, end, _NAME_SCORE if kind == "PERSON" else _SCORE))


def _rows(text: str) -> Iterator[tuple[Sequence[str | None], list[Cell]]]:
    """The rows of every table, with the kinds of its columns."""
    lines = _lines(text)
    at = 0
    while at + 1 < len(lines):
        head = lines[at]
        at += 1
        if head[0] == head[1]:
            continue
        below = at
        if at + 1 < len(lines) and text[lines[at][0] : lines[at][0] + 1] in _EDGES and _ruled(text, lines[at]):
            below += 1  # "---+---" below the heads
        delimiter = _delimiter(text, head, lines[below])
        if not delimiter:
            continue
        heads = _cells(text, *head, delimiter)
        kinds = fields([text[low:high] for low, high in heads]) if 2 <= len(heads) <= _MOST else None
        if not kinds or (delimiter == _BLANKS and below == at and kinds.count(None) > (len(kinds) > 2)):
            continue  # a form in two columns, "Name   Ann   Town   Hull", has as many values as labels
        while at < len(lines):
            ruled = _ruled(text, lines[at])
            if not ruled and delimiter not in text[slice(*lines[at])]:
                break
            cells = () if ruled else _cells(text, *lines[at], delimiter)
            at += 1
            if len(cells) == len(kinds):
                yield kinds, list(cells)
            elif delimiter == _BLANKS and 1 < len(cells) < len(kinds):
                yield kinds, _below(heads, cells, head[0], lines[at - 1][0])


_EDGES = tuple("|+:-= ")


def _ruled(text: str, line: Cell) -> bool:
    return line[0] < line[1] and _RULE.fullmatch(text, *line) is not None


def _below(heads: Sequence[Cell], cells: Sequence[Cell], head: int, row: int) -> list[Cell]:
    """The cells of a row with empty ones, by the head that each begins below; an empty cell where none does."""
    found = []
    for start, _ in heads:
        own = [cell for cell in cells if abs((cell[0] - row) - (start - head)) <= 1]
        found.append(own[0] if own else (row, row))
    return found


def _lines(text: str) -> list[Cell]:
    found, at = [], 0
    for line in text.split("\n"):
        found.append((at, at + len(line)))
        at += len(line) + 1
    return found


def _delimiter(text: str, one: Cell, other: Cell) -> str:
    """What divides both lines into cells, the same number of them unless quotes hide some; empty if nothing does."""
    for delimiter in _DELIMITERS:
        count = text.count(delimiter, *one)
        if count and text.count(delimiter, *other) >= count:
            return delimiter
    if _BLANKS in text[slice(*one)].strip() and _BLANKS in text[slice(*other)].strip():
        return _BLANKS
    return ""


def _cells(text: str, start: int, end: int, delimiter: str) -> list[Cell]:
    """Where the cells of a line are, without blanks and quotes around them, and the empty ones at a table's edges."""
    if delimiter == _BLANKS:
        return [piece.span() for piece in _PIECE.finditer(text, start, end)]
    if delimiter == "|":
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        start += start < end and text[start] == "|"
        end -= start < end and text[end - 1] == "|"
    found: list[Cell] = []
    at = start
    while at <= end:
        stop = -1
        if text[at : at + 1] == '"':  # a quoted cell may hold the delimiter
            closing = text.find('"' + delimiter, at + 1, end)
            stop = closing + 1 if closing >= 0 else end
        else:
            stop = text.find(delimiter, at, end)
        stop = end if stop < 0 else stop
        found.append(_bare(text, at, stop))
        if len(found) > _MOST:
            break
        at = stop + 1
    return found


def _bare(text: str, start: int, end: int) -> Cell:
    while start < end and text[start] in _QUOTES:
        start += 1
    while start < end and (text[end - 1] in _QUOTES or text[end - 1] == "\r"):
        end -= 1
    return start, end


def _tuples(text: str, at: int) -> Iterator[list[Cell]]:
    """The rows behind VALUES: cells of each bracket, until something else follows than a comma."""
    depth, cells, value = 0, [], (at, at)  # type: int, list[Cell], Cell
    for match in _VALUE.finditer(text, at):
        if mark := match[4]:
            if mark == "(":
                depth += 1
                if depth == 1:
                    cells, value = [], (match.end(), match.end())
            elif depth == 1:
                cells.append(value)
                value = (match.end(), match.end())
                if mark == ")":
                    yield cells
            depth -= mark == ")"
        elif depth == 0:
            return
        else:
            group = match.lastindex or 3
            low, high = match.span(group)
            value = _bare(text, low, high)


def columns() -> Columns:
    """Cells of tables."""
    return Columns()
