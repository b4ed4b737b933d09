"""What is in which room, and on which floor? Read from the tree, and from the import contracts in ``pyproject.toml``.

A room is a package; its sentence is the first one of its docstring. Floors are what the contracts of the type
``layers`` say: a room imports rooms below it only.
"""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from forebay.reference.markdown import code, prose, table

_SENTENCE = re.compile(r".+?[.?](?=\s|$)")
_ROLE = re.compile(r":\w+:`~?([^`]+)`|``([^`]+)``")


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A package, or a module that the contracts name as a room of its own.

    Attributes:
        package: import name of the distribution's package it belongs to.
        name: its path in there; empty for the package itself.
        floor: counted from 0 at the bottom; ``None`` where no contract says.
        files: Python files but ``__init__.py``.
        sentence: what it is for; empty where it does not say.
    """

    package: str
    name: str
    floor: int | None
    files: int
    sentence: str


def rooms(root: Path) -> list[Room]:
    """The rooms of the checkout ``root``, each package's from the top floor down."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    found: list[Room] = []
    for package in settings["root_packages"]:
        [folder] = [path for path in (root / "streams" / package, root / "agents" / package, root / package)
                    if path.is_dir()]  # fmt: skip
        floors = _floors(settings["contracts"], package)
        found += sorted(_rooms(package, folder, floors), key=lambda room: (-_height(room), room.name))
    return found


def rooms_section() -> str:
    """The tables of ``docs/development.md``, one for each package."""
    parts = []
    for package, of_package in _by_package(rooms(Path(__file__).resolve().parents[3])).items():
        rows = [
            ["" if room.floor is None else str(room.floor), code(room.name or package), str(room.files), room.sentence]
            for room in of_package
        ]
        parts += [f"### `{package}`", table(["floor", "room", "files", "what it is for"], rows)]
    return "\n\n".join(parts)


def _by_package(found: list[Room]) -> Mapping[str, list[Room]]:
    by_package: dict[str, list[Room]] = {}
    for room in found:
        by_package.setdefault(room.package, []).append(room)
    return by_package


def _rooms(package: str, folder: Path, floors: Mapping[str, int]) -> Iterator[Room]:
    for path in sorted(folder.rglob("__init__.py")):
        name = path.parent.relative_to(folder).as_posix().removeprefix(".")
        files = sum(one.name != "__init__.py" for one in path.parent.glob("*.py"))
        top = name.partition("/")[0]
        yield Room(package=package, name=name, floor=floors.get(top), files=files, sentence=sentence_of(path))
    for name, floor in floors.items():
        path = folder / f"{name}.py"
        if path.is_file():
            yield Room(package=package, name=path.name, floor=floor, files=1, sentence=sentence_of(path))


def _floors(contracts: list[dict[str, object]], package: str) -> dict[str, int]:
    """Room to floor, by the contract whose container the package is."""
    for contract in contracts:
        layers = contract.get("layers")
        if contract.get("containers") == [package] and isinstance(layers, list):
            return {room.strip(): floor for floor, layer in enumerate(reversed(layers)) for room in layer.split("|")}
    return {}


def _height(room: Room) -> float:
    if not room.name:
        return float("inf")
    return -1 if room.floor is None else room.floor


def sentence_of(path: Path) -> str:
    """First sentence of a module's docstring, as Markdown."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    first = _SENTENCE.match(" ".join(text.partition("\n\n")[0].split()))
    return "" if first is None else prose(_ROLE.sub(lambda role: f"`{role[1] or role[2]}`", first[0]))
