"""How do commands print tables? By one function, in which no cell can be markup: cells are texts, never parsed."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from forebay.observability.plain import shown

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from rich.table import Table
    from rich.text import Text


class Styled(NamedTuple):
    """A text in a style of ours, such as ``bold red``."""

    text: str
    style: str


Part = str | Styled


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column that is not simply written from the left and broken where it is too long."""

    title: str
    right: bool = False
    whole: bool = False
    """Cells are not broken over lines."""


class Frame(StrEnum):
    """What is drawn around cells."""

    BOX = "box"
    HEAD = "head"
    """A line below the titles, and little room: for tables of many columns."""
    NONE = "none"


def print_table(
    columns: Sequence[str | Column],
    rows: Iterable[Sequence[Part]],
    *,
    title: str = "",
    frame: Frame = Frame.BOX,
    titles: bool = True,
    piped_width: int | None = None,
    least_width: int = 0,
) -> None:
    """A table on standard output, as wide as the terminal.

    Args:
        titles: print the titles of the columns.
        least_width: characters of a line at least, wherever it goes: then a terminal breaks lines, and no cell is cut.
        piped_width: characters of a line in a file or a pipe, where an id must not be broken; ``COLUMNS`` is stronger.
    """
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else piped_width
    console = Console(width=width, markup=False, emoji=False, highlight=False)
    console.width = max(console.width, least_width)
    console.print(table(columns, rows, title=title, frame=frame, titles=titles))


def table(
    columns: Sequence[str | Column],
    rows: Iterable[Sequence[Part]],
    *,
    title: str = "",
    frame: Frame = Frame.BOX,
    titles: bool = True,
) -> "Table":
    """What :func:`print_table` prints."""
    from rich.box import HEAVY_HEAD, SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    narrow = frame is Frame.HEAD
    built = Table(
        title=Text(shown(title), "table.title") if title else None,
        box={Frame.BOX: HEAVY_HEAD, Frame.HEAD: SIMPLE_HEAD, Frame.NONE: None}[frame],
        show_header=titles,
        pad_edge=not narrow,
        collapse_padding=narrow,
    )
    for each in columns:
        column = Column(title=each) if isinstance(each, str) else each
        built.add_column(
            text_of(column.title), justify="right" if column.right else "left", no_wrap=column.whole
        )  # fmt: skip
    for row in rows:
        built.add_row(*map(text_of, row))
    return built


def text_of(*parts: Part) -> "Text":
    """One line of text, shown as it is."""
    from rich.text import Text

    return Text.assemble(
        *((shown(part.text), part.style) if isinstance(part, Styled) else shown(part) for part in parts)
    )
