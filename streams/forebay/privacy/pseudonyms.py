"""How does a pseudonym look, and who gets which?

A pseudonym is a tag ``<KIND_N>``, numbered by first appearance. The stages that make tags and the stage that restores
them share this grammar, the variants of it that models write (:mod:`forebay.privacy.pseudonym_variants`), and nothing
else. Three promises:

- what was redacted is restored exactly: ``restore(redact(x)) == x`` (:mod:`forebay.privacy.restoring`);
- only tags that *this* request was given are restored: a person who types ``<PERSON_1>`` gets ``<PERSON_1>`` back,
  because numbers that occur in the request's own text are never handed out (``reserved_tags``);
- models that write ``[person 1]``, ``PERSON_1`` or ``&lt;Person_1&gt;`` are understood. If the request's own text makes
  such a variant ambiguous, the map is marked ``strict`` and only exact tags count (``sealed_map``).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

TAG = re.compile(r"<([A-Z][A-Z0-9_]*)_([1-9][0-9]{0,6})>")
"""An exact tag; group 1 is its kind, group 2 its number."""

LONGEST_NUMBER = 7
"""Digits of a number: more is no tag of ours."""


def tag(kind: str, number: int) -> str:
    """The tag of ``kind`` with ``number``."""
    return f"<{kind}_{number}>"


def parse(text: str) -> tuple[str, int] | None:
    """Kind and number of an exact tag."""
    match = TAG.fullmatch(text)
    return (match[1], int(match[2])) if match else None


@dataclass(frozen=True, kw_only=True, slots=True)
class PseudonymMap:
    """What a request's pseudonyms stand for.

    Attributes:
        originals: pseudonym (a tag, or a surrogate) to the text that it replaced.
        strict: only exact pseudonyms are restored, because the request's own text looks like a variant of one.
    """

    originals: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False

    def to_json(self) -> bytes:
        """Bytes for the vault."""
        return json.dumps({"o": dict(self.originals), "s": self.strict}, ensure_ascii=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "PseudonymMap":
        """The inverse of :meth:`to_json`."""
        parsed = json.loads(data)
        return cls(originals=parsed["o"], strict=parsed["s"])


class Numbering:
    """Hands out tags: the same value gets the same tag, new ones the next free number of their kind.

    Args:
        known: tag to value, from earlier turns of the conversation.
        reserved: kind and number of tags that the request's own text contains.
    """

    def __init__(self, known: Mapping[str, str] | None = None, reserved: Iterable[tuple[str, int]] = ()) -> None:
        self._reserved = frozenset(reserved)
        self._tags: dict[str, str] = {}
        self._next: dict[str, int] = {}
        self.all: dict[str, str] = dict(known or {})
        self.used: dict[str, str] = {}
        for known_tag, value in self.all.items():
            parsed = parse(known_tag)
            if parsed is None:
                continue
            self._next[parsed[0]] = max(self._next.get(parsed[0], 0), parsed[1])
            if parsed not in self._reserved:
                self._tags[value] = known_tag

    def tag_for(self, kind: str, value: str) -> str:
        """The pseudonym of ``value``; ``kind`` counts when the value is new."""
        known = self._tags.get(value)
        if known is None:
            number = self._next.get(kind, 0) + 1
            while (kind, number) in self._reserved:
                number += 1
            self._next[kind] = number
            known = self._tags[value] = tag(kind, number)
            self.all[known] = value
        self.used[known] = value
        return known
