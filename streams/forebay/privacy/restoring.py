"""How does a pseudonym become the original again, also where a model wrote it in its own way?"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from forebay.privacy.answers.addresses import MAY_HOLD
from forebay.privacy.answers.own_addresses import Original, OwnAddresses, Piece, Pseudonym
from forebay.privacy.answers.writing import AnswerWriter
from forebay.privacy.occurrences import common_start
from forebay.privacy.pseudonym_variants import may_name, read, variants
from forebay.privacy.pseudonyms import TAG, PseudonymMap, parse, tag


class Restorer:
    """Puts the originals back.

    Args:
        pseudonyms: what the request's pseudonyms stand for.
        own: redacted texts of whoever asked, whose addresses may get originals; see :mod:`forebay.privacy.answers`.
        withhold: put none into other addresses of an answer.
    """

    def __init__(self, pseudonyms: PseudonymMap, own: Sequence[str] = (), *, withhold: bool = True) -> None:
        self.withheld = 0
        """Pseudonyms that stayed what they are, since they stood in an address that the model wrote."""
        self._withhold = withhold
        self._own = OwnAddresses(self.pieces(text) for text in own)
        self._known: dict[str, Original] = {}
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
        parts = [_one_of(surrogates)] if surrogates else []
        self.pattern: re.Pattern[str] | None = None
        if self._values and not pseudonyms.strict:
            loose, self._names = variants(tuple(sorted(self._single)))
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

    def pieces(self, text: str) -> Iterator[Piece]:
        """``text`` cut into pseudonyms that are known, and what stands between them."""
        at = 0
        for match in self.pattern.finditer(text) if self.pattern else ():
            pseudonym = self.pseudonym(match)
            if pseudonym is not None:
                yield text[at : match.start()]
                yield pseudonym
                at = match.end()
        yield text[at:]

    def writer(self) -> AnswerWriter:
        """What writes an answer of which the pieces come one by one."""
        return AnswerWriter(self._own if self._withhold else None)

    def restore_value(self, node: Any) -> Any:
        """``node`` (parsed JSON) with every string restored, keys too, and JSON inside strings."""
        if isinstance(node, str):
            return self._restored_json(node)
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
        """An answer with originals in it, but for addresses; text that is valid JSON stays valid JSON."""
        if self.pattern is None or self.pattern.search(text) is None:
            return text
        if not _is_json(text):
            return self._written(text)
        return _LITERAL.sub(self._literal, text)

    def _literal(self, match: re.Match[str]) -> str:
        """A string of JSON with originals in it."""
        value = json.loads(match[0])
        restored = self.restore_text(value)
        return match[0] if restored == value else json.dumps(restored, ensure_ascii=False)

    def _written(self, text: str) -> str:
        if not self._withhold:
            return self.restore(text)
        pieces = list(self.pieces(text))
        pseudonyms = [piece for piece in pieces if isinstance(piece, Pseudonym)]
        if MAY_HOLD.search(text) is None and not any(each.original.begins_address("/") for each in pseudonyms):
            return "".join(piece.value if isinstance(piece, Pseudonym) else piece for piece in pieces)
        writer = self.writer()
        for piece in pieces:
            writer.add(piece)
        written = writer.close()
        self.withheld += writer.withheld
        return written

    def _restored_json(self, text: str) -> str:
        """As :meth:`restore`, but text that is valid JSON stays valid JSON when an original needs escaping."""
        restored = self.restore(text)
        if restored == text or not _is_json(text) or _is_json(restored):
            return restored
        assert self.pattern is not None
        escaped = self.pattern.sub(lambda match: json.dumps(self.replacement(match), ensure_ascii=False)[1:-1], text)
        return escaped if _is_json(escaped) else restored

    def replacement(self, match: re.Match[str]) -> str:
        """What stands in place of ``match`` of :attr:`pattern`."""
        pseudonym = self.pseudonym(match)
        return match[0] if pseudonym is None else pseudonym.value

    def pseudonym(self, match: re.Match[str]) -> Pseudonym | None:
        """What ``match`` of :attr:`pattern` stands for; ``None``: nothing that this request was given."""
        whole = match[0]
        if whole in self._originals:
            return Pseudonym(whole, self._original(whole))
        groups = match.groupdict()
        if groups.get("kind") is None and groups.get("bare") is None and groups.get("lone") is None:
            return None
        kind, number = read(match, self._names)
        if number is None:
            single = self._single.get(kind, "")
            return Pseudonym(whole, self._original(single)) if single in self._originals else None
        if (kind, number) not in self._values:
            return None
        return Pseudonym(whole, self._original(tag(kind, number)), groups.get("plural") or "")

    def _original(self, name: str) -> Original:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = Original(name, self._originals[name])
        return known


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
    if may_name(TAG.sub(lambda match: "\0" if match[1] in kinds else match[0], redacted), kinds):
        return False
    return TAG.sub(lambda match: originals.get(match[0], match[0]), redacted) == original


_MISREAD = re.compile(r"[<\\]<[A-Z]")
"""A tag behind another bracket, which a reader of variants takes for a part of the tag."""


def _one_of(surrogates: Iterable[str]) -> str:
    """Pattern of surrogates, the longest of those that fit, none inside a longer word.

    What begins alike is written once: thousands of alternatives one behind another would each be tried at each
    character.
    """
    values = sorted(filter(None, set(surrogates)))
    words = _tree([value for value in values if value[0].isalnum()], "", _DEEPEST)
    others = _tree([value for value in values if not value[0].isalnum()], "", _DEEPEST)
    return "|".join([rf"(?<!\w)(?:{words})"] * bool(words) + [others] * bool(others))


_DEEPEST = 40
"""Groups within groups: the parser of patterns goes down them one by one."""


def _tree(values: Sequence[str], before: str, deepest: int) -> str:
    """Alternatives for ``values``, which are in order; ``before`` is the character in front of them."""
    if not deepest:
        return "|".join(re.escape(value) + _border(value or before) for value in reversed(values))
    branches = []
    for _, alike in groupby(values, key=lambda value: value[:1]):
        own = list(alike)
        common = own[0][: common_start(own[0], own[-1])]
        if not common:  # an empty one: nothing more needs to follow
            continue
        rests = [value[len(common) :] for value in own]
        branches.append(
            re.escape(common) + (f"(?:{_tree(rests, common[-1], deepest - 1)})" if rests != [""] else _border(common))
        )
    return "|".join([*branches, *([_border(before)] if values and not values[0] else [])])


def _border(text: str) -> str:
    """What must not follow ``text``."""
    return r"(?!\w)" if text[-1:].isalnum() else ""


_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
"""A string in JSON."""


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
