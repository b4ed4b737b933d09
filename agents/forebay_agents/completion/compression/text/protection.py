"""What must not be touched, whatever the budget? Code, JSON, and sentences that command: spans of a text.

They cannot be shortened without changing what they say: a program, a schema, an instruction in capitals. Numbers with
their units, names and quotations are protected elsewhere, by never being cut in half (:mod:`worth`).
"""

import json
import re
from collections.abc import Iterator

Span = tuple[int, int]

_FENCE = re.compile(r"(?:```|~~~).*?(?:```|~~~|\Z)", re.DOTALL)
_INLINE = re.compile(r"`[^`\n]+`")
_COMMAND = re.compile(
    r"\b(?:MUST|NEVER|ALWAYS|SHALL|DO NOT|DON['’]T|CANNOT|MAY NOT|REQUIRED|FORBIDDEN|ONLY|IMPORTANT|WARNING|CAUTION"
    r"|NOTE)\b"
)
_OPENING = re.compile(r"\{\s*[\"}]|\[\s*[\"{\[]|\[\s*-?\d+(?:\.\d+)?\s*,")
_FAILURES = 64  # brackets that turn out to open no JSON: each may be read to the end of the text
_LINE = re.compile(r"[^\n]+")
_LONG_LINE = 400  # characters: beyond it a line is a paragraph, and only the commanding sentence in it is protected
_SENTENCE = re.compile(r"[^.!?\n]*[.!?]?[\"')\]]*")
_CODE_LINE = re.compile(
    r"\s*(?:def|class|import|from|return|if|for|while|else|elif|try|except|public|private|static|const|let|var|function"
    r"|func|package|using|SELECT|INSERT|UPDATE|CREATE)\b.*[;{}():,=]\s*$"
    r"|.*[;{}]\s*$|\s*[)\]}]+[;,]?\s*$|\s{4,}\S.*[=()\[\]{}<>].*$|\s*(?:>>>|\$|//|#include)\s?\S"
)


def spans(text: str) -> list[Span]:
    """Protected spans of ``text`` in order, merged, half-open, in code points."""
    found = sorted([*_code(text), *_json(text), *_commands(text)])
    merged: list[Span] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _code(text: str) -> Iterator[Span]:
    for pattern in (_FENCE, _INLINE):
        yield from (match.span() for match in pattern.finditer(text))
    # Unfenced code: at least two lines in a row that look like it.
    run: list[Span] = []
    for match in _LINE.finditer(text):
        if _CODE_LINE.match(match[0]):
            run.append(match.span())
            continue
        if len(run) > 1:
            yield run[0][0], run[-1][1]
        run = []
    if len(run) > 1:
        yield run[0][0], run[-1][1]


def _json(text: str) -> Iterator[Span]:
    decoder = json.JSONDecoder()
    at = failures = 0
    while failures < _FAILURES and (opening := _next_opening(text, at)) is not None:
        try:
            _, end = decoder.raw_decode(text, opening)
        except (ValueError, RecursionError):
            at = opening + 1
            failures += 1
            continue
        if end - opening > 2:
            yield opening, end
        at = end


def _next_opening(text: str, at: int) -> int | None:
    """Where an object begins, or an array of more than a footnote mark like ``[12]``."""
    match = _OPENING.search(text, at)
    return match.start() if match else None


def _commands(text: str) -> Iterator[Span]:
    for line in _LINE.finditer(text):
        if not _COMMAND.search(line[0]) or line[0].isupper():
            continue
        if len(line[0]) <= _LONG_LINE:
            yield line.span()
            continue
        for sentence in _SENTENCE.finditer(line[0]):
            if _COMMAND.search(sentence[0]):
                yield line.start() + sentence.start(), line.start() + sentence.end()
