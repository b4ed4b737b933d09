"""Which pages of the documentation are made from the code, and are they current?

What a page says is declared once, beside the code that it is about: keys in settings classes, error codes, the topic
catalogue, schema files, metric objects, command objects, rooms. The pages are checked in, so that they can be read
without running anything, and a test compares them with what the code says now.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from forebay.reference.access import rights_section
from forebay.reference.commands import commands_page
from forebay.reference.configuration import configuration_page
from forebay.reference.contracts import errors_page, records_page, retention_section, topics_page
from forebay.reference.counters import metrics_page
from forebay.reference.http import http_page
from forebay.reference.leaving import leaving_page
from forebay.reference.rooms import rooms_section

PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "commands.md": commands_page,
        "configuration.md": configuration_page,
        "errors.md": errors_page,
        "http.md": http_page,
        "metrics.md": metrics_page,
        "records.md": records_page,
        "topics.md": topics_page,
        "what-leaves.md": leaving_page,
    }
)
"""File name to what its content should be."""

SECTIONS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "../development.md": rooms_section,
        "../explanation/security.md": retention_section,
        "../how-to/production.md": rights_section,
    }
)
"""Page that is written by hand, from the same folder, to what should stand between its two marks."""

BEGIN, END = "<!-- Written by `forebay reference write`; changes here are lost. -->\n\n", "\n\n<!-- Until here. -->"


def default_folder() -> Path:
    """``docs/reference`` of the checkout that this module is in."""
    return Path(__file__).resolve().parents[3] / "docs" / "reference"


def write(folder: Path) -> list[str]:
    """Bring the pages in ``folder`` up to date; the names of those that changed."""
    changed = outdated(folder)
    for name in changed:
        (folder / name).write_text(_wanted(folder, name), "utf-8")
    return changed


def outdated(folder: Path) -> list[str]:
    """Names of the pages in ``folder`` that are missing or do not say what the code says."""
    sections = [name for name in SECTIONS if (folder / name).exists()]  # in another folder there are pages only
    return [name for name in (*PAGES, *sections) if _text(folder / name) != _wanted(folder, name)]


def _wanted(folder: Path, name: str) -> str:
    if name in PAGES:
        return PAGES[name]()
    text = (folder / name).read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.rpartition(END)
    if not end:
        raise ValueError(f"{name} has lost the marks between which a part of it is written")
    return before + begin + SECTIONS[name]() + end + after


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None
