"""Can an answer that should be JSON be read all the same? What models get wrong, put right without another call.

Fences and words around it, trailing and missing commas, single quotes, bare keys, Python's literals, comments, raw line
breaks in strings, and an end that was cut off. Nothing is made up: of a cut-off end, what is surely whole is kept, and
half a number or a key without a value is dropped.
"""

import json
import re
from typing import Any

from forebay_agents.completion.routing.signals import format_error, wants_json

_FENCE = re.compile(r"```[ \t]*\w*\s*\n?(.*?)(?:```|\Z)", re.DOTALL)
_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?(?:\*/|\Z))*", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_CUT_NUMBER = re.compile(r"-?\d*\.?\d*(?:[eE][-+]?\d*)?\Z")
_WORD = re.compile(r"[^\W\d][\w$-]*")
_LITERALS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_DEEPEST = 64
_LONGEST = 200_000
_QUOTES = {'"': '"', "'": "'", "“": "”"}
_CUT = object()
"""A value of which the end is missing, so that nobody knows it."""


class _UnreadableError(ValueError):
    pass


def repaired(text: str) -> str | None:
    """``text`` as JSON; ``None`` when it holds none, or so mangled that its meaning would be a guess."""
    if len(text) > _LONGEST:
        return None
    for candidate in _candidates(text.strip().lstrip("\ufeff")):
        try:
            value = json.loads(candidate, strict=False, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            value = _read(candidate)
        if isinstance(value, dict | list):
            return json.dumps(value, ensure_ascii=False)
    return None


def in_form(text: str, response_format: str | None) -> str | None:
    """``text`` repaired, where a request asks for JSON, gets none, and a repair makes it what was asked for."""
    if not wants_json(response_format) or _is_json(text):
        return None
    content = repaired(text)
    return content if content is not None and format_error(content, response_format) is None else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(_name: str) -> Any:
    raise ValueError("NaN and infinities are no JSON")


def _candidates(text: str) -> list[str]:
    """Where JSON may stand: all of it, in fences, from its first bracket on."""
    found = [text] if text[:1] in ("{", "[") else []
    found += [fenced[1].strip() for fenced in _FENCE.finditer(text) if fenced[1].strip()[:1] in ("{", "[")]
    # An object is likelier than a list: "[1]" in prose may be a reference.
    found += [text[place:] for bracket in "{[" if (place := text.find(bracket)) > 0]
    return found


def _read(text: str) -> Any:
    try:
        return _Reader(text).read() or None  # an empty shell is what is left when all was cut off
    except _UnreadableError:
        return None


class _Reader:
    """A forgiving recursive descent over one value; what follows it is ignored."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> Any:
        return self._value(0)

    def _value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise _UnreadableError
        match self._peek():
            case "":
                return _CUT
            case "{":
                return self._object(depth)
            case "[":
                return self._list(depth)
            case quote if quote in _QUOTES:
                return self._string()
        return self._bare()

    def _object(self, depth: int) -> dict[str, Any]:
        self._at += 1
        found: dict[str, Any] = {}
        while (seen := self._peek()) not in ("}", ""):
            if seen == ",":
                self._at += 1
                continue
            key = self._string() if seen in _QUOTES else self._word()
            if self._peek() == "":
                return found
            if self._peek() != ":":
                raise _UnreadableError
            self._at += 1
            value = self._value(depth + 1)
            if value is not _CUT:
                found[key] = value
            self._expect_end_of_member("}")
        self._at += 1
        return found

    def _list(self, depth: int) -> list[Any]:
        self._at += 1
        found: list[Any] = []
        while (seen := self._peek()) not in ("]", ""):
            if seen == ",":
                self._at += 1
                continue
            value = self._value(depth + 1)
            if value is not _CUT:
                found.append(value)
            self._expect_end_of_member("]")
        self._at += 1
        return found

    def _expect_end_of_member(self, closing: str) -> None:
        """A comma, the end, or, where the comma was forgotten, the start of a quoted or nested member."""
        seen = self._peek()
        if seen and seen not in (",", closing, "{", "[") and seen not in _QUOTES:
            raise _UnreadableError

    def _string(self) -> str:
        closing = _QUOTES[self._text[self._at]]
        self._at += 1
        raw: list[str] = []
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == closing:
                break
            if character == "\\":
                raw.append(self._escape())
            else:
                raw.append('\\"' if character == '"' else character)
        try:
            text: str = json.loads('"' + "".join(raw) + '"', strict=False)
        except ValueError:
            raise _UnreadableError from None
        return text

    def _escape(self) -> str:
        """An escape as JSON has it; one that JSON does not know stands for itself, half of one for nothing."""
        character = self._text[self._at : self._at + 1]
        self._at += 1
        if character == "u":
            digits = self._text[self._at : self._at + 4]
            whole = re.fullmatch(r"[0-9a-fA-F]{4}", digits)
            self._at += len(digits) if whole or self._at + 4 > len(self._text) else 0
            return f"\\u{digits}" if whole else ""
        if character in '"\\/bfnrt':
            return "\\" + character if character else ""
        return character

    def _bare(self) -> Any:
        if _CUT_NUMBER.match(self._text, self._at):
            self._at = len(self._text)
            return _CUT  # 12 may be half of 123
        if number := _NUMBER.match(self._text, self._at):
            self._at = number.end()
            return json.loads(re.sub(r"^(-?)0+(?=\d)", r"\1", number[0]))
        word = self._word()
        if word in _LITERALS:
            return _LITERALS[word]
        if self._at == len(self._text) and any(literal.startswith(word) for literal in _LITERALS):
            return _CUT
        raise _UnreadableError

    def _word(self) -> str:
        word = _WORD.match(self._text, self._at)
        if word is None:
            raise _UnreadableError
        self._at = word.end()
        return word[0]

    def _peek(self) -> str:
        """The next character that means something; empty at the end."""
        space = _SPACE.match(self._text, self._at)
        if space is not None:
            self._at = space.end()
        return self._text[self._at : self._at + 1]
