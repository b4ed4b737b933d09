"""Of what does a text consist that keeps a pattern busy? Of pieces of what it nearly matches, over and over.

A pattern is slow where it begins to match often, goes on long, and fails late. So fragments are taken from its own
structure (Python's parser of patterns reads it): samples of what it matches, cut at any place; characters of one of its
classes in a row; a sample with something in the middle that spoils it. A recipe repeats such fragments, also one inside
another, behind a beginning and before an end.
"""

import importlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

# Private, but the one exact reader of patterns there is; sre_parse, its public name, is deprecated since 3.11.
_parser: Any = importlib.import_module("re._parser")

_POOL = "1a A.-:/@_,\n\"'=+09zZé%#(<&\t;|\\*[{)>$名"
"""Characters that classes are asked about, those first that patterns are about."""
_CATEGORIES = {"CATEGORY_DIGIT": "1907", "CATEGORY_WORD": "a1Z_é名", "CATEGORY_SPACE": " \n\t"}
_ENDS = ("!", "", "\n", " ", "a", "1", "@", "-", ".", "é", "\n\n", "://", '"', ">")
_SEPARATORS = (" ", "", "\n", ".", "-", ",", "/", ":", "@", "=", "\t", "|", '"', "'", "1", "a", "\\", "&", "%", "é")
_LONGEST = 40
"""Characters of a fragment, as a rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How to make a text of any length: ``start``, ``unit`` over and over, ``end``."""

    start: str = ""
    unit: str
    end: str = ""

    def text(self, length: int) -> str:
        """About ``length`` characters of it."""
        room = max(1, length - len(self.start) - len(self.end))
        return self.start + self.unit * max(1, room // max(1, len(self.unit))) + self.end


def sample(pattern: str, flags: int, rng: random.Random) -> list[str]:
    """Characters of a text that ``pattern`` matches, but for what its looks around forbid; as pieces in order."""
    return list(_sampled(_parsed(pattern, flags), rng, {}))


@lru_cache(maxsize=4096)
def _parsed(pattern: str, flags: int) -> Any:
    # Presidio's patterns are for the module regex, which takes flags anywhere.
    return _parser.parse(pattern.replace("(?i)", ""), flags | (re.IGNORECASE if "(?i)" in pattern else 0))


def _sampled(nodes: Any, rng: random.Random, groups: dict[int, str]) -> Iterator[str]:
    for op, arg in nodes:
        match str(op):
            case "LITERAL":
                yield chr(arg)
            case "NOT_LITERAL":
                yield rng.choice([char for char in _POOL if ord(char) != arg])
            case "ANY":
                yield rng.choice("a1 .")
            case "IN":
                yield _of_class(arg, rng)
            case "GROUPREF":
                yield groups.get(arg, "")
            case _:
                yield from _nested(str(op), arg, rng, groups)


def _nested(op: str, arg: Any, rng: random.Random, groups: dict[int, str]) -> Iterator[str]:
    match op:
        case "BRANCH":
            yield from _sampled(rng.choice(arg[1]), rng, groups)
        case "SUBPATTERN":
            inner = list(_sampled(arg[-1], rng, groups))
            groups[arg[0] or 0] = "".join(inner)
            yield from inner
        case "ATOMIC_GROUP":
            yield from _sampled(arg, rng, groups)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = arg
            for _ in range(_times(int(least), int(most), rng)):
                yield from _sampled(inner, rng, groups)
        case "ASSERT" if rng.random() < 0.2:
            yield from _sampled(arg[1], rng, groups)


def _times(least: int, most: int, rng: random.Random) -> int:
    most = min(most, least + 400)
    return rng.choice((least, min(most, least + 1), min(most, least + rng.randint(0, 4)), rng.randint(least, most)))


def _of_class(items: Sequence[tuple[Any, Any]], rng: random.Random) -> str:
    negated = str(items[0][0]) == "NEGATE"
    if negated:
        return rng.choice([char for char in _POOL if not any(_has(item, char) for item in items[1:])] or ["\0"])
    op, arg = rng.choice(items)
    match str(op):
        case "LITERAL":
            return chr(arg)
        case "RANGE":
            return rng.choice((chr(arg[0]), chr(arg[1]), chr(rng.randint(*arg))))
    return rng.choice([char for char in _POOL if _has((op, arg), char)] or ["a"])


def _has(item: tuple[Any, Any], char: str) -> bool:
    op, arg = item
    match str(op):
        case "LITERAL":
            return bool(ord(char) == arg)
        case "RANGE":
            return bool(arg[0] <= ord(char) <= arg[1])
    name = str(arg)
    inside = char in _CATEGORIES.get(name.replace("NOT_", ""), "")
    if name.endswith("WORD"):
        inside = char.isalnum() or char == "_"
    elif name.endswith("DIGIT"):
        inside = char.isdecimal()
    elif name.endswith("SPACE"):
        inside = char.isspace()
    return inside != ("NOT_" in name)


def recipe(pattern: str, flags: int, hints: Sequence[str], rng: random.Random) -> Recipe:
    """A text that may keep ``pattern`` busy.

    Args:
        hints: words without which it is not tried.
    """
    pieces = sample(pattern, flags, rng) or ["a"]
    fragment = _cut(pieces, rng)
    match rng.randrange(6):
        case 0:
            unit = fragment
        case 1:
            unit = fragment + rng.choice(_SEPARATORS)
        case 2:  # one inside another
            unit = fragment + _cut(pieces, rng) * rng.randint(2, 30) + rng.choice(_SEPARATORS)
        case 3:  # nearly all of it, spoilt
            at = rng.randrange(len(pieces) + 1)
            unit = "".join([*pieces[:at], rng.choice(_SEPARATORS), *pieces[at + 1 :]])[:400]
        case 4:  # a class of it in a row, behind what comes before
            at = rng.randrange(len(pieces))
            unit = "".join(pieces[:at])[-_LONGEST:] + pieces[at] * rng.choice((2, 8, 40, 200, 2000))
        case _:
            other = _cut(sample(pattern, flags, rng) or ["1"], rng)
            unit = fragment * rng.randint(1, 8) + other * rng.randint(1, 8)
    hint = rng.choice(hints) if hints else ""
    if hint and hint not in unit.lower():
        match rng.randrange(4):
            case 0:
                unit = hint + rng.choice((" ", ": ", "")) + unit
            case 1:  # once, then only what follows
                unit = f"{hint} " + unit * max(1, 150 // len(unit))
            case 2:
                unit = unit + rng.choice((" ", "")) + hint
    start = rng.choice(("", "", "", f"{hint} ", "".join(pieces)[:_LONGEST]))
    return Recipe(start=start, unit=unit or "a", end=rng.choice(_ENDS))


def _cut(pieces: Sequence[str], rng: random.Random) -> str:
    low = rng.randrange(len(pieces))
    if rng.random() < 0.5:
        low = 0
    high = min(len(pieces), low + rng.randint(1, _LONGEST))
    return "".join(pieces[low:high]) or "a"


def varied(one: Recipe, others: Sequence[Recipe], rng: random.Random) -> Recipe:
    """``one`` with something changed: for a hunt that goes on from what was slow."""
    unit = one.unit
    at = rng.randrange(len(unit) + 1)
    match rng.randrange(8):
        case 0:
            unit = unit[:at] + rng.choice(_SEPARATORS) + unit[at:]
        case 1:
            unit = unit[:at] + unit[at + rng.randint(1, 4) :]
        case 2:
            other = rng.choice(others).unit
            unit = unit[:at] + other[: rng.randint(1, _LONGEST)] + unit[at:]
        case 3:
            unit = unit[:at] * rng.randint(2, 9) + unit[at:]
        case 4:
            unit += rng.choice(others).unit
        case 5:
            unit = unit[:at] + (unit[at : at + 1] or "a") * rng.choice((2, 5, 20, 100)) + unit[at:]
        case 6:
            return replace(one, end=rng.choice(_ENDS))
        case _:
            unit = unit[: max(1, at)]
    return replace(one, unit=unit[:3000] or "a")
