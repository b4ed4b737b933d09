"""How do pages look in an editor? Prose in lines of at most 120 characters, and a README that is read to its end."""

from pathlib import Path

import pytest

from tests.unit.docs.pages import PAGES, ROOT, prose

WIDTH = 120


def too_long(text: str) -> list[str]:
    """Lines that are; those of tables and of code blocks cannot be broken."""
    return [line for line in text.splitlines() if len(line) > WIDTH and not line.lstrip().startswith("|")]


@pytest.mark.parametrize("page", sorted({*PAGES, *ROOT.glob("*.md")}), ids=lambda page: str(page.relative_to(ROOT)))
def test_prose_is_wrapped(page: Path) -> None:
    assert too_long(prose(page)) == []


def test_a_long_line_is_noticed_outside_tables() -> None:
    assert too_long(f"{'x' * 120}\n{'y ' * 61}\n  | {'z' * 130} |\n") == ["y " * 61]


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 200
