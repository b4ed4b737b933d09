"""What does the source say that no object says? The syntax trees of the distribution's modules, outside of training."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from forebay.reference.discovery import packages


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A module: its import name, and what stands in it."""

    name: str
    tree: ast.Module


def sources() -> Iterator[Source]:
    """All modules of the packages with stages and of the substrate; rooms called ``training`` never run in a worker."""
    for package in packages():
        [root] = map(Path, import_module(package).__path__)
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            if "training" not in parts:
                yield Source(name=".".join(parts).removesuffix(".__init__"), tree=ast.parse(path.read_text("utf-8")))


def text_of(node: ast.expr | None) -> str | None:
    """The text that a node is, if it is one."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
