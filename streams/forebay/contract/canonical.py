"""When are two redacted prompts the same question? When their canonical forms are equal.

The canonical form renumbers pseudonyms in order of appearance (so that two people's questions meet), applies Unicode
NFKC, and folds white space, both only where they cannot matter: code, quotations and indentation keep their blanks,
and 10² does not become 102. Everything else that changes an answer (parameters, tools, response format, task, tier) is
part of the hash. The redaction stage uses it as the record key, so that equal questions meet in one partition; the
cache builds its keys on it.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Literal

from forebay.contract.records.conversation import Message, RedactedRequest, RequestFields

_TAG = re.compile(r"<([A-Z][A-Z0-9_]*)_(\d+)>")
_VERBATIM = re.compile(r'(```.*?(?:```|\Z)|`[^`\n]*+`|"(?=[^"\n]*?  )[^"\n]*+")', re.DOTALL)
"""Where white space can be meaning: fences, code spans, and quotations with runs of blanks."""
_BLANKS = re.compile(r"(?<=[^\s])[ \t\r\f\v\u00a0]+")
_INDENTED = re.compile(r"^(?: {2,}|\t)", re.MULTILINE)
_NEWLINES = re.compile(r"(?<![ \t\r])[ \t\r]*+\n")
"""From the first blank on: tried at each, a long row of blanks took the square of its length."""
_EMPTY_LINES = re.compile(r"\n{2,}")
_LEADING = re.compile(r"(?<=\n)[ \t]+")
_RAISED = re.compile(
    "([\u00b2\u00b3\u00b9\u00bc-\u00be\u02b0-\u02b8\u1d2c-\u1d6a\u2070-\u209c\u2150-\u215f\u2189\u2460-\u249b]+)"
)
"""Exponents, indices, fractions and circled numbers: NFKC would fold 2⁵ into 25 and 1½ into 11⁄2."""

_MOST_MARKS, _JOINER = 30, "\u034f"
_MAY_BE_MARKS = re.compile(r"[^\w\s\x00-\x7f]{31,}")
"""Marks are neither letters nor blanks."""

_LATER = ("tool_choice", "parallel_tool_calls", "reasoning_effort")

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


class Renumbering:
    """Pseudonym tags to canonical ones, numbered by type in order of appearance, and back."""

    def __init__(self) -> None:
        self._canonical: dict[str, str] = {}
        self._original: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def apply(self, text: str) -> str:
        """``text`` with canonical tags; tags not seen before get the next number of their type."""
        return _TAG.sub(lambda match: self._number(match[0], match[1]), text)

    def revert(self, text: str) -> str:
        """``text`` with original tags; canonical tags that stand for nothing stay as they are."""
        return _TAG.sub(lambda match: self._original.get(match[0], match[0]), text)

    def knows(self, text: str) -> bool:
        """Whether every tag in ``text`` was seen before: an answer with others speaks of nobody in the question."""
        return all(match[0] in self._canonical for match in _TAG.finditer(text))

    def covers(self, text: str) -> bool:
        """Whether every canonical tag in ``text`` stands for a tag seen before, so that :meth:`revert` is complete."""
        return all(match[0] in self._original for match in _TAG.finditer(text))

    def _number(self, tag: str, kind: str) -> str:
        known = self._canonical.get(tag)
        if known is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            known = self._canonical[tag] = f"<{kind}_{self._counts[kind]}>"
            self._original[known] = tag
        return known


def normal(form: Form, text: str) -> str:
    """``unicodedata.normalize(form, text)`` in linear time.

    That puts marks above a letter in order by exchanging neighbours, which takes the square of their number: 100,000
    marks on one letter take 20 s. No text of any language has more than 30 in a row; behind those Unicode's stream-safe
    form (UAX #15, section 13) puts a combining grapheme joiner, and so do we.
    """
    if text.isascii():
        return text
    return unicodedata.normalize(form, _MAY_BE_MARKS.sub(_joined, text))


def _joined(found: re.Match[str]) -> str:
    pieces: list[str] = []
    marks = 0
    for char in found[0]:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > _MOST_MARKS:
            pieces.append(_JOINER)
            marks = 1
        pieces.append(char)
    return "".join(pieces)


def fold(text: str) -> str:
    """NFKC, and runs of blanks and empty lines folded, except where white space or a compatibility form has meaning.

    Indented texts (Python, YAML, nested lists) keep the beginnings of their lines.
    """
    parts = _VERBATIM.split(text)
    indented = _INDENTED.search(text) is not None
    for index in range(0, len(parts), 2):
        parts[index] = _fold_plain(parts[index], indented=indented)
    return "".join(parts).strip()


def canonical_messages(messages: tuple[Message, ...]) -> tuple[list[dict[str, str]], Renumbering]:
    """Messages in canonical form, and the renumbering that leads back to the request's own pseudonyms."""
    numbers = Renumbering()
    canonical = []
    for message in messages:
        turn = {"role": message.role.value, "content": numbers.apply(fold(message.content))}
        for name in ("name", "tool_call_id", "tool_calls"):
            value = getattr(message, name)
            if value is not None:
                turn[name] = numbers.apply(value)
        canonical.append(turn)
    return canonical, numbers


def prompt_hash(request: RequestFields) -> str:
    """Hex SHA-256 of the canonical prompt and of everything else that changes the answer."""
    messages, _ = canonical_messages(request.messages)
    return digest({"messages": messages, **circumstances(request)})


def circumstances(request: RequestFields) -> dict[str, Any]:
    """What changes an answer beside the messages; also which hidden values a fact is asked of."""
    params = request.params
    # Later ones count only where they are set: what is kept in caches is found under the hash of before.
    later = {name: value for name in _LATER if (value := getattr(params, name)) is not None}
    asked = request.asked if isinstance(request, RedactedRequest) else ""
    return {
        **({"more": later} if later else {}),
        **({"asked": asked} if asked else {}),
        "task": request.task,
        "tools": request.tools,
        "response_format": request.response_format,
        "tier": request.tier,
        "params": [
            params.max_tokens,
            params.temperature,
            params.top_p,
            list(params.stop),
            params.seed,
            params.presence_penalty,
            params.frequency_penalty,
        ],
    }


def digest(content: dict[str, Any] | Sequence[Any]) -> str:
    """Hex SHA-256 of JSON-like content, independent of the order of keys."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _fold_plain(text: str, *, indented: bool) -> str:
    parts = _RAISED.split(text) if _RAISED.search(text) else [text]
    for index in range(0, len(parts), 2):
        parts[index] = normal("NFKC", parts[index])
    text = _NEWLINES.sub("\n", _BLANKS.sub(" ", "".join(parts)))
    return _EMPTY_LINES.sub("\n", text if indented else _LEADING.sub("", text))
