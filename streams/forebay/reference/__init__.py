"""Which pages of ``docs/reference`` are made from the code, and are they current?

What a page says is declared once, beside the code that it is about: keys in settings classes, error codes, the topic
catalogue, schema files, metric objects, command objects. The pages are checked in, so that they can be read without
running anything, and a test compares them with what the code says now.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from forebay.reference.commands import commands_page
from forebay.reference.configuration import configuration_page
from forebay.reference.contracts import errors_page, records_page, topics_page
from forebay.reference.counters import metrics_page

PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "commands.md": commands_page,
        "configuration.md": configuration_page,
        "errors.md": errors_page,
        "metrics.md": metrics_page,
        "records.md": records_page,
        "topics.md": topics_page,
    }
)
"""File name to what its content should be."""


def default_folder() -> Path:
    """``docs/reference`` of the checkout that this module is in."""
    return Path(__file__).resolve().parents[3] / "docs" / "reference"


def write(folder: Path) -> list[str]:
    """Bring the pages in ``folder`` up to date; the names of those that changed."""
    changed = outdated(folder)
    for name in changed:
        (folder / name).write_text(PAGES[name](), "utf-8")
    return changed


def outdated(folder: Path) -> list[str]:
    """Names of the pages in ``folder`` that are missing or do not say what the code says."""
    return [name for name, page in PAGES.items() if _text(folder / name) != page()]


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None
