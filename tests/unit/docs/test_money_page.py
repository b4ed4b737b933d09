"""What the page on money shows is run as it stands there, and says what it should."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.unit.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "money.md"


def test_what_needs_no_stack_is_shown(tmp_path: Path) -> None:
    [block] = [one for one in blocks("sh", pages=[PAGE]) if one.text.startswith("cat > usage.jsonl")]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-eu", "-c", block.text], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    explained, *groups, total, reconciled = [json.loads(line) for line in done.stdout.splitlines()]
    assert (explained["priced"], explained["cost_nanousd"]) == (True, 210_000)
    assert {group["model"]: group["cost_nanousd"] for group in groups} == {
        "openai/gpt-4o-mini": 210_000,
        "openai/gpt-4o": 2_250_000,
    }
    assert total["cost_nanousd"] == 2_460_000
    assert {(one["kind"], one["model"], one["difference_nanousd"]) for one in reconciled["differences"]} == {
        ("different", "gpt-4o-mini", 100_000),
        ("ledger_only", "openai/gpt-4o", -2_250_000),
    }


def test_the_tests_that_it_names_exist() -> None:
    named = re.findall(r"tests/[\w/.]+", PAGE.read_text("utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
