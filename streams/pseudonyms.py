"""How does a pseudonym look, who gets which, and how does it become the original again?

A pseudonym is a tag ``<KIND_N>``, numbered by first appearance. The stages that make tags and the stage that restores
them share this grammar, and nothing else. Three promises:

- what was redacted is restored exactly: ``restore(redact(x)) == x``;
- only tags that *this* request was given are restored: a person who types ``<PERSON_1>`` gets ``<PERSON_1>`` back,
  because numbers that occur in the request's own text are never handed out (:func:`reserved_tags`);
- models that write ``[person 1]``, ``PERSON_1`` or ``&lt;Person_1&gt;`` are understood. If the request's own text makes
  such a variant ambiguous, the map is marked ``strict`` and only exact tags count (:func:`sealed_map`).
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

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


def reserved_tags(texts: Iterable[str], kinds: Iterable[str]) -> frozenset[tuple[str, int]]:
    """Kind and number of everything in ``texts`` that could be read as a tag of one of ``kinds``."""
    known = tuple(sorted(set(kinds)))
    if not known:
        return frozenset()
    found: set[tuple[str, int]] = set()
    for text in texts:
        for match in TAG.finditer(text):
            found.add((match[1], int(match[2])))
        for each in known:
            if not _may_name(text, (each,)):
                continue
            # One pattern a kind: there are dozens of kinds, but no end of sets of them, and each takes milliseconds.
            pattern, names = _loose((each,))
            for match in pattern.finditer(text):
                kind, number = _read(match, names)
                if number is not None:
                    found.add((kind, number))
    return frozenset(found)


class Restorer:
    """Puts the originals back.

    Args:
        pseudonyms: what the request's pseudonyms stand for.
    """

    def __init__(self, pseudonyms: PseudonymMap) -> None:
        self._originals = pseudonyms.originals
        self._values: dict[tuple[str, int], str] = {}
        self._names: dict[str, str] = {}
        self._single: dict[str, str] = {}
        surrogates: list[str] = []
        for pseudonym, value in self._originals.items():
            parsed = parse(pseudonym)
            if parsed is None:
                surrogates.append(pseudonym)
            else:
                self._values[parsed] = value
                self._single[parsed[0]] = "" if parsed[0] in self._single else pseudonym
        parts = [_literal(surrogate) for surrogate in sorted(surrogates, key=len, reverse=True)]
        self.pattern: re.Pattern[str] | None = None
        if self._values and not pseudonyms.strict:
            loose, self._names = _loose(tuple(sorted(self._single)))
            parts.append(loose.pattern)
        elif self._values:
            parts.append(f"(?P<exact>{TAG.pattern.replace('(', '(?:', 2)})")
        if parts:
            self.pattern = re.compile("|".join(parts))

    def restore(self, text: str) -> str:
        """``text`` with originals in place of this request's pseudonyms; anything else stays as it is."""
        if self.pattern is None:
            return text
        return self.pattern.sub(self.replacement, text)

    def restore_value(self, node: Any) -> Any:
        """``node`` (parsed JSON) with every string restored, keys too, and JSON inside strings."""
        if isinstance(node, str):
            return self.restore_text(node)
        if isinstance(node, list):
            return [self.restore_value(item) for item in node]
        if isinstance(node, dict):
            return {self.restore(key): self.restore_value(value) for key, value in node.items()}
        return node

    def restore_json(self, text: str) -> str:
        """JSON text with originals in its strings; text that is no JSON is restored as text."""
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return self.restore(text)
        return json.dumps(self.restore_value(parsed), ensure_ascii=False)

    def restore_text(self, text: str) -> str:
        """As :meth:`restore`, but text that is valid JSON stays valid JSON when an original needs escaping."""
        restored = self.restore(text)
        if restored == text or not _is_json(text) or _is_json(restored):
            return restored
        assert self.pattern is not None
        escaped = self.pattern.sub(lambda match: json.dumps(self.replacement(match), ensure_ascii=False)[1:-1], text)
        return escaped if _is_json(escaped) else restored

    def replacement(self, match: re.Match[str]) -> str:
        """What stands in place of ``match`` of :attr:`pattern`."""
        whole = match[0]
        known = self._originals.get(whole)
        if known is not None:
            return known
        groups = match.groupdict()
        if groups.get("kind") is None and groups.get("bare") is None and groups.get("lone") is None:
            return whole
        kind, number = _read(match, self._names)
        if number is None:
            return self._originals.get(self._single.get(kind, ""), whole)
        value = self._values.get((kind, number))
        return whole if value is None else value + (groups.get("plural") or "")


