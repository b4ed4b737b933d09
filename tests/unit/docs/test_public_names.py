"""What applications may import is what the how-to pages need: neither more nor less."""

import ast
from collections.abc import Iterator

import pytest

import forebay
from tests.unit.docs.pages import ROOT, Block, blocks

PAGES = sorted((ROOT / "docs/how-to").glob("*.md"))
FOR_APPLICATIONS = ("send-requests.md", "consume-responses.md")


def imported(block: Block) -> Iterator[tuple[str, str]]:
    """Modules of ours that a block imports from, and the names."""
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0].startswith("forebay"):
            yield from ((node.module, alias.name) for alias in node.names)


def used(block: Block) -> set[str]:
    """Names that a block does more with than import them."""
    return {node.id for node in ast.walk(ast.parse(block.text)) if isinstance(node, ast.Name)}


def test_every_public_name_is_shown_at_work_on_a_page() -> None:
    shown = {
        name
        for block in blocks("python", pages=PAGES)
        for module, name in imported(block)
        if module == "forebay" and name in used(block)
    }
    assert shown == set(forebay.__all__)


@pytest.mark.parametrize("page", FOR_APPLICATIONS)
def test_a_page_for_applications_needs_nothing_else(page: str) -> None:
    modules = {
        module for block in blocks("python", pages=[ROOT / "docs/how-to" / page]) for module, _ in imported(block)
    }
    assert modules == {"forebay"}
