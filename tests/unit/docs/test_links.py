"""Links lead somewhere: to a file that is there, and to a heading in it. Nothing names a package registry's host."""

import re
from pathlib import Path

import pytest

from tests.unit.docs.pages import PAGES, ROOT, anchors, links

# Written on branches of their own; they are there once these are merged, and then these names allow nothing any more.
COMING = {
    ROOT / "docs" / name
    for name in (
        "how-to/replay-dead-letters.md",
        "reliability.md",
    )
}
HOSTS = re.compile(
    r"pypi\.org|pythonhosted|repo1?\.maven|mvnrepository|packages\.confluent|crates\.io|npmjs", re.IGNORECASE
)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_resolve(page: Path) -> None:
    broken = []
    for link in links(page):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if target in COMING and not target.exists():
            continue
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(link)
    assert not broken


def test_there_are_links_and_anchors_to_check() -> None:
    assert len(links(ROOT / "README.md")) >= 10
    assert "headers" in anchors(ROOT / "docs/reference/dead-letters.md")
    assert "retries_exhausted" in anchors(ROOT / "docs/reference/errors.md")


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs/README.md"
    listed = {(index.parent / link).resolve() for link in links(index)}
    assert listed >= COMING
    assert {page for page in PAGES if page.name != "README.md"} <= listed


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_no_page_names_a_registry_host(page: Path) -> None:
    assert not HOSTS.findall(page.read_text("utf-8"))
