"""What is a value by the name of its field? Arguments and results of tool calls, metadata, and JSON inside a text.

"pin", "mothersMaidenName" and "otp_code" are read by the same lists as a question is. A field with a name that says
nothing ("value", "code", "answer") is what the function is about: ``verify_pin(value=…)``.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from forebay_agents.redaction.conversation.answering import Answer
from forebay_agents.redaction.conversation.asking import named
from forebay_agents.redaction.conversation.cues import shipped
from forebay_agents.redaction.conversation.shapes import DATE, SHAPES
from forebay_agents.redaction.conversation.values import dates, fits, numbers
from forebay_agents.redaction.conversation.words import words
from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.request_parts import SCHEMAS, Part, Sort

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|[_\-]{1,4}")
_PAIR = re.compile(
    r"[\"'](?P<key>[^\W\d]\w{1,40}(?:[ \-]\w{1,20}){0,3})[\"'][ \t]{0,3}:[ \t]{0,3}"
    r"(?:\"(?P<text>[^\"\\\n]{1,120})\"|'(?P<other>[^'\\\n]{1,120})'|(?P<number>\d{3,24})(?![\d.]))"
)
_LONGEST = 120
"""Characters of a value, at most."""
_NOT_HERE = frozenset(("EMAIL_ADDRESS", "PERSON", "LOCATION", "PHONE_NUMBER", "ORDER_NUMBER"))
"""Kinds that others find by form and by field; and numbers of things, which data is full of."""
_GENERIC = listed("value code answer number input data text digits response result content id")
_NO_VALUE = listed(
    "string integer number boolean object array null none true false required optional unknown yes no ok valid "
    "invalid verified failed success pending sent hidden masked redacted reset changed set"
)
_ACTS = listed("verify check confirm validate authenticate submit enter set send login lookup find get unlock")


def of_parts(text: str, parts: Sequence[Part], places: Sequence[tuple[int, int]]) -> Iterator[Answer]:
    """Findings in fields of a request.

    Args:
        text: all of it; places: start and end of each part in it.
    """
    field = about = ""
    for part, (start, end) in zip(parts, places, strict=True):
        if part.speaker in SCHEMAS:
            continue
        if part.said:
            field = ""
            if '":' in part.text or "':" in part.text:
                yield from _in_text(text, start, end)
        elif not part.joined:
            field = text[start:end] if part.sort is Sort.IDENTIFIER else ""
        elif field:
            if field == "name" and part.speaker:
                about = _function(text[start:end])
            kind = kind_of(field) or (about if field.lower() in _GENERIC else "")
            if kind and is_value(kind, text, start, end):
                yield start, end, kind


def _in_text(text: str, start: int, end: int) -> Iterator[Answer]:
    for match in _PAIR.finditer(text, start, end):
        low, high = match.span(match.lastgroup or "text")
        kind = kind_of(match["key"])
        if kind and is_value(kind, text, low, high):
            yield low, high, kind


@lru_cache(maxsize=2048)
def kind_of(name: str) -> str:
    """The kind of what a field called ``name`` holds; empty: nothing that is looked for here."""
    if len(name) > _LONGEST:
        return ""
    kind = named(_CAMEL.sub(" ", name), shipped())
    return "" if kind in _NOT_HERE else kind


@lru_cache(maxsize=2048)
def _function(name: str) -> str:
    """The kind that a function called ``name`` is given: ``verify_pin``."""
    spaced = _CAMEL.sub(" ", name[:_LONGEST])
    return kind_of(name) if _ACTS & frozenset(spaced.lower().split()) else ""


def is_value(kind: str, text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` can be of ``kind``."""
    if not 0 < end - start <= _LONGEST:
        return False
    read, shape = words(text, start, end), SHAPES[kind]
    if not read or read[0].folded in _NO_VALUE:
        return False
    if kind == DATE:
        return any(one.start == start for one in dates(text, read, shipped()))
    if shape.words:
        return len(read) <= shape.words
    found = numbers(text, read, shipped(), letters=shape.letters)
    return (
        bool(found)
        and found[0].last - found[0].first == len(read)
        and fits(found[0], shape.least, shape.most, letters=shape.letters)
    )
