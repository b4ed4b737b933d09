"""How does a pseudonym become the original again, also where a model wrote it in its own way?"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from forebay.privacy.occurrences import common_start
from forebay.privacy.pseudonym_variants import may_name, read, variants
from forebay.privacy.pseudonyms import TAG, PseudonymMap, parse


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
        kind, number = read(match, self._names)
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


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
