"""Which patterns are there? All that some rooms have compiled, found by walking what their modules hold.

Nothing has to be registered: a pattern is found in a module's names, in containers and in our own objects that they
hold. So a new recogniser is tried without anybody's doing.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import regex

from forebay_agents.redaction.detection.recognizers.rules import Rule

_OURS = ("forebay.", "forebay_agents.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sown:
    """A pattern, and the words without which it is not tried."""

    pattern: str
    flags: int = 0
    hints: Sequence[str] = ()


def modules_of(room: str) -> Iterator[ModuleType]:
    """The module ``room``, and all below it if it is a package."""
    module = importlib.import_module(room)
    yield module
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{room}."):
        yield importlib.import_module(found.name)


def patterns_in(things: Iterable[Any]) -> list[Sown]:
    """All patterns that ``things`` hold: modules, containers, objects of our own."""
    found: dict[tuple[str, int], Sown] = {}
    inside: list[Any] = []
    for thing in things:
        if not isinstance(thing, ModuleType):
            inside.append(thing)
            continue
        # What a module holds, but for other modules: they are rooms of their own.
        own = [value for name, value in vars(thing).items() if not name.startswith("__")]
        inside += [value for value in own if not isinstance(value, ModuleType)]
    for sown in _walked(inside, set()):
        found.setdefault((sown.pattern, sown.flags), sown)
    return list(found.values())


def _walked(things: list[Any], seen: set[int]) -> Iterator[Sown]:
    while things:
        thing = things.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, Rule):
            for pattern, flags in ((thing.pattern, thing.flags), (thing.context, 0), (thing.unless, 0)):
                if pattern:
                    yield Sown(pattern=pattern, flags=flags, hints=tuple(thing.hints))
        elif isinstance(thing, re.Pattern | regex.Pattern):
            if isinstance(thing.pattern, str):
                yield Sown(
                    pattern=thing.pattern,
                    flags=int(thing.flags) & (re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE | re.ASCII),
                )
        elif isinstance(thing, dict):
            things += thing.values()
        elif isinstance(thing, list | tuple | set | frozenset):
            things += thing
        elif type(thing).__module__.startswith(_OURS):
            things += _held(thing)


def _held(thing: Any) -> list[Any]:
    own = list(getattr(thing, "__dict__", {}).values())
    return own + [getattr(thing, name) for name in getattr(type(thing), "__slots__", ()) if hasattr(thing, name)]
