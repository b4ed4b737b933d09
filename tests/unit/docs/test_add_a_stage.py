"""The page says enough to add a stage: its files, written down as they stand there, pass their own test."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.unit.docs.pages import ROOT, files

PAGE = ROOT / "docs/how-to/add-a-stage.md"


def test_its_files_are_a_stage_that_passes_its_test(tmp_path: Path) -> None:
    for name, text in files(PAGE).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    package = {"greeting/__init__.py", "greeting/handler.py", "greeting/agent.py"}
    assert written == package | {"pyproject.toml", "test_greeting.py"}
    assert "five files" in PAGE.read_text("utf-8")
    style = ["check", "--isolated", "--line-length=120", "--select=ANN,B,D1,E,F,I,N,UP", str(tmp_path / "greeting")]
    subprocess.run([Path(sys.executable).parent / "ruff", *style], check=True)
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_greeting.py"]
    run = subprocess.run(test, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert "2 passed" in run.stdout


def test_in_this_repository_it_is_named_where_the_page_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    stages = project["project"]["entry-points"]["forebay.stages"]
    [contract] = [one for one in project["tool"]["importlinter"]["contracts"] if one["id"] == "stages"]
    assert stages.keys() <= set(contract["layers"][0].split(" | "))
    text = PAGE.read_text("utf-8")
    for name, place in stages.items():
        made = f'`{name} = "{place}"`'.replace(name, "greeting")
        assert made in text, "all are named alike"
