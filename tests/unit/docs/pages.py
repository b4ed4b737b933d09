"""What is written in the documentation? Its pages, their code blocks, links and anchors."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w/]+\.(?:py|toml))`")
_SPAN = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block; ``line`` is that of its opening fence."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        """For test ids and messages."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str, pages: list[Path] | None = None) -> Iterator[Block]:
    """Fenced blocks in one of the languages, without the indentation of their list item."""
    for page in PAGES if pages is None else pages:
        content = page.read_text("utf-8")
        for match in _FENCE.finditer(content):
            indent, language, text = match.groups()
            if language in languages:
                plain = "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))
                yield Block(page=page, line=content.count("\n", 0, match.start()) + 1, language=language, text=plain)


def files(page: Path) -> dict[str, str]:
    """Blocks that are a file, by its name: the last one that the sentence before the block ends with."""
    content = page.read_text("utf-8")
    found = {}
    for match in _FENCE.finditer(content):
        names = _FILE.findall(content[: match.start()].rstrip().rpartition("\n\n")[2])
        if names:
            found[names[-1]] = "".join(line.removeprefix(match[1]) for line in match[3].splitlines(keepends=True))
    return found


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def code_spans(page: Path) -> list[str]:
    """What stands between backticks in the text."""
    return [span.strip("`") for span in _SPAN.findall(prose(page))]


def links(page: Path) -> list[str]:
    """Targets of the links in the text."""
    return _LINK.findall(_SPAN.sub("", prose(page)).replace("[]", "[x]"))


@cache
def every_test() -> Counter[str]:
    """``file::test`` for each test there is."""
    return Counter(
        f"{path.stem}::{node.name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def anchors(page: Path) -> set[str]:
    """Fragments that a link to the page may have: its headings as GitHub makes them, and explicit ids."""
    text = prose(page)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}
    return made | set(_ANCHOR.findall(text))