def sealed_map(originals: Mapping[str, str], pairs: Iterable[tuple[str, str]]) -> PseudonymMap:
    """The map for the vault, proven on the request itself.

    Args:
        originals: pseudonym to original.
        pairs: each text of the request, and what it became.

    Raises:
        ValueError: exact restoration fails, which is a bug of the redactor.
    """
    checked = list(pairs)
    if all(_surely_restored(originals, *pair) for pair in checked):
        return PseudonymMap(originals=originals)
    for strict in (False, True):
        candidate = PseudonymMap(originals=originals, strict=strict)
        restore = Restorer(candidate).restore
        if all(restore(redacted) == original for original, redacted in checked):
            return candidate
    raise ValueError("redacted text does not restore to the original")


def _surely_restored(originals: Mapping[str, str], original: str, redacted: str) -> bool:
    """Whether ``redacted``, which has exact tags and nothing else like a tag, restores to ``original``.

    So the pattern of the variants, which takes milliseconds to compile for each new set of kinds, is not needed.
    """
    kinds = {match[1] for match in map(TAG.fullmatch, originals) if match}
    if len(originals) != sum(1 for _ in filter(TAG.fullmatch, originals)) or _MISREAD.search(redacted):
        return False
    if _may_name(TAG.sub(lambda match: "\0" if match[1] in kinds else match[0], redacted), kinds):
        return False
    return TAG.sub(lambda match: originals.get(match[0], match[0]), redacted) == original


_MISREAD = re.compile(r"[<\\]<[A-Z]")
"""A tag behind another bracket, which a reader of variants takes for a part of the tag."""


_FOLDED = frozenset("İıſ\N{KELVIN SIGN}")
"""The characters beyond ASCII that are an ASCII letter where case is ignored."""


def _may_name(text: str, kinds: Iterable[str]) -> bool:
    """Whether ``text`` may hold a variant of a tag of ``kinds``: all variants write all words of the kind."""
    if not text.isascii() and not _FOLDED.isdisjoint(text):
        return True
    low = text.lower()
    return any(all(word in low for word in kind.lower().split("_")) for kind in kinds)


# -- the variants that models write

_SEP = r"[ _\-\\]{0,3}"
_OPEN = r"(?:<{1,2}|\[{1,2}|\{{1,2}|«|‹|⟨|【|&lt;|&#60;|%3C|\\u003[cC]|\\<)"
_CLOSE = r"(?:>{1,2}|\]{1,2}|\}{1,2}|»|›|⟩|】|&gt;|&#62;|%3E|\\u003[eE]|\\>)"


@lru_cache(maxsize=256)
def _loose(kinds: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    """Pattern of all variants of tags of ``kinds``, and folded kind to kind.

    In order: the exact tag; brackets of another sort, any case and spacing; a lone kind in brackets (the number was
    dropped); no brackets, which needs ``_`` or ``-`` before the number, or capitals: "person 1" is plain English.
    """
    names = {_folded(kind): kind for kind in kinds}
    longest_first = sorted(kinds, key=len, reverse=True)
    any_case = "(?i:" + "|".join(_words(kind, str) for kind in longest_first) + ")"
    upper = "(?:" + "|".join(_words(kind, str) for kind in longest_first) + ")"
    title = "(?:" + "|".join(_words(kind, str.capitalize) for kind in longest_first) + ")"
    number = rf"[0-9]{{1,{LONGEST_NUMBER}}}"
    exact = f"<(?:{'|'.join(longest_first)})_[1-9][0-9]{{0,{LONGEST_NUMBER - 1}}}>"
    bracketed = rf"{_OPEN}[ /]{{0,2}}(?P<kind>{any_case})(?i:E?S)??{_SEP}(?P<number>{number})(?i:s)?[ /]{{0,2}}{_CLOSE}"
    lone = rf"{_OPEN} ?(?P<lone>{any_case}) ?{_CLOSE}"
    bare = (
        rf"(?<![A-Za-z0-9_])"
        rf"(?P<bare>{any_case}(?=(?i:E?S)?\\?[_\-])|{upper}(?=E?S?[ ]?[0-9])|{title}(?=(?:e?s)?[ ][0-9]))"
        rf"(?i:E?S)?{_SEP}(?P<digits>{number})(?P<plural>s)?(?![A-Za-z0-9_])"
    )
    pattern = "|".join((exact, bracketed, lone, bare))
    return re.compile(pattern), names


def _words(kind: str, write: Callable[[str], str]) -> str:
    return r"[ _\-\\]{1,2}".join(write(part) for part in kind.split("_"))


def _read(match: re.Match[str], names: Mapping[str, str]) -> tuple[str, int | None]:
    groups = match.groupdict()
    kind = groups["kind"] or groups["bare"] or groups["lone"]
    if kind is None:
        exact = parse(match[0])
        assert exact is not None
        return exact
    digits = groups["number"] or groups["digits"]
    return names[_folded(kind)], int(digits) if digits else None


def _folded(kind: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", kind.upper())


def _literal(surrogate: str) -> str:
    """Pattern of a surrogate: not inside a longer word."""
    before = r"(?<!\w)" if surrogate[:1].isalnum() else ""
    after = r"(?!\w)" if surrogate[-1:].isalnum() else ""
    return before + re.escape(surrogate) + after


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
