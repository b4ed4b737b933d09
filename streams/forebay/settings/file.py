"""What stands in a configuration file, and in which line? YAML, with a place for every key.

Two of the same key, which YAML lets the last win, are a fault here: the first was written by somebody too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from forebay.settings.faults import ConfigurationError, Fault, meant, shown

Path_ = tuple[str | int, ...]
"""Keys and positions from the top of the file to a value."""

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_MOST_PLACES, _DEEPEST = 50_000, 32
"""Far more than a file has: what refers to itself, or doubles ten times over, is none."""


@dataclass(frozen=True, kw_only=True)
class ConfigurationFile:
    """A file as it was read.

    Attributes:
        name: as people know it.
        content: section name to its keys; references to the environment as they were written.
        lines: the line of each key and item.
        twice: keys that stand in one mapping twice, each with the second line.
        shipped: whether it is the one that comes with the code.
    """

    name: str
    content: dict[str, Any]
    lines: Mapping[Path_, int] = field(default_factory=dict)
    twice: tuple[tuple[str, int], ...] = ()
    shipped: bool = False

    def faults(self) -> list[Fault]:
        """What is wrong with it whatever the sections say."""
        message = "stands there twice, and only one would count"
        return [Fault(place=f"{self.name}:{line}", key=shown(key), message=message) for key, line in self.twice]

    def place(self, path: Path_) -> str:
        """``FILE:LINE`` of ``path``, or of what is nearest to it above."""
        for end in range(len(path), 0, -1):
            if line := self.lines.get(path[:end]):
                return f"{self.name}:{line}"
        return self.name

    def references(self, path: Path_ = ()) -> list[str]:
        """Names of the environment in the value at ``path``."""
        return [match["name"] for text in _texts(_at(self.content, path)) for match in _REFERENCE.finditer(text)]

    def resolved(self, environment: Mapping[str, str], faults: list[Fault]) -> dict[str, Any]:
        """The content with the environment's values in it; what is not set is added to ``faults``."""
        return {key: self._resolve(value, (key,), environment, faults) for key, value in self.content.items()}

    def _resolve(self, node: Any, path: Path_, environment: Mapping[str, str], faults: list[Fault]) -> Any:
        """Replace ``${NAME:-default}`` in every string; a string that becomes empty stays an empty string."""
        if isinstance(node, dict):
            return {key: self._resolve(value, (*path, key), environment, faults) for key, value in node.items()}
        if isinstance(node, list):
            return [self._resolve(value, (*path, at), environment, faults) for at, value in enumerate(node)]
        if not isinstance(node, str) or "${" not in node:
            return node

        def fault(message: str) -> None:
            faults.append(Fault(place=self.place(path), key=dotted(path), message=message))

        def replace(match: re.Match[str]) -> str:
            value: str | None = environment.get(match["name"], match["default"])
            if value is None:
                fault(f"needs the environment variable {match['name']}, which is not set")
            return value or ""

        if "${" in _REFERENCE.sub("", node):
            fault("write ${NAME} or ${NAME:-default}, with a name of capitals, digits and _")
        return _REFERENCE.sub(replace, node)


def dotted(path: Path_) -> str:
    """``models.tiers[0].name``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def read(path: Path, name: str = "", *, shipped: bool = False) -> ConfigurationFile:
    """The file at ``path``, called ``name`` in what is said of it.

    Raises :class:`ConfigurationError`: it is not there, is not YAML, or is no mapping.
    """
    name = name or str(path)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"there is no configuration file {name}{_beside(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name} cannot be read: {error}") from None
    try:
        loader = _Loader(text)
    except yaml.YAMLError:
        raise ConfigurationError(f"{name} cannot be read: there are control characters in it") from None
    try:
        node = loader.get_single_node()
        content = loader.construct_document(node) if node is not None else {}
        lines = dict(_lines(node, ())) if node is not None else {}
    except yaml.MarkedYAMLError as error:  # its own words quote the line, which may hold a secret
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        problem = "an alias (*NAME) of nothing" if "undefined alias" in str(error.problem) else error.problem
        raise ConfigurationError(f"{name}{line}: this is not valid YAML: {problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{name}: this is not valid YAML: {type(error).__name__}") from None
    finally:
        loader.dispose()
    if not isinstance(content := {} if content is None else content, dict):
        raise ConfigurationError(f"{name} must be a mapping of section names to mappings")
    return ConfigurationFile(name=name, content=content, lines=lines, twice=tuple(loader.twice), shipped=shipped)


class _Loader(yaml.SafeLoader):
    """Remembers keys that stand in one mapping twice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twice: list[tuple[str, int]] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    self.twice.append((key.value, key.start_mark.line + 1))
                seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


def _lines(node: yaml.Node, path: Path_) -> Iterator[tuple[Path_, int]]:
    waiting = [(node, path)]
    for _ in range(_MOST_PLACES):
        if not waiting:
            return
        node, path = waiting.pop()
        if len(path) > _DEEPEST:
            break
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                place = (*path, str(key.value))
                yield place, key.start_mark.line + 1
                waiting.append((value, place))
        elif isinstance(node, yaml.SequenceNode):
            for at, value in enumerate(node.value):
                yield (*path, at), value.start_mark.line + 1
                waiting.append((value, (*path, at)))
    raise ValueError("the file refers to itself, or is far too large")


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from _texts(value)


def _at(node: Any, path: Path_) -> Any:
    for part in path:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return None
    return node


def _beside(path: Path) -> str:
    folder = path.parent
    names = [one.name for one in folder.iterdir() if one.is_file()] if folder.is_dir() else []
    return meant(path.name, names)
