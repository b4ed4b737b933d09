"""The map is true: rooms, floors, sentences and numbers of files are those of the tree, and no room is overfull."""

import ast
import re
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import grimp
import pytest

from forebay import reference
from forebay.reference.rooms import rooms
from tests.unit.docs.pages import PAGES, ROOT, code_spans

PACKAGES = {"forebay": ROOT / "streams/forebay", "forebay_agents": ROOT / "agents/forebay_agents"}
PACKAGES |= {"loadtest": ROOT / "loadtest", "supply": ROOT / "supply"}
FILES = [path for folder in PACKAGES.values() for path in sorted(folder.rglob("*.py"))]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
MOST_FILES, MOST_LINES = 14, 300


def described() -> Iterator[tuple[str, str, str, int, str]]:
    """Rows of the map: package, floor, room, files, sentence."""
    text = (ROOT / "docs/development.md").read_text("utf-8")
    for package in PACKAGES:
        section = re.split(r"^##|^<!--", text.partition(f"### `{package}`\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
        for row in section.strip().splitlines()[2:]:
            floor, room, files, sentence = (cell.strip() for cell in row.strip("|").split(" |"))
            yield package, floor, room.strip("`").removeprefix(package), int(files), sentence


def test_every_folder_with_code_is_a_room_of_the_map_and_every_room_is_a_folder() -> None:
    there = {path.parent for path in FILES if path.name != "sitecustomize.py"}  # which Python itself looks for, by path
    named = {PACKAGES[package] / room for package, _, room, _, _ in described()}
    modules = {path for path in named if path.suffix == ".py"}
    assert named - modules == there
    assert all(path.is_file() for path in modules)


def test_every_room_has_the_number_of_files_that_the_map_says_and_none_is_overfull() -> None:
    counted = {
        (package, room): len({path.name for path in (PACKAGES[package] / room).glob("*.py")} - {"__init__.py"})
        for package, _, room, _, _ in described()
        if not room.endswith(".py")
    }
    assert {(package, room): files for package, _, room, files, _ in described() if not room.endswith(".py")} == counted
    assert {room: files for room, files in counted.items() if files > MOST_FILES} == {}
    assert max(counted.values()) >= 10, "it was counted"


def test_no_module_imports_itself_by_way_of_others_not_even_for_its_types() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 400, "it was looked at"
    TopologicalSorter(imports).prepare()
    with pytest.raises(CycleError):
        TopologicalSorter({**imports, "forebay.contract.clock": {"forebay.cli.main"}}).prepare()


def test_floors_are_those_of_the_import_contracts() -> None:
    containers = {contract["containers"][0]: contract["layers"] for contract in CONTRACTS if "containers" in contract}
    assert containers.keys() == {"forebay", "forebay_agents"}
    for package, layers in containers.items():
        floors = {room: len(layers) - 1 - at for at, layer in enumerate(layers) for room in layer.split(" | ")}
        shown = {
            room.partition("/")[0].removesuffix(".py"): int(floor)
            for of, floor, room, _, _ in described()
            if of == package and room
        }
        assert shown == floors


def test_every_room_says_what_it_is_for_in_its_docstring() -> None:
    silent = []
    for package, _, room, _, sentence in described():
        path = PACKAGES[package] / room
        source = path if path.suffix == ".py" else path / "__init__.py"
        docstring = " ".join((ast.get_docstring(ast.parse(source.read_text("utf-8"))) or "").split())
        if len(sentence) < 20 or _plain(sentence) not in _plain(docstring) or sentence[-1] not in ".?":
            silent.append(room)
    assert silent == []


def _plain(text: str) -> str:
    return re.sub(r":\w+:|[`\\~]", "", text)


def test_no_file_is_too_long() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}
    assert len(lengths) > 400


@pytest.mark.parametrize("root", ["streams", "agents"])
def test_a_source_root_is_no_package(root: str) -> None:
    assert not (ROOT / root / "__init__.py").exists()


MAPS = {ROOT / "docs/development.md", ROOT / "docs/explanation/architecture.md"}
MADE = ROOT / "docs/how-to/add-a-stage.md"  # its files are those that the reader makes


@pytest.mark.parametrize("page", [page for page in PAGES if page != MADE], ids=lambda page: str(page.relative_to(ROOT)))
def test_files_and_folders_that_a_page_names_are_there(page: Path) -> None:
    folders = [ROOT, *(path for root in (*PACKAGES.values(), ROOT / "tests") for path in (root, *root.rglob("*/")))]
    path = r"[\w.]+(/[\w.-]+)+|\w+\.py" if page in MAPS else r"[\w./-]+\.py|(streams|agents|tests|docs)/[\w./-]+"
    names = [span for span in code_spans(page) if re.fullmatch(path, span)]
    assert len(names) > 30 or page not in MAPS
    assert sorted(name for name in names if not any((folder / name).exists() for folder in folders)) == []


def test_a_room_that_grows_or_goes_makes_the_map_outdated(tmp_path: Path) -> None:
    for name, text in {
        "streams/forebay/__init__.py": '"""Forebay: all of it. More."""',
        "streams/forebay/settings.py": '"""Where does a setting come from? From here."""',
        "streams/forebay/attic/__init__.py": '"""What is :mod:`old`.\n\nMore."""',
        "streams/forebay/attic/a.py": "",
        "streams/forebay/attic/b.py": "",
        "streams/forebay/attic/box/__init__.py": "",
        "pyproject.toml": '[tool.importlinter]\nroot_packages = ["forebay"]\n[[tool.importlinter.contracts]]\n'
        'containers = ["forebay"]\nlayers = ["attic | gone", "settings"]\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    assert [(room.name, room.floor, room.files, room.sentence) for room in rooms(tmp_path)] == [
        ("", None, 1, "Forebay: all of it."),
        ("attic", 1, 2, "What is `old`."),
        ("attic/box", 1, 0, ""),
        ("settings.py", 0, 1, "Where does a setting come from?"),
    ]


def test_what_is_written_into_a_page_by_hand_keeps_the_rest_of_it(tmp_path: Path) -> None:
    page, folder = tmp_path / "development.md", tmp_path / "reference"
    folder.mkdir()
    reference.write(folder)
    page.write_text(f"before\n\n{reference.BEGIN}old{reference.END}\n\nafter\n", "utf-8")
    assert reference.outdated(folder) == ["../development.md"]
    reference.write(folder)
    assert page.read_text("utf-8").startswith("before\n\n<!-- Written")
    assert page.read_text("utf-8").endswith("\n\n<!-- Until here. -->\n\nafter\n")
    assert "| 0 | `resources.py` | 1 |" in page.read_text("utf-8")
    assert reference.outdated(folder) == []
    page.write_text("no marks", "utf-8")
    with pytest.raises(ValueError, match="has lost the marks"):
        reference.outdated(folder)


def test_the_map_is_current() -> None:
    assert reference.outdated(reference.default_folder()) == [], "run `forebay reference write`"


def _contract(identity: str) -> Any:
    return next(contract for contract in CONTRACTS if contract.get("id") == identity)


def test_a_new_room_breaks_the_contracts_until_it_is_named() -> None:
    assert _contract("rooms")["exhaustive"] is True
    assert _contract("stages")["exhaustive"] is True
