"""Which names do people type, and programs depend on? Read from the generated pages of ``docs/reference``.

``python -m tests.unit.docs.names FOLDER`` writes what the pages in a folder say in the form of
``tests/data/names-0.1.txt``: a line ``KIND OWNER: NAME …`` for each group, long ones going on indented.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

_GROUP = re.compile(r"([a-z]+) ?([^:]*): (.*)")


@dataclass(frozen=True, order=True)
class Name:
    """A name, with what it belongs to: ``option`` of ``cache explain``, ``field`` of ``Request``; else empty."""

    kind: str
    owner: str
    text: str


def in_pages(folder: Path) -> list[Name]:
    """Every name on the generated pages in ``folder``, in their order."""
    return [
        *_commands(_text(folder / "commands.md")),
        *_settings(_text(folder / "configuration.md")),
        *(Name("topic", "", row[0]) for row in _rows(_text(folder / "topics.md"))),
        *_records(_text(folder / "records.md")),
        *_metrics(_text(folder / "metrics.md")),
        *(Name("code", "", row[0]) for row in _rows(_text(folder / "errors.md").rpartition("\n\n")[2])),
    ]


def in_file(path: Path) -> tuple[list[Name], dict[Name, Name]]:
    """Names of the file, and those of them that were renamed with their successors: ``OLD->NEW`` in the old place."""
    names, successors = [], {}
    for line in re.sub(r"\n +", " ", path.read_text("utf-8")).splitlines():
        if line and not line.startswith("#"):
            match = _GROUP.fullmatch(line)
            assert match is not None, f"{path.name}: {line}"
            kind, owner, texts = match.groups()
            for text in texts.split():
                old, _, new = text.partition("->")
                names.append(Name(kind, owner, old))
                if new:
                    successors[names[-1]] = Name(kind, owner, new)
    return names, successors


def gone(before: Path, folder: Path) -> list[Name]:
    """Names of the file that the pages in ``folder`` have no more, nor their successors."""
    names, successors = in_file(before)
    now = set(in_pages(folder))
    return [name for name in names if name not in now and successors.get(name) not in now]


def written(names: list[Name]) -> str:
    """The form of the file."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        groups.setdefault((name.kind, name.owner), []).append(name.text)
    lines = (f"{kind} {owner}".strip() + ": " + " ".join(texts) for (kind, owner), texts in groups.items())
    return "\n".join(fill(line, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
                     for line in lines) + "\n"  # fmt: skip


def _commands(page: str) -> Iterator[Name]:
    for command, section in _sections(page, "## forebay "):
        yield Name("command", "", command.replace(" ", "_"))
        for row in _rows(section):
            yield from (Name("option", command, option) for option in row[0].split(", ") if option.startswith("-"))


def _settings(page: str) -> Iterator[Name]:
    for heading, section in _sections(page, "##+ "):
        for row in _rows(section):
            if row[0].startswith("FOREBAY_"):
                yield Name("variable", "", row[0])
            else:  # a key of a section has a variable that follows from it: another test holds that
                yield Name("key", heading.partition(":")[0], row[0])


def _records(page: str) -> Iterator[Name]:
    for heading, section in _sections(page, "##+ "):
        if heading == "Closed sets":
            for name, values, _ in _rows(section):
                yield from (Name("value", name, value) for value in values.split(", "))
        else:
            yield from (Name("field", heading, row[0]) for row in _rows(section))


def _metrics(page: str) -> Iterator[Name]:
    for row in _rows(page):
        yield Name("metric", "", row[0])
        yield from (Name("label", row[0], label) for label in row[2].split(", ") if label)


def _sections(page: str, heading: str) -> Iterator[tuple[str, str]]:
    """Headings that begin so, with the text up to the next one."""
    parts = re.split(rf"^{heading}(.+)$", page, flags=re.MULTILINE)
    return zip(parts[1::2], parts[2::2], strict=True)


def _rows(text: str) -> list[list[str]]:
    """Cells of the tables in ``text`` without their heads, and without Markdown."""
    rows = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    cells = [[re.sub(r"`|<[^>]+>", "", cell).strip() for cell in re.split(r"(?<!\\)\|", row)] for row in rows]
    heads = {index + step for index, row in enumerate(cells) if set("".join(row)) == {"-"} for step in (-1, 0)}
    return [row for index, row in enumerate(cells) if index not in heads]


def _text(path: Path) -> str:
    return path.read_text("utf-8")


if __name__ == "__main__":
    print(written(in_pages(Path(sys.argv[1]))), end="")
